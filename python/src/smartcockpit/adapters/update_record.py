# SPDX-License-Identifier: Apache-2.0
"""The update record as a file, `record.jsonl`; form and chain are `smartcockpit.core.update.record`'s."""

from __future__ import annotations

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

    def __init__(self, path: Path) -> None:
        self._path = path

    def append_once(self, key: str, entry: Mapping[str, Any]) -> None:
        """Append `entry` under `key`, unless the last lines have that key already.

        Raises `UnavailableError` when the disk will not have it.
        """
        entries, last, _ = record.read(self._lines())
        if all(old.get("key") != key for old in entries[-8:]):
            durable.append(self._path, record.line({"key": key, **entry}, last))

    def read(self) -> Kept:
        """Return what is kept; an absent file has no entries."""
        entries, _, broken = record.read(self._lines())
        return Kept(entries, broken)

    def _lines(self) -> list[str]:
        try:
            with self._path.open("rb") as file:
                data = file.read(LARGEST)
        except OSError:
            return []
        return [line for line in data.decode("utf-8", "replace").split("\n") if line]
