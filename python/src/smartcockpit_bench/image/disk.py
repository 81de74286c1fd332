# SPDX-License-Identifier: Apache-2.0
"""Puts the disk together: partition table, boot partition, slot A. Sparse: empty space costs nothing."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from smartcockpit_bench.image import bootscript
from smartcockpit_bench.places import BENCH
from smartcockpit_bench.progress import run

PARTITIONS = BENCH / "partitions.sfdisk"
DISK_MIB = 4096
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Partition:
    """One line of `bench/partitions.sfdisk`, in MiB."""

    name: str
    start_mib: int
    size_mib: int


def partitions() -> dict[str, Partition]:
    """Return the partitions by name, in the order of the disk."""
    pattern = r"^start=(\d+)MiB,\s*size=(\d+)MiB,.*name=(\S+)$"
    found = re.findall(pattern, PARTITIONS.read_text(), re.MULTILINE)
    return {name: Partition(name, int(start), int(size)) for start, size, name in found}


def assemble(disk: Path, slot: Path, arch: str, scratch: Path) -> None:
    """Write the disk with `slot` in A and B empty."""
    layout = partitions()
    with disk.open("wb") as file:
        file.truncate(DISK_MIB << 20)
    run(["sfdisk", "--quiet", disk], stdin=PARTITIONS.read_bytes(), doing="partitioning the disk")
    boot = scratch / "boot.vfat"
    boot_partition(boot, arch, layout["boot"].size_mib)
    copy_sparse(boot, disk, layout["boot"].start_mib << 20)
    copy_sparse(slot, disk, layout["rootfs-a"].start_mib << 20)


def boot_partition(image: Path, arch: str, size_mib: int, variables: dict[str, str] | None = None) -> None:
    """Make the FAT file system with the boot script and the attempt counters."""
    with image.open("wb") as file:
        file.truncate(size_mib << 20)
    run(["mkfs.vfat", "-n", "BOOT", "-i", "5C0C2B1E", image], doing="making the boot partition")
    files = {
        "boot.scr": bootscript.boot_script(arch),
        "uboot.env": bootscript.environment(variables or bootscript.default_environment()),
    }
    for name, content in files.items():
        source = image.with_name(name)
        source.write_bytes(content)
        run(["mcopy", "-i", image, source, f"::{name}"], doing=f"copying {name} to the boot partition")


def copy_sparse(source: Path, target: Path, offset: int) -> None:
    """Copy a file system into the disk at `offset` bytes, leaving holes where it is empty."""
    zero = bytes(_CHUNK)
    with source.open("rb") as reader, target.open("r+b") as writer:
        end = reader.seek(0, os.SEEK_END)
        position = 0
        while position < end:
            try:
                position = reader.seek(position, os.SEEK_DATA)
            except OSError:  # ENXIO: nothing but a hole is left
                break
            position -= position % _CHUNK
            reader.seek(position)
            chunk = reader.read(_CHUNK)
            if chunk != zero[: len(chunk)]:
                writer.seek(offset + position)
                writer.write(chunk)
            position += len(chunk)
