# SPDX-License-Identifier: Apache-2.0
"""The layer over the built disk that takes what a box writes, kept or thrown away; the folder of a run."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from smartcockpit.core.errors import UsageError

from smartcockpit_bench.progress import run

QCOW2 = b"QFI\xfb"
"""How a qcow2 file begins."""
PREFIX = "smartcockpit-box-"


def make(layer: Path, disk: Path) -> None:
    """Make `layer`, a qcow2 file, over the raw `disk`."""
    backing = ["-b", str(disk), "-F", "raw"]
    run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, layer], doing="making the disk layer")


def check_kept(layer: Path, disk: Path) -> None:
    """Raise `UsageError` unless `layer` is a qcow2 file over `disk` as it is now.

    A layer holds what differs from the disk: over one that was built anew it would be nonsense.
    """
    try:
        with layer.open("rb") as stream:
            is_qcow2 = stream.read(4) == QCOW2
    except OSError as error:
        raise UsageError(f"{layer}: {error.strerror}", "--keep takes the path of a file") from error
    if not is_qcow2:
        raise UsageError(f"{layer} is no qcow2 disk", "name a new file, or one that --keep has made")
    if disk.stat().st_mtime_ns > layer.stat().st_mtime_ns:
        raise UsageError(f"{layer} belongs to an image that has been built anew since", "name a new file")


def work_folder() -> Path:
    """Return a new folder for the sockets and files of one run.

    Below the folder for temporary files, not the checkout: unix socket paths are limited to 107 bytes.
    """
    parent = Path(tempfile.gettempdir())
    sweep(parent)
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))


def sweep(folder: Path) -> None:
    """Remove the folders below `folder` whose owner was killed before it could."""
    for left in folder.glob(f"{PREFIX}*"):
        owner = left.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdecimal() and not Path("/proc", owner).exists():
            shutil.rmtree(left, ignore_errors=True)
