# SPDX-License-Identifier: Apache-2.0
"""Reads CAN logs with python-can's readers: candump .log, Vector .asc and .blf, PEAK .trc, .csv; also .gz.

A reader of python-can ends at the first line it cannot read. Here a text format goes on with the next line
and counts what was skipped; a BLF file, which has no lines, is read up to its damage.
"""

from __future__ import annotations

import gzip
import itertools
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from smartcockpit.core.errors import UsageError

from smartcockpit_bench.frame import Frame

TEXT, BINARY = (".log", ".asc", ".trc", ".csv"), (".blf",)
HEADER_LINES = 500
INSPECTED = 200_000
HOPELESS = 1000
"""So many unreadable lines without a single frame: the file is something else."""
BROKEN = (
    ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, NotImplementedError,
    EOFError, struct.error, zlib.error, gzip.BadGzipFile,
)  # fmt: skip
"""What python-can's readers raise on garbage, as read in 4.6.1."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One frame of a log: seconds as written there, channel as written there, and the frame itself.

    `frame.bus` is the channel until `channels` says whose bus that is.
    """

    time_s: float
    channel: str
    frame: Frame


class CanLog:
    """A recording. Iterate `entries()`, as often as wanted; `skipped` counts what the last pass left out."""

    def __init__(self, path: Path | str) -> None:
        """Raise `UsageError` when the file is missing, empty or of a kind that cannot be read."""
        self.path = Path(path)
        self.skipped = 0
        self.first_skipped = ""
        """Where and what the first unreadable place was, for people."""
        if not self.path.is_file():
            raise UsageError(f"{self.path}: no such file", "DRIVE= takes the path of a CAN log")
        suffixes = [suffix.lower() for suffix in self.path.suffixes]
        self._packed = suffixes[-1:] == [".gz"]
        self._kind = (suffixes[:-1] if self._packed else suffixes)[-1:]
        if not self._kind or self._kind[0] not in TEXT + BINARY:
            kinds = ", ".join(TEXT + BINARY)
            raise UsageError(
                f"{self.path}: unknown kind of CAN log", f"name it by its format: {kinds}, or .gz of it"
            )
        if not self.path.stat().st_size:
            raise UsageError(
                f"{self.path}: the file is empty", "record one with: candump -L can0 > drive.log"
            )

    def entries(self) -> Iterator[LogEntry]:
        """Yield the data and remote frames in the order of the file.

        Raises `UsageError` when there is not one frame in it.
        """
        self.skipped, self.first_skipped, found = 0, "", 0
        messages = self._lenient() if self._kind[0] in TEXT else self._until_damage()
        for message in messages:
            try:
                entry = entry_of(message)
            except (ValueError, TypeError) as error:
                self._skip(str(error))
                continue
            if entry is not None:
                found += 1
                yield entry
        if not found:
            what = f": {self.first_skipped}" if self.first_skipped else ""
            raise UsageError(
                f"{self.path}: not one CAN frame in it{what}", f"is it really a {self._kind[0]} log?"
            )

    def inspect(self) -> str:
        """Read ahead, at most `INSPECTED` frames, and return `warning()`."""
        for _ in itertools.islice(self.entries(), INSPECTED):
            pass
        return self.warning()

    def warning(self) -> str:
        """Return one sentence about what was left out, "" when nothing was."""
        if not self.skipped:
            return ""
        return f"{self.path.name}: skipped {self.skipped} unreadable entries, the first: {self.first_skipped}"

    def _skip(self, what: str) -> None:
        self.skipped += 1
        self.first_skipped = self.first_skipped or what[:160]

    def _lenient(self) -> Iterator[Any]:
        import can

        reader_type: Any = {
            ".log": can.CanutilsLogReader, ".asc": can.ASCReader,
            ".trc": can.TRCReader, ".csv": can.CSVReader,
        }[self._kind[0]]  # fmt: skip
        opener: Any = gzip.open if self._packed else open
        with opener(self.path, "rt", encoding="utf-8", errors="replace") as stream:
            lines = Lines(stream)
            got_frame = False
            while True:
                try:
                    for message in reader_type(lines):
                        lines.header_ends()
                        got_frame = True
                        yield message
                    if lines.damage:
                        self._skip(f"behind line {lines.number} the file is cut off ({lines.damage})")
                    return
                except BROKEN as error:
                    if lines.ended:
                        self._skip(f"end of file: {error}")
                        return
                    self._skip(f"line {lines.number}: {lines.last.strip()[:80]!r}")
                    if self.skipped >= HOPELESS and not got_frame:
                        return
                    lines.rewind_to_header()

    def _until_damage(self) -> Iterator[Any]:
        import can

        opener: Any = gzip.open if self._packed else open
        with opener(self.path, "rb") as stream:
            try:
                reader = can.BLFReader(stream)
                yield from reader
                missing = reader.file_size - self.path.stat().st_size
                if missing > 0 and not self._packed:
                    self._skip(f"the end is cut off: {missing} bytes fewer than its header says")
            except (*BROKEN, can.io.blf.BLFParseError) as error:
                self._skip(f"damaged from here on ({error or type(error).__name__})")


class Lines:
    """A text file as python-can's readers see it, that can go on behind a line which one of them refused."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = iter(stream)
        self._header: list[str] = []
        self._in_header = True
        self._again: Iterator[str] = iter(())
        self.number = 0
        self.last = ""
        self.ended = False
        self.damage = ""
        """Why a packed file ended before its end."""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for line in self._again:
            return line
        try:
            self.last = next(self._stream)
        except StopIteration:
            self.ended = True
            raise
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.ended, self.damage = True, str(error)
            raise StopIteration from None
        self.number += 1
        if self._in_header:
            self._header.append(self.last)
            if len(self._header) > HEADER_LINES:
                self._in_header = False
        return self.last

    def header_ends(self) -> None:
        """Say that the line just read was the first frame."""
        if self._in_header:
            self._in_header = False
            self._header = self._header[:-1]

    def rewind_to_header(self) -> None:
        """Show the header again, then what follows the refused line."""
        if self._in_header:
            self._header = self._header[:-1]
        self._again = iter(list(self._header))

    def read(self, size: int = -1) -> str:
        """Return all the rest: python-can asks whether a file has this method."""
        return "".join(itertools.islice(self, size if size >= 0 else None))

    def close(self) -> None:
        """Do nothing: the file belongs to `CanLog`."""


def entry_of(message: Any) -> LogEntry | None:
    """Return a python-can message as an entry; None for an error frame. Raises ValueError when impossible."""
    if message.is_error_frame:
        return None
    channel = "0" if message.channel is None else str(message.channel)
    frame = Frame(
        channel,
        message.arbitration_id,
        bytes(message.data or b""),
        extended=bool(message.is_extended_id),
        fd=bool(message.is_fd),
        bit_rate_switch=bool(message.bitrate_switch),
        remote_length=min(8, message.dlc) if message.is_remote_frame else None,
    )
    return LogEntry(float(message.timestamp), channel, frame)
