# SPDX-License-Identifier: Apache-2.0
"""Where things are in the checkout. Owns paths and the reading of list files; builds nothing."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BENCH = ROOT / "bench"
BUILD = ROOT / "build"
CACHE = BUILD / "cache"
ARCHITECTURES = ("amd64", "arm64")
FLAVOURS = ("dev", "release")


def image_dir(arch: str, flavour: str) -> Path:
    """Return the folder of a finished image: `disk.img`, `vmlinuz`, `initrd.img`, `u-boot.rom` …"""
    return BUILD / "image" / f"{arch}-{flavour}"


def read_list(path: Path) -> list[str]:
    """Return the entries of a list file: one a line, `#` and what follows is for the reader."""
    lines = (line.partition("#")[0].strip() for line in path.read_text().splitlines())
    return [line for line in lines if line]
