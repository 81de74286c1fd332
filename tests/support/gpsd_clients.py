# SPDX-License-Identifier: Apache-2.0
"""Debian's own clients of gpsd, without installing them.

The package gpsd-clients depends on 141 others, for its windows; gpspipe and cgps need none of those. So the
two packages that hold them and their library are fetched by apt and unpacked into build/cache.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "build" / "cache" / "gpsd-clients"
PACKAGES = ("gpsd-clients", "gpsd-tools", "libgps30", "libgps28", "libgps29")
"""Debian 12 and 13 put the programs and the library into different ones of these."""


def fetch(folder: Path) -> None:
    """Unpack what there is of `PACKAGES` below `folder`."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        done = subprocess.run(["apt-get", "download", package], cwd=folder, capture_output=True, check=False)
        if done.returncode == 0:
            for archive in folder.glob(f"{package}_*.deb"):
                subprocess.run(["dpkg-deb", "-x", str(archive), str(folder / "root")], check=False)


def gpsd_client(tool: str) -> tuple[str, dict[str, str]]:
    """Return the program and the environment that it needs; skips the test when it cannot be had."""
    if found := shutil.which(tool):
        return found, {}
    program = FOLDER / "root/usr/bin" / tool
    if not program.is_file():
        fetch(FOLDER)
    if not program.is_file():
        pytest.skip(f"{tool} is not there and cannot be fetched (apt-get download gpsd-clients)")
    libraries = {str(path.parent) for path in (FOLDER / "root/usr/lib").rglob("libgps.so*")}
    return str(program), {"LD_LIBRARY_PATH": os.pathsep.join(sorted(libraries))}
