# SPDX-License-Identifier: Apache-2.0
"""The update record: one JSON object a line, each with the SHA-256 of the line before, so that none can be
taken out or altered unnoticed.

It is evidence for people who look after a fleet (UN R156 7.1.1), no protection against whoever owns the
data partition: such a one can write a new chain. Nothing is ever deleted from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

GENESIS = "0" * 64
LONGEST_LINE = 64 * 1024


def line(entry: Mapping[str, Any], previous: str) -> str:
    """Return the line for `entry` after a line whose hash is `previous`, without its line end."""
    import json

    return json.dumps({"previous": previous, **entry}, ensure_ascii=False, separators=(",", ":"))


def hash_of(text: str) -> str:
    """Return the hash that the next line names."""
    from hashlib import sha256

    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read(lines: Iterable[str], *, whole: bool = True) -> tuple[list[dict[str, Any]], str, int]:
    """Return the entries, the hash to go on with, and the number of the first broken line (0: none).

    After a broken line reading goes on: what stands there is still worth showing. When `lines` are not the
    `whole` record but its end, the first one is believed.
    """
    import json

    entries: list[dict[str, Any]] = []
    last, broken = GENESIS if whole else "", 0
    for number, text in enumerate(lines, 1):
        try:
            entry = json.loads(text) if len(text) <= LONGEST_LINE else None
        except (ValueError, RecursionError):
            entry = None
        if not isinstance(entry, dict) or entry.get("previous") != (last or entry.get("previous")):
            broken = broken or number
        if isinstance(entry, dict):
            entries.append({key: value for key, value in entry.items() if key != "previous"})
        last = hash_of(text)
    return entries, last, broken
