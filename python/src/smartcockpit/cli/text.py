# SPDX-License-Identifier: Apache-2.0
"""How values look to people: aligned tables, short ages and sizes, restrained colour."""

from __future__ import annotations

import math
import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TextIO

from smartcockpit.core.signals import Value

GREEN, YELLOW, RED, DIM, BOLD = "32", "33", "31", "2", "1"
STATE_COLOURS = {
    "valid": GREEN, "active": GREEN, "error-active": GREEN, "running": GREEN, "on": GREEN,
    "stale": YELLOW, "activating": YELLOW, "error-warning": YELLOW, "reloading": YELLOW,
    "deactivating": YELLOW, "waking": YELLOW, "accessory": YELLOW, "shutting-down": YELLOW,
    "ok": GREEN, "skipped": DIM, "invalid": RED, "failed": RED, "error-passive": RED, "bus-off": RED,
    "unavailable": DIM, "inactive": DIM, "not-found": DIM,
}  # fmt: skip


def colour_wanted(stream: TextIO) -> bool:
    """Return whether `stream` shall get colour (a terminal, and no NO_COLOR, see no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str) -> str:
    """Return `text` in an SGR colour."""
    return f"\x1b[{colour}m{text}\x1b[0m" if colour else text


def plain(text: str) -> str:
    """Return `text` without control characters: what comes from a bus must not steer the terminal."""
    return "".join("�" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in text)


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Iterable[int] = (),
    stream: TextIO | None = None,
) -> str:
    """Return rows as an aligned table with a heading; columns in `right` are right-aligned."""
    stream = stream or sys.stdout
    colour = colour_wanted(stream)
    cells = [list(head), *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    flush_right = set(right)
    lines = []
    for number, row in enumerate(cells):
        padded = [
            cell.rjust(width) if i in flush_right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        padded[-1] = padded[-1].rstrip()
        if colour:
            padded = [
                paint(text, BOLD if number == 0 else STATE_COLOURS.get(cell, ""))
                for text, cell in zip(padded, row, strict=True)
            ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def value_text(value: Value) -> str:
    """Return a signal's value as people write it; a float gets at most three decimals."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        short = f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) < 1e9 else f"{value:g}"
        return "0" if short == "-0" else short
    if isinstance(value, list):
        return ", ".join(value) or "–"
    return str(value) if value != "" else "–"


def number_text(value: float) -> str:
    """Return a limit; nothing when there is none (NaN)."""
    return "" if math.isnan(value) else f"{value:g}"


def age_text(seconds: float) -> str:
    """Return a duration in the unit that suits it: 40 ms, 3.2 s, 5 min, 2 h, 3 d."""
    if seconds < 0.0995:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    for limit, divisor, unit in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{seconds / divisor:.0f} {unit}"
    return f"{seconds / 86400:.0f} d"


def size_text(size: int | None) -> str:
    """Return bytes as MB of memory (1 MB = 2^20 bytes, as systemd shows it)."""
    return "–" if size is None else f"{size / (1 << 20):.1f} MB"
