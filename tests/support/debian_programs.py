# SPDX-License-Identifier: Apache-2.0
"""Programs of Debian for a test, without installing them: fetched by apt, unpacked into build/cache.

gpsd-clients depends on 141 packages, for its windows, where gpspipe and cgps need two; and an installed chrony
would set about the clock of the developer's machine.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CACHE = Path(__file__).resolve().parents[2] / "build" / "cache" / "programs"
PACKAGES = {
    "gpspipe": ("gpsd-clients", "gpsd-tools", "libgps30", "libgps28", "libgps29"),
    "cgps": ("gpsd-clients", "gpsd-tools", "libgps30", "libgps28", "libgps29"),
    "chronyd": ("chrony",),
}
"""Debian 12 and 13 put programs and libraries into different ones of these."""


def program(tool: str) -> tuple[str, dict[str, str]]:
    """Return the path of `tool` and the environment that it needs; skips the test when it cannot be had."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    if found := shutil.which(tool, path=path):
        return found, {}
    root = CACHE / PACKAGES[tool][0]
    if not _files(root, tool):
        _fetch(PACKAGES[tool], root)
    libraries = {str(library.parent) for library in root.rglob("lib*.so*")}
    environment = {"LD_LIBRARY_PATH": os.pathsep.join(sorted(libraries))} if libraries else {}
    for file in _files(root, tool):
        linked = subprocess.run(
            ["ldd", str(file)], env=os.environ | environment, capture_output=True, text=True, check=False
        )
        if "not found" not in linked.stdout:
            return str(file), environment
    pytest.skip(f"{tool} is not there and cannot be fetched (apt-get download {PACKAGES[tool][0]})")


def _files(root: Path, tool: str) -> list[Path]:
    return [file for file in root.rglob(tool) if file.is_file() and file.parent.name in ("bin", "sbin")]


def _fetch(packages: tuple[str, ...], root: Path) -> None:
    """Unpack what there is of `packages` below `root`."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return
    root.mkdir(parents=True, exist_ok=True)
    for package in packages:
        subprocess.run(["apt-get", "download", package], cwd=root, capture_output=True, check=False)
        for archive in root.glob(f"{package}_*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(archive), str(root)], check=False)
            archive.unlink()
