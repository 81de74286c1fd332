# SPDX-License-Identifier: Apache-2.0
"""Shows the box: a picture on a terminal, plain lines in a pipe, JSON for programs.

JSON passes the box's own lines on, as `cockpitctl live` describes them (format 1), garbage left out.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from smartcockpit_bench.view import groups, port, words
from smartcockpit_bench.view.cockpit import Cockpit

if TYPE_CHECKING:
    from rich.console import Console

PICTURES_PER_S = 5
PLAIN_EVERY_S = 1.0


class Style(StrEnum):
    """How to show it; AUTO is a picture on a terminal and plain lines elsewhere."""

    AUTO = "auto"
    PICTURE = "picture"
    PLAIN = "plain"
    JSON = "json"


def choose(style: Style, stream: TextIO) -> Style:
    """Return what AUTO means for `stream`: a picture needs a terminal that knows UTF-8."""
    if style is not Style.AUTO:
        return style
    utf8 = (stream.encoding or "").lower().replace("-", "") == "utf8"
    return Style.PICTURE if stream.isatty() and utf8 and os.environ.get("TERM") != "dumb" else Style.PLAIN


async def show(
    path: Path | str,
    *,
    style: Style = Style.AUTO,
    duration_s: float | None = None,
    car: Callable[[], str] = str,
    stream: TextIO | None = None,
    cockpit: Cockpit | None = None,
) -> Cockpit:
    """Show the box behind the view port's socket `path` until cancelled, or for `duration_s`.

    `car` gives a word on the simulated car's side for the picture. `duration_s` counts from the first line
    of signals, so a slow boot does not eat it. Returns the last state, for the caller to judge; who may
    cancel brings a `cockpit` to be filled. Raises BrokenPipeError when the reader of `stream` has gone.
    """
    stream = stream or sys.stdout
    cockpit = cockpit or Cockpit()
    chosen = choose(style, stream)
    feeding = _feed(cockpit, port.lines(path), stream if chosen is Style.JSON else None)
    drawing = _PAINTERS[chosen](cockpit, stream, car)
    tasks = [asyncio.create_task(feeding, name="view port"), asyncio.create_task(drawing, name="view")]
    try:
        ended = asyncio.create_task(_expire(cockpit, duration_s), name="view time")
        tasks.append(ended)
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if chosen is Style.PICTURE:  # the picture is gone with its screen: leave one line behind
            stream.write(plain_line(cockpit, time.monotonic()) + "\n")
    return cockpit


async def _expire(cockpit: Cockpit, duration_s: float | None) -> None:
    if duration_s is None:
        await asyncio.Event().wait()
        return
    while not cockpit.signals:  # noqa: ASYNC110 - a plain look at plain data
        await asyncio.sleep(0.1)
    await asyncio.sleep(duration_s)


async def _feed(cockpit: Cockpit, lines: AsyncIterator[bytes], echo: TextIO | None) -> None:
    async for line in lines:
        if cockpit.feed(line, time.monotonic()) and echo is not None:
            echo.write(json.dumps(json.loads(line), separators=(",", ":"), ensure_ascii=True) + "\n")
            echo.flush()


async def _nothing(_cockpit: Cockpit, _stream: TextIO, _car: Callable[[], str]) -> None:
    await asyncio.Event().wait()


async def _picture(cockpit: Cockpit, stream: TextIO, car: Callable[[], str]) -> None:
    from rich.console import Console
    from rich.live import Live

    from smartcockpit_bench.view.picture import picture

    console: Console = Console(file=stream, force_terminal=True)

    def draw() -> object:
        return picture(cockpit, time.monotonic(), console.width, console.height, car())

    with Live(draw(), console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as live:  # type: ignore[arg-type]
        while True:
            live.update(draw(), refresh=True)  # type: ignore[arg-type]
            await asyncio.sleep(1 / PICTURES_PER_S)


async def _plain(cockpit: Cockpit, stream: TextIO, _car: Callable[[], str]) -> None:
    began = time.monotonic()
    said = ""
    while True:
        await asyncio.sleep(PLAIN_EVERY_S)
        now = time.monotonic()
        text = plain_line(cockpit, now)
        if text == said and not cockpit.signals:
            continue
        said = text
        stream.write(f"{now - began:7.1f} s  {text}\n")
        stream.flush()


_PAINTERS = {Style.PICTURE: _picture, Style.PLAIN: _plain, Style.JSON: _nothing}


def plain_line(cockpit: Cockpit, now_s: float) -> str:
    """Return the state in one line of plain text."""
    if not cockpit.signals:
        return words.plain(cockpit.waiting)
    parts = [_reading(cockpit, path, label, now_s) for label, path in _headline(cockpit)]
    count = dict.fromkeys(words.MARKS, 0)
    for shown in cockpit.signals.values():
        count[shown.quality] += 1
    parts.append(" ".join(f"{number} {quality}" for quality, number in count.items() if number))
    parts += [f"{row.get('daemon')} {row.get('state')}" for row in cockpit.daemons]
    for row in cockpit.buses:
        rate = cockpit.frames_per_s.get(str(row.get("name")), 0.0)
        parts.append(f"{row.get('name')} {row.get('state')} {rate:.0f}/s {row.get('drops', 0)} drops")
    if cockpit.silence_s(now_s) > 3.0:
        parts.append(f"silent for {cockpit.silence_s(now_s):.0f} s")
    return words.plain(" | ".join(parts))


def _headline(cockpit: Cockpit) -> list[tuple[str, str]]:
    known = [
        ("speed", groups.SPEED.path),
        ("engine", groups.RPM.path),
        ("coolant", groups.ENGINE_GROUP[0].path),
        ("accuracy", groups.POSITION[3].path),
    ]
    found = [(label, path) for label, path in known if path in cockpit.signals]
    return found or [(path.rpartition(".")[2], path) for path in sorted(cockpit.signals)[:4]]


def _reading(cockpit: Cockpit, path: str, label: str, now_s: float) -> str:
    shown = cockpit.signals[path]
    if shown.quality == "unavailable":
        return f"{label} unavailable"
    age = words.age(cockpit.age_s(shown, now_s))
    unit = words.unit(shown.unit)
    text = f"{label} {words.value(shown.value, 1)}{' ' + unit if unit else ''} ({shown.quality}, {age})"
    if path == groups.SPEED.path:
        text += f" | gear {words.gear(cockpit.number(groups.SELECTED), cockpit.number(groups.CURRENT))}"
    return text
