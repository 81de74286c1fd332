# SPDX-License-Identifier: Apache-2.0
"""The update record as a file, `record.jsonl`; form and chain are `smartcockpit.core.update.record`'s."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smartcockpit.adapters import durable
from smartcockpit.core.named import NamedTuple
from smartcockpit.core.update import record

LARGEST = 16 << 20
"""Bytes of the end of the file that are read: some ten thousand updates."""


class Kept(NamedTuple):
    """Entries, oldest first, and the number of the first line that does not fit its chain (0: none)."""

    entries: list[dict[str, Any]]
    broken: int


class UpdateRecord:
    """Appends to and reads the record at `path`."""

    def __init__(self, path: Path, largest: int = LARGEST) -> None:
        self._path, self._largest = path, largest

    def append_once(self, key: str, entry: Mapping[str, Any]) -> None:
        """Append `entry` under `key`, unless the last lines have that key already.

        Raises `UnavailableError` when the disk will not have it.
        """
        lines, whole = self._lines()
        entries, last, _ = record.read(lines, whole=whole)
        if all(old.get("key") != key for old in entries[-8:]):
            durable.append(self._path, record.line({"key": key, **entry}, last))

    def read(self) -> Kept:
        """Return what is kept; an absent file has no entries."""
        lines, whole = self._lines()
        entries, _, broken = record.read(lines, whole=whole)
        return Kept(entries, broken)

    def _lines(self) -> tuple[list[str], bool]:
        """Return the lines, and whether they are all."""
        try:
            with self._path.open("rb") as file:
                start = max(0, file.seek(0, os.SEEK_END) - self._largest)
                file.seek(start)
                data = file.read(self._largest)
        except OSError:
            return [], True
        if start:
            data = data.partition(b"\n")[2]  # the rest of a line that began before
        return [line for line in data.decode("utf-8", "replace").split("\n") if line], not start
