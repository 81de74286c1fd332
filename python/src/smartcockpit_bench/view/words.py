# SPDX-License-Identifier: Apache-2.0
"""How readings are written in the view: short, aligned, and never longer than their column."""

from __future__ import annotations

import unicodedata
from typing import Any

UNITS = {
    "Celsius": "°C",
    "percent": "%",
    "degrees": "°",
    "degrees/s": "°/s",
    "m/s^2": "m/s²",
    "l/100km": "l/100",
}
MARKS = {
    "valid": ("●", "green"),
    "stale": ("◐", "yellow"),
    "invalid": ("✗", "red"),
    "unavailable": ("○", "bright_black"),
}
STATES = {
    "active": "green", "error-active": "green", "failed": "red", "bus-off": "red", "error-passive": "red",
    "error-warning": "yellow", "activating": "yellow", "inactive": "yellow", "unavailable": "yellow",
}  # fmt: skip
PARK, DRIVE = 126, 127


def plain(text: str) -> str:
    """Return `text` without control characters: a line from the box must not steer the terminal."""
    return "".join("�" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in text)


def value(shown: Any, decimals: int = 2, scale: float = 1.0) -> str:
    """Return a value for people."""
    if shown is None:
        return "–"
    if isinstance(shown, bool):
        return "yes" if shown else "no"
    if isinstance(shown, int | float):
        number = shown * scale
        if abs(number) >= 1e7:
            return f"{number:.3g}"
        text = f"{number:.{decimals}f}"
        return "0" if text == "-0" else text.replace("-", "−")
    if isinstance(shown, list):
        return plain(", ".join(map(str, shown))) or "–"
    return plain(str(shown)) or "–"


def unit(name: str) -> str:
    """Return the sign that people use for a VSS unit."""
    return UNITS.get(name, plain(name))


def age(seconds: float | None) -> str:
    """Return an age in at most four characters."""
    if seconds is None:
        return ""
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    if seconds < 100:
        return f"{seconds:.0f}s"
    return f"{seconds / 60:.0f}m" if seconds < 6000 else f"{seconds / 3600:.0f}h"


def gear(selected: float | None, current: float | None) -> str:
    """Return P, R, N, D or D4 from VSS' `SelectedGear` and `CurrentGear`."""
    if selected is None:
        return "–" if current is None else "N" if current == 0 else "R" if current < 0 else f"{current:.0f}"
    if selected == PARK:
        return "P"
    if selected == DRIVE:
        return f"D{current:.0f}" if current and current > 0 else "D"
    return "N" if selected == 0 else "R" if selected < 0 else f"{selected:.0f}"
