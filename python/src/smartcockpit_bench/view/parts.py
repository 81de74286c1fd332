# SPDX-License-Identifier: Apache-2.0
"""The pieces of the picture: large digits, bars, one row per reading, the car from above."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table
from rich.text import Text

from smartcockpit_bench.view import groups, words
from smartcockpit_bench.view.cockpit import Cockpit, Shown
from smartcockpit_bench.view.groups import Item

DIGITS = {
    "0": ("█▀█", "█ █", "▀▀▀"), "1": ("▀█ ", " █ ", "▀▀▀"), "2": ("▀▀█", "█▀▀", "▀▀▀"),
    "3": ("▀▀█", " ▀█", "▀▀▀"), "4": ("█ █", "▀▀█", "  ▀"), "5": ("█▀▀", "▀▀█", "▀▀▀"),
    "6": ("█▀▀", "█▀█", "▀▀▀"), "7": ("▀▀█", "  █", "  ▀"), "8": ("█▀█", "█▀█", "▀▀▀"),
    "9": ("█▀█", "▀▀█", "▀▀▀"), "–": ("   ", "▀▀▀", "   "),
    "P": ("█▀█", "█▀▀", "▀  "), "R": ("█▀█", "█▀▄", "▀ ▀"), "N": ("█▄█", "█▀█", "▀ ▀"),
    "D": ("█▀▄", "█ █", "▀▀ "),
}  # fmt: skip
LABEL, BAR_ON, BAR_OFF = "grey62", "cyan", "grey27"


def large(text: str, style: str) -> list[Text]:
    """Return three lines that show `text` in large digits."""
    rows = zip(*(DIGITS.get(c, ("   ",) * 3) for c in text), strict=True)
    return [Text(" ".join(row), style=style, no_wrap=True) for row in rows]


def bar(number: float | None, low: float, high: float, width: int) -> Text:
    """Return a bar; when `low` is negative it grows from the middle."""
    if number is None:
        return Text("━" * width, style=BAR_OFF)
    at = round((min(high, max(low, number)) - low) / (high - low) * width)
    zero = round(max(0.0, -low) / (high - low) * width)
    first, last = min(at, zero), max(at, zero)
    text = Text("━" * first, style=BAR_OFF)
    text.append("━" * (last - first), style=BAR_ON)
    return text.append("━" * (width - last), style=BAR_OFF)


def mark(shown: Shown) -> Text:
    """Return the sign of a reading's quality."""
    sign, style = words.MARKS[shown.quality]
    return Text(sign, style=style)


def rows(cockpit: Cockpit, items: Iterable[Item], now_s: float, bar_width: int) -> Table:
    """Return label, bar, value, unit, quality and age of those `items` that the vehicle has."""
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(style=LABEL, no_wrap=True, ratio=1)
    if bar_width:
        grid.add_column(no_wrap=True, width=bar_width)
    grid.add_column(justify="right", no_wrap=True, width=9)
    grid.add_column(style=LABEL, no_wrap=True, width=5)
    grid.add_column(no_wrap=True, width=1)
    grid.add_column(style=LABEL, justify="right", no_wrap=True, width=4)
    for item in items:
        shown = cockpit.signals.get(item.path)
        if shown is None:
            continue
        number = cockpit.number(item.path)
        text = "–" if shown.quality == "unavailable" else words.value(shown.value, item.decimals, item.scale)
        cells: list[Text | str] = [item.label]
        if bar_width:
            cells.append(bar(number, *item.bar, bar_width) if item.bar else Text(""))
        cells += [
            Text(text, style="bold" if shown.quality == "valid" else "dim"),
            item.unit or words.unit(shown.unit),
            mark(shown),
            words.age(cockpit.age_s(shown, now_s)),
        ]
        grid.add_row(*cells)
    return grid


def has_any(cockpit: Cockpit, paths: Iterable[str]) -> bool:
    """Return whether the vehicle has one of `paths`."""
    return any(path in cockpit.signals for path in paths)


def car_from_above(cockpit: Cockpit) -> Text:
    """Return seven lines of 17 columns: indicators, brake lamps, doors, hood, trunk and tyre pressures."""
    tyre = [_pressure(cockpit, path) for path in groups.TYRES]
    doors = [cockpit.is_on(path) for path in groups.DOOR_PATHS]
    left, right = (_arrow(cockpit, path, sign) for path, sign in zip(groups.INDICATORS, "◀▶", strict=True))
    body = "grey70"
    brake = ("━", "bold bright_red") if cockpit.is_on(groups.BRAKE_LAMP) else ("─", body)
    hood = ("▔", "yellow") if cockpit.is_on(groups.HOOD) else (" ", body)
    trunk = ("▁", "yellow") if cockpit.is_on(groups.TRUNK) else brake
    return Text.assemble(
        "   ", left, (" ╭─────╮ ", body), right, "\n",
        tyre[0], ("  │", body), (hood[0] * 5, hood[1]), ("│  ", body), tyre[1], "\n",
        ("     │╭───╮│\n", body),
        "    ", _door(doors[0], "╱"), ("││   ││", body), _door(doors[1], "╲"), "\n",
        "    ", _door(doors[2], "╱"), ("││   ││", body), _door(doors[3], "╲"), "\n",
        tyre[2], ("  │╰───╯│  ", body), tyre[3], "\n",
        "   ", left.copy(), (" ╰", body), trunk, (brake[0] * 3, brake[1]), trunk, ("╯ ", body), right.copy(),
    )  # fmt: skip


def _pressure(cockpit: Cockpit, path: str) -> Text:
    number = cockpit.number(path)
    shown = cockpit.signals.get(path)
    style = (
        "yellow"
        if number is not None and number < 180
        else "bold"
        if shown and shown.quality == "valid"
        else "dim"
    )
    return Text(" – " if number is None else f"{number:3.0f}"[:3], style=style)


def _arrow(cockpit: Cockpit, path: str, sign: str) -> Text:
    return Text(sign, style="bold green" if cockpit.is_on(path) else "grey27")


def _door(is_open: bool | None, sign: str) -> Text:
    return Text(sign if is_open else " ", style="bold yellow")


def summary(cockpit: Cockpit, paths: Iterable[str], now_s: float) -> Text:
    """Return how many readings of `paths` have which quality, and the ages of the newest and the oldest."""
    shown = [cockpit.signals[path] for path in paths if path in cockpit.signals]
    ages = [age for one in shown if (age := cockpit.age_s(one, now_s)) is not None]
    text = Text()
    for quality, (sign, style) in words.MARKS.items():
        if number := sum(one.quality == quality for one in shown):
            text.append(f"{number} ", style=LABEL).append(sign, style=style).append(" ")
    if ages:
        text.append(f"{words.age(min(ages))} … {words.age(max(ages))}", style=LABEL)
    return text


def lamps(cockpit: Cockpit) -> Text:
    """Return the words of all lamps and switches that the vehicle has, lit when on."""
    text = Text()
    for name, path, style in groups.LAMPS:
        if path in cockpit.signals:
            shown = cockpit.signals[path]
            text.append(name, style=f"bold {style}" if cockpit.is_on(path) else "grey35")
            if shown.quality != "valid":
                text.append_text(mark(shown))
            text.append("  ")
    return text
