# SPDX-License-Identifier: Apache-2.0
"""Recordings of what a receiver sent, byte for byte, with the time of each piece.

Format 1: 8 bytes `SCGNSS1\\n`; then per piece, little endian: u64 ns since the start of the recording, i64
µs of the system's clock (CLOCK_REALTIME), u16 length, the bytes. A file that ends in the middle of a piece,
because the power went, is good up to there. Documented for users in docs/how-to/gnss.md.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from smartcockpit.core.errors import ConfigError, UnavailableError
from smartcockpit.core.named import NamedTuple

MAGIC = b"SCGNSS1\n"
_HEAD = struct.Struct("<QqH")
MAX_PIECE = 0xFFFF


class Piece(NamedTuple):
    """What was read at once."""

    at_ns: int
    """Since the start of the recording."""
    wall_us: int
    data: bytes


class Recorder:
    """Writes a recording; when it cannot (disk full, too large) it ends quietly: `problem` says why."""

    def __init__(self, path: Path, limit_bytes: int) -> None:
        self._room = limit_bytes - len(MAGIC)
        self._start_ns: int | None = None
        self._file: BinaryIO | None = None
        self.problem = ""
        try:
            self._file = path.open("wb")
            self._file.write(MAGIC)
        except OSError as error:
            self._end(f"{path}: {error.strerror}")

    def take(self, data: bytes, now_ns: int, wall_us: int) -> None:
        """Record `data`, received at the monotonic `now_ns`."""
        if self._file is None:
            return
        if self._start_ns is None:
            self._start_ns = now_ns
        self._room -= _HEAD.size + len(data)
        if self._room < 0:
            self._end("it has reached its largest size")
            return
        try:
            self._file.write(_HEAD.pack(now_ns - self._start_ns, wall_us, len(data)) + data)
        except OSError as error:
            self._end(str(error.strerror))

    def flush(self) -> None:
        """Hand what was recorded to the kernel; called once a second."""
        if self._file is not None:
            try:
                self._file.flush()
            except OSError as error:
                self._end(str(error.strerror))

    def close(self) -> None:
        """End the recording."""
        self._end("")

    def _end(self, problem: str) -> None:
        self.problem = problem
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self.problem = self.problem or str(error.strerror)


def pieces(path: Path) -> Iterator[Piece]:
    """Yield the pieces of a recording, up to where it breaks off.

    Raises `UnavailableError` when it cannot be read, `ConfigError` when it is no recording.
    """
    try:
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise ConfigError(f"{path} is no recording of a receiver", "it would begin with SCGNSS1")
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                at_ns, wall_us, length = _HEAD.unpack(head)
                data = file.read(length)
                if len(data) < length:
                    return
                yield Piece(at_ns, wall_us, data)
    except OSError as error:
        raise UnavailableError(f"{path} cannot be read: {error.strerror}", f"ls -l {path}") from error
