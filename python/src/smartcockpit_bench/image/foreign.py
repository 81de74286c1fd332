# SPDX-License-Identifier: Apache-2.0
"""Lets an image for another architecture be built: its programs run by emulation, ours are cross-compiled.

The kernel hands foreign programs to the emulator by its binfmt_misc registry. A registration that is there is
used as it is; one that is missing is made for the time of the build and taken back, so the machine is left as
it was found. The registry has one state for the whole kernel; its mount is ours alone, in our namespace.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smartcockpit.core.errors import UnavailableError

REGISTRY = Path("/proc/sys/fs/binfmt_misc")
DESCRIPTION = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")
"""Debian's own registration, one line in the kernel's format (Documentation/admin-guide/binfmt-misc)."""
# Signing and checking return addresses, which all of Debian's programs do, is the emulator's slowest part.
_EMULATOR = {"QEMU_CPU": "max,pauth=off"}
_NATIVE = {"x86_64": "amd64", "aarch64": "arm64"}
_MACHINES = {arch: machine for machine, arch in _NATIVE.items()}


@contextmanager
def runnable(arch: str) -> Iterator[None]:
    """Run the block where programs of `arch` run; UnavailableError says what keeps them from it."""
    if _NATIVE.get(platform.machine()) == arch:
        yield
        return
    os.environ.update(_EMULATOR)
    if runs(arch):
        yield
        return
    entry = _register()
    try:
        if not runs(arch):
            raise UnavailableError(
                f"{arch} programs do not run here, even by QEMU", "run `make setup ARCH=arm64`"
            )
        yield
    finally:
        entry.write_text("-1")


def compiler(arch: str) -> list[str]:
    """Return the variable that makes `make` compile for `arch`: nothing for this machine's own."""
    triplet = f"{_MACHINES[arch]}-linux-gnu"
    return [] if _NATIVE.get(platform.machine()) == arch else [f"CC={triplet}-gcc"]


def runs(arch: str) -> bool:
    """Try a minimal program of that architecture."""
    try:
        return subprocess.run(["arch-test", arch], capture_output=True, check=False).returncode == 0
    except FileNotFoundError as missing:
        raise UnavailableError("arch-test is not installed", "run `make setup ARCH=arm64`") from missing


def _register() -> Path:
    """Tell the kernel of the emulator; return the registry's entry."""
    if not DESCRIPTION.is_file():
        raise UnavailableError("qemu-user-static is not installed", "run `make setup ARCH=arm64`")
    register = REGISTRY / "register"
    if not register.exists():
        mount = ["mount", "-t", "binfmt_misc", "binfmt_misc", str(REGISTRY)]
        subprocess.run(mount, capture_output=True, check=False)
    line = DESCRIPTION.read_text().strip()
    try:
        register.write_text(line)
    except OSError as error:
        raise UnavailableError(
            f"this machine runs no arm64 programs, and binfmt_misc cannot be set up here ({error.strerror})",
            "in a container: install qemu-user-static on the machine around it, then run this again",
        ) from error
    print("  registered QEMU's arm64 emulation with the kernel for this build", file=sys.stderr, flush=True)
    return REGISTRY / line.split(line[0])[1]
