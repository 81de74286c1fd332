# SPDX-License-Identifier: Apache-2.0
"""`make test-py314`: runs the unit tests with the Python of the Yocto release, from Debian testing.

The Debian root is made by mmdebstrap, the packages of the lock file are fetched for that Python, and both are
kept in `build/cache`. Needs root: the checkout is mounted into that one, in a namespace that ends with the
tests. Component tests need sound servers and units, which that root does not have.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from smartcockpit.core.errors import SmartCockpitError

from smartcockpit_bench.image.mirror import host_entries, line
from smartcockpit_bench.image.workspace import appearing
from smartcockpit_bench.places import CACHE, ROOT
from smartcockpit_bench.progress import run, step

VERSION = "3.14"
SUITE = "testing"
# What the unit tests call besides Python: a bus, the C library's compiler, file systems.
PACKAGES = ("python3", "python3-gi", "dbus-daemon", "gcc", "libc6-dev", "make")
SITE = f"usr/local/lib/python{VERSION}/dist-packages"
# Host-side tools run with the host's Python.
TESTS = ("tests/unit", "--ignore=tests/unit/bench")
_ENTER = """
set -e
mkdir -p "$2/checkout"
mount --bind "$1" "$2/checkout"
mount -t proc proc "$2/proc"
mount --bind /dev "$2/dev"
mount -t tmpfs tmpfs "$2/tmp"
root=$2; shift 2
exec chroot "$root" env -C /checkout HOME=/tmp PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH=/checkout/python/src:/checkout/tests \
    python3 -m pytest -q -p no:cacheprovider "$@"
"""


def root() -> Path:
    """Return the Debian root with all packages; it is made once."""
    made = CACHE / f"python-{VERSION}"
    if not made.is_dir():
        with step(f"Debian {SUITE} root with Python {VERSION}"), appearing(made) as partial:
            partial.mkdir(parents=True)
            _debian(partial)
            _python_packages(partial / SITE)
    return made


def _debian(goal: Path) -> None:
    mirror = os.environ.get("MIRROR") or next((uri for uri, _ in host_entries(Path("/etc/apt"))), "")
    with tempfile.NamedTemporaryFile("w", suffix=".list") as apt:
        apt.write(line(mirror, SUITE) + "\n" if mirror else "")
        apt.flush()
        options = ["--mode=root", "--variant=minbase", "--dpkgopt=force-unsafe-io"]
        # A mirror's list may be older than it says it is good for.
        options += ['--aptopt=Acquire::Check-Valid-Until "false"', f"--include={','.join(PACKAGES)}"]
        run(
            ["mmdebstrap", *options, SUITE, goal, *([apt.name] if mirror else [])],
            doing=f"building the Debian {SUITE} root",
        )


def _python_packages(site: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    target = ["--python-version", VERSION, "--python-platform", "x86_64-manylinux_2_28", "--target", site]
    # One package of the lock file is sources alone, and pure Python.
    kinds = ["--only-binary", ":all:", "--no-binary", "argparse-manpage", "--no-build-isolation"]
    lock = ROOT / "python" / "requirements.lock"
    run(
        [uv, "pip", "install", "--quiet", *target, *kinds, "--require-hashes", "-r", lock],
        doing=f"fetching Python packages for {VERSION}",
    )


def main(arguments: list[str]) -> int:
    """Run the tests; returns pytest's exit code."""
    if os.geteuid() != 0:
        raise SmartCockpitError("this needs root", "sudo make test-py314")
    enter = ["unshare", "--mount", "sh", "-c", _ENTER, "enter", str(ROOT), str(root())]
    return subprocess.run([*enter, *TESTS, *arguments], check=False).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except SmartCockpitError as error:
        sys.exit(f"test-py314: {error}")
