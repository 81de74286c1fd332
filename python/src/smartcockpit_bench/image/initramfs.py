# SPDX-License-Identifier: Apache-2.0
"""Writes the initramfs: busybox, the few modules that reach the disk, and `bench/initramfs/init`.

A cpio archive in the kernel's "newc" format (Documentation/driver-api/early-userspace/buffer-format), not
compressed: 2 MB load faster from the emulated disk than they unpack on the emulated CPU.
"""

from __future__ import annotations

import stat
from pathlib import Path

from smartcockpit_bench.image.kernel import Kernel, content
from smartcockpit_bench.places import BENCH, read_list

_FOLDERS = ("bin", "data", "dev", "modules", "newroot", "proc", "run", "sys")


def build(kernel: Kernel) -> bytes:
    """Return the archive for this kernel."""
    source = BENCH / "initramfs"
    modules = kernel.closure(read_list(source / "modules.list"))
    archive = Archive()
    for folder in _FOLDERS:
        archive.add(folder, stat.S_IFDIR | 0o755)
    archive.add("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    archive.add("bin/busybox", stat.S_IFREG | 0o755, kernel.busybox.read_bytes())
    archive.add("bin/sh", stat.S_IFLNK | 0o777, b"busybox")
    archive.add("init", stat.S_IFREG | 0o755, (source / "init").read_bytes())
    for module in modules:
        archive.add(f"modules/{module}.ko", stat.S_IFREG | 0o644, content(kernel.modules[module]))
    archive.add("modules/load", stat.S_IFREG | 0o644, "".join(f"{m}.ko\n" for m in modules).encode())
    return archive.finish()


class Archive:
    """A cpio archive in the making; owner root and all times zero, so equal input gives equal bytes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._inode = 0

    def add(self, name: str, mode: int, data: bytes = b"", device: tuple[int, int] = (0, 0)) -> None:
        """Append one entry; for a symbolic link `data` is its target."""
        self._inode += 1
        encoded = name.encode() + b"\0"
        numbers = (self._inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        header = b"070701" + b"".join(b"%08X" % number for number in numbers)
        self._parts += [_padded(header + encoded), _padded(data)]

    def finish(self) -> bytes:
        """Return the archive with its trailer."""
        self.add("TRAILER!!!", 0)
        return b"".join(self._parts)


def write(kernel: Kernel, path: Path) -> None:
    """Write the archive to `path`."""
    path.write_bytes(build(kernel))


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
