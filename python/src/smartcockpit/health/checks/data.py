# SPDX-License-Identifier: Apache-2.0
"""The data partition takes what is written to it, and gives it back."""

from __future__ import annotations

import os

from smartcockpit.health import places
from smartcockpit.health.check import CheckFailedError, Cockpit

NAME = "data"
SIZE = 4096


async def check(_: Cockpit) -> str:
    """Write a block, flush it to the disk, read it from there."""
    path, written = places.STATE / "check-data", os.urandom(SIZE)
    try:
        with path.open("wb") as file:
            file.write(written)
            file.flush()
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        came_back = path.read_bytes()
        path.unlink()
    except OSError as error:
        raise CheckFailedError(f"{path.parent} cannot be written: {error.strerror}") from error
    if came_back != written:
        raise CheckFailedError(f"{path.parent} gives back something else than was written", final=True)
    return "written, flushed and read back"
