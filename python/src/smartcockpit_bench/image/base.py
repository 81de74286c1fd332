# SPDX-License-Identifier: Apache-2.0
"""The Debian root before anything of ours is in it, cached under the hash of what it is made from."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

from smartcockpit_bench.image.mirror import SUITE, sources
from smartcockpit_bench.image.workspace import appearing
from smartcockpit_bench.places import BENCH, CACHE, read_list
from smartcockpit_bench.progress import run, step

PACKAGES = BENCH / "packages"
FETCH_HOOK = BENCH / "hooks" / "fetch-boot-packages"
_EXCLUDED = (
    "/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*",
    "/usr/lib/udev/hwdb.d/*",  # compiled at installation, which is slow under emulation; the image has none
)  # fmt: skip
_OPTIONS = (
    "--variant=minbase",
    "--dpkgopt=force-unsafe-io",
    *(f"--dpkgopt=path-exclude={path}" for path in _EXCLUDED),
    '--aptopt=Acquire::Languages "none"',
    '--aptopt=Acquire::Retries "3"',
)


def base_root(arch: str, flavour: str, scratch: Path) -> Path:
    """Return a folder with `root.tar`, the Debian root, and `debs/`, the packages that are only unpacked."""
    packages = [*read_list(PACKAGES / "common.list")]
    if flavour == "dev":
        packages += read_list(PACKAGES / "dev.list")
    unpacked = [name.format(arch=arch) for name in read_list(PACKAGES / "boot.list")]
    wanted = "\n".join([SUITE, arch, *_OPTIONS, *packages, "--", *unpacked, FETCH_HOOK.read_text()])
    key = hashlib.sha256(wanted.encode()).hexdigest()[:12]
    base = CACHE / f"base-{arch}-{flavour}-{key}"
    if not base.is_dir():
        for older in CACHE.glob(f"base-{arch}-{flavour}-*"):
            print(f"  {older.name} is out of date; delete it when you like", file=sys.stderr)
        with step(f"Debian {SUITE} root, {len(packages)} packages"), appearing(base) as partial:
            (partial / "debs").mkdir(parents=True)
            _mmdebstrap(arch, packages, unpacked, partial, scratch)
    return base


def _mmdebstrap(arch: str, packages: list[str], unpacked: list[str], result: Path, scratch: Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".list") as apt:
        # The name must end in .list: mmdebstrap takes any other for the deb822 format.
        lines = sources()
        apt.write("\n".join(lines) + "\n")
        apt.flush()
        run(
            [
                "mmdebstrap",
                "--mode=root",
                f"--architectures={arch}",
                *_OPTIONS,
                f"--include={','.join(packages)}",
                f"--customize-hook={FETCH_HOOK}",
                SUITE,
                result / "root.tar",
                *([apt.name] if lines else []),
            ],
            doing="building the Debian root",
            env={"FETCH_INTO": str(result / "debs"), "FETCH": " ".join(unpacked), "TMPDIR": str(scratch)},
        )
