# SPDX-License-Identifier: Apache-2.0
"""The ext4 file system of a slot: made from a folder, read and altered without mounting it.

No journal (it is never written), fixed identity, no larger than its content: RAUC writes and hashes all of
it.
Equal folders give equal images, so that an adaptive update fetches only what has changed.
"""

from __future__ import annotations

import os
import re
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path

from smartcockpit.core.errors import UsageError

from smartcockpit_bench.progress import run

BLOCK = 4096
_UUID = "5c0c2b1e-7a54-4c6e-9a8e-5d1f0a3b7c11"
_OPTIONS = "^has_journal,^metadata_csum_seed,^orphan_file,^resize_inode"
_SPARE_BLOCKS = 2048
"""8 MiB for group descriptors, bitmaps and for files that `alter` makes larger."""
_MIB = 1 << 20
_SUPERBLOCK, _BLOCK_COUNT = 1024, 1028


def make(root: Path, image: Path, at_most_mib: int, epoch: int) -> None:
    """Make the ext4 image of a slot from the folder `root`; all of its times are `epoch` or older.

    Raises `UsageError` when it does not fit into `at_most_mib`.
    """
    files, blocks = _measure(root)
    inodes = files + 512
    size_mib = -(-(blocks + inodes * 256 // BLOCK + blocks // 64 + _SPARE_BLOCKS) * BLOCK // _MIB)
    if size_mib > at_most_mib:
        raise UsageError(f"the root needs {size_mib} MiB, a slot has {at_most_mib}", "install less")
    identity = ["-U", _UUID, "-E", f"hash_seed={_UUID},root_owner=0:0", "-N", str(inodes)]
    command = ["mke2fs", "-q", "-t", "ext4", "-b", str(BLOCK), "-m", "0", "-O", _OPTIONS, *identity]
    clock = {"E2FSPROGS_FAKE_TIME": str(epoch), "SOURCE_DATE_EPOCH": str(epoch)}
    run([*command, "-d", root, image, f"{size_mib}M"], doing="making the root file system", env=clock)
    _settle(image, 11 + files, epoch)


def _measure(root: Path) -> tuple[int, int]:
    """Return the number of files, folders and links, and the blocks of their content."""
    sizes = [0 if path.is_symlink() else path.lstat().st_size for path in root.rglob("*")]
    return len(sizes), sum(-(-size // BLOCK) for size in sizes)


def _settle(image: Path, last_inode: int, epoch: int) -> None:
    """Overwrite the times that mke2fs copies from the builder's disk: change and access."""
    stamps = [(name, f"@{epoch:#x}") for name in ("ctime", "atime", "crtime")]
    parts = [(f"{name}_extra", "0") for name in ("ctime", "atime", "crtime", "mtime")]
    debugfs(
        image,
        "\n".join(
            f"sif <{inode}> {field} {value}"
            for inode in (2, *range(11, last_inode + 1))
            for field, value in (*stamps, *parts)
        ),
        epoch,
    )


def size(image: Path, offset: int = 0) -> int:
    """Return the size in bytes of the ext4 file system that begins at `offset` of a file."""
    with image.open("rb") as file:
        file.seek(offset + _BLOCK_COUNT)
        (blocks,) = struct.unpack("<I", file.read(4))
    return int(blocks) * BLOCK


def extract(disk: Path, offset: int, image: Path) -> None:
    """Copy the file system at `offset` of a disk into a file of its own."""
    left = size(disk, offset)
    with disk.open("rb") as reader, image.open("wb") as writer:
        reader.seek(offset)
        while left:
            chunk = reader.read(min(left, _MIB))
            if any(chunk):
                writer.write(chunk)
            else:
                writer.seek(len(chunk), os.SEEK_CUR)
            left -= len(chunk)
        writer.truncate()


def read(image: Path, path: str) -> str:
    """Return the text of a file in the image; raises `UsageError` when there is none."""
    text = run(["debugfs", "-R", f"cat /{path}", image], doing=f"reading {path}").partition("\n")[2]
    if text.startswith(f"/{path}: File not found"):
        raise UsageError(f"{image.name} has no {path}")
    return text


def modified(image: Path, path: str) -> int:
    """Return when a file in the image was last modified, s since 1970."""
    said = run(["debugfs", "-R", f"stat /{path}", image], doing=f"looking at {path}")
    found = re.search(r"\bmtime: 0x([0-9a-f]+)", said)
    assert found, f"{image} has no {path}"
    return int(found[1], 16)


def alter(image: Path, files: Mapping[str, str | None], epoch: int) -> None:
    """Write these files, root's and 0644, into the image; None removes one. Their folders must be there."""
    with tempfile.TemporaryDirectory(prefix="smartcockpit-slot-") as name:
        lines = []
        for number, (path, text) in enumerate(files.items()):
            lines.append(f"rm /{path}")
            if text is not None:
                source = Path(name, str(number))
                source.write_text(text)
                lines += [f"write {source} /{path}", f"sif /{path} mode 0100644"]
                lines += [f"sif /{path} {field} 0" for field in ("uid", "gid")]
                lines += [
                    f"sif /{path} {field} @{epoch:#x}" for field in ("mtime", "ctime", "atime", "crtime")
                ]
        debugfs(image, "\n".join(lines), epoch)


def debugfs(image: Path, commands: str, epoch: int) -> str:
    """Run commands of debugfs(8) on the image and return what it said."""
    clock = {"E2FSPROGS_FAKE_TIME": str(epoch), "SOURCE_DATE_EPOCH": str(epoch)}
    command = ["debugfs", "-w", "-f", "-", image]
    return run(command, stdin=commands.encode(), doing="writing into the root file system", env=clock)
