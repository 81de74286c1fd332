#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prepares the developer's machine: Debian packages by apt, Python packages into `.venv`, verified by hash.

Runs on the system's Python before anything is installed, so: standard library only, and no import of ours.
Says what it does, does nothing twice, and may be interrupted at any point: the next run goes on from there.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
VENV = ROOT / ".venv"
LISTS = ROOT / "bench"
LOCK = ROOT / "python" / "requirements.lock"
NO_TRUST = ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed")
NO_NETWORK = ("Temporary failure resolving", "Could not resolve", "Could not connect", "Unable to connect",
              "NewConnectionError", "Failed to establish", "Network is unreachable")  # fmt: skip


class SetupError(Exception):
    """One sentence with its remedy."""


def main() -> int:
    """Do what is missing; 0 when all is there, 69 when something cannot be had."""
    parser = argparse.ArgumentParser(prog="make setup", description=__doc__)
    parser.add_argument("--arch", default="amd64", choices=("amd64", "arm64"))
    options = parser.parse_args()
    try:
        if sys.version_info < (3, 11):  # noqa: UP036 - a system's Python may well be older
            raise SetupError("Python 3.11 or newer is needed. Hint: use Debian 12 or newer")
        with alone(LOCK):
            install_packages(missing(wanted(options.arch)))
            make_venv()
    except SetupError as error:
        print(f"make setup: {error}", file=sys.stderr)
        return 69
    except KeyboardInterrupt:
        print("\nmake setup: stopped; the next run goes on from here", file=sys.stderr)
        return 130
    return 0


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """Hold a lock on `file`; a second setup of the same checkout waits and says so."""
    with file.open() as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("  another setup is running; waiting for it …", file=sys.stderr, flush=True)
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def wanted(arch: str) -> list[str]:
    """Return the Debian packages of this host for images of `arch`."""
    names = read_list(LISTS / "host-packages.list")
    if arch == "arm64" and os.uname().machine != "aarch64":
        names += read_list(LISTS / "host-packages-arm64.list")
    return names


def read_list(path: Path) -> list[str]:
    """Return the entries of a list file; `#` starts a remark."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]


def missing(packages: list[str]) -> list[str]:
    """Return those that dpkg does not have installed."""
    if not shutil.which("dpkg-query"):
        raise SetupError(
            "this is no Debian-like system (no dpkg). Hint: use Debian 12 or newer, or a container of it"
        )
    query = ["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\\n", *packages]
    known = subprocess.run(query, capture_output=True, text=True, check=False).stdout.splitlines()
    return [name for name in packages if f"{name} installed" not in known]


def install_packages(names: list[str]) -> None:
    """Install Debian packages as root or by sudo; without either, say the command."""
    if not names:
        return
    # A fresh machine installs its own updates first, and holds the lock meanwhile.
    patient = ["-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300"]
    apt = ["apt-get", "--yes", "--no-install-recommends", *patient, "install", *names]
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            raise SetupError(f"packages are missing. Hint: as root, run: apt-get update && {' '.join(apt)}")
        apt = ["sudo", *apt]
    print(f"  installing {len(names)} Debian packages: {' '.join(names)} …", file=sys.stderr)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # A fresh machine has no package lists; one with lists is spared the update unless they are too old.
    said = attempt(apt, environment)
    if said is not None:
        update = [*apt[: apt.index("apt-get")], "apt-get", "update"]
        said = attempt(update, environment) or attempt(apt, environment)
    if said is not None:
        why = "no network to the Debian mirror" if any(s in said for s in NO_NETWORK) else last_error(said)
        raise SetupError(
            f"apt failed: {why}. Hint: run `{' '.join(apt)}` to see it all; the next run resumes"
        )


def attempt(command: list[str], environment: dict[str, str] | None = None) -> str | None:
    """Run a command; return None on success, else what it said. On a terminal its last line is shown."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
        text=True, errors="replace",
    )  # fmt: skip
    said: list[str] = []
    show = sys.stderr.isatty()
    room = shutil.get_terminal_size().columns - 6
    with process:
        for line in process.stdout or ():
            said.append(line)
            if show:
                print(f"\r\033[2K    {line.strip()[:room]}", end="", file=sys.stderr, flush=True)
    if show:
        print("\r\033[2K", end="", file=sys.stderr, flush=True)
    return "".join(said) if process.returncode else None


def last_error(said: str) -> str:
    """Return the most telling line of a failed program."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("E:", "ERROR", "error"))]
    return (telling or lines or ["it said nothing"])[-1].removeprefix("E:").removeprefix("ERROR:").strip()


def make_venv() -> None:
    """Make `.venv` hold exactly what the lock file says, and our own package as editable."""
    stamp = VENV / ".ready"
    state = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != state:
        print(f"  Python packages into {VENV.name} …", file=sys.stderr)
        pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
        if (
            attempt([str(VENV / "bin" / "python"), "-c", "import pip"] if VENV.is_dir() else ["false"])
            is not None
        ):
            shutil.rmtree(VENV, ignore_errors=True)
            explain(attempt([sys.executable, "-m", "venv", str(VENV)]), "making the Python environment")
        explain(attempt([*pip, "--require-hashes", "-r", str(LOCK)]), "pip")
        own = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT / "python")]
        explain(attempt([*pip, *own]), "installing the checkout into its environment")
        stamp.write_text(state)
    stamp.touch()


def explain(said: str | None, doing: str) -> None:
    """Raise one sentence if a step of the environment failed."""
    if said is not None and any(sign in said for sign in NO_TRUST):
        raise SetupError(
            f"{doing} failed: the certificate of the package index is not trusted here. "
            "Hint: name the file with your proxy's certificate in PIP_CERT"
        )
    if said is not None:
        why = "no network to the package index" if any(s in said for s in NO_NETWORK) else last_error(said)
        raise SetupError(f"{doing} failed: {why}. Hint: check network and disk space; the next run resumes")


if __name__ == "__main__":
    sys.exit(main())
