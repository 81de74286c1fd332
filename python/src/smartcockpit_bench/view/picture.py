# SPDX-License-Identifier: Apache-2.0
"""The whole picture for a terminal of any size: panels for a car that we know, a table for any other."""

from __future__ import annotations

from collections.abc import Sequence

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from smartcockpit_bench.view import groups, parts, words
from smartcockpit_bench.view.cockpit import Cockpit

BORDER = "grey37"
TWO_COLUMNS, THREE_COLUMNS = 76, 118
SHORT = 12
"""A terminal with fewer lines has no room for daemons and buses."""
QUIET_S = 3.0
"""The box is called silent after this."""


def picture(cockpit: Cockpit, now_s: float, width: int, height: int, car: str = "") -> RenderableType:
    """Draw `cockpit` into `width` × `height` characters; `car` is a word on the simulated car's side."""
    top = header(cockpit, now_s)
    bottom = footer(cockpit, car) if height >= SHORT else Table.grid()
    room = max(3, height - 1 - bottom.row_count - 2)
    if not cockpit.signals:
        waiting = Text(words.plain(cockpit.waiting) + " …", style="dim")
        return Group(top, Panel(waiting, border_style=BORDER), bottom)
    middle = body(cockpit, now_s, width, room)
    return Group(top, middle, bottom) if bottom.row_count else Group(top, middle)


def body(cockpit: Cockpit, now_s: float, width: int, room: int) -> RenderableType:
    """Return panels when the vehicle has what they show, else the table of all signals."""
    panels = known_panels(cockpit, now_s, width)
    if not panels:
        return further(cockpit, now_s, width, room + 2, list(cockpit.signals))
    if width < TWO_COLUMNS:
        return fit(panels, room + 2)
    columns = 3 if width >= THREE_COLUMNS else 2
    stacks: list[list[tuple[Panel, int]]] = [[] for _ in range(columns)]
    for panel, rows in panels:
        shortest = min(stacks, key=lambda stack: sum(n for _, n in stack))
        if sum(n for _, n in shortest) + rows <= room + 2:
            shortest.append((panel, rows))
    used = max(sum(n for _, n in stack) for stack in stacks)
    for stack in filter(None, stacks):
        panel, last = stack[-1]
        panel.height = last + used - sum(n for _, n in stack)  # all columns end on one line
    grid = Table.grid(expand=True)
    for _ in stacks:
        grid.add_column(ratio=1)
    grid.add_row(*(Group(*(panel for panel, _ in stack)) for stack in stacks))
    rest = [path for path in cockpit.signals if path not in groups.PLACED]
    if rest and room + 2 - used >= 5:
        return Group(grid, further(cockpit, now_s, width, room + 2 - used, rest))
    return grid


def known_panels(cockpit: Cockpit, now_s: float, width: int) -> list[tuple[Panel, int]]:
    """Return the panels with their height, most important first."""
    columns = 3 if width >= THREE_COLUMNS else 2 if width >= TWO_COLUMNS else 1
    inner = width // columns - 4
    bar_width = min(24, max(0, inner - 35))
    found: list[tuple[Panel, int]] = []
    drive = [item for item in groups.DRIVE if item.path in cockpit.signals]
    if groups.SPEED.path in cockpit.signals or drive:
        rows = parts.rows(cockpit, drive, now_s, bar_width)
        content = Group(speedometer(cockpit, now_s, inner), rows)
        found.append((_panel(content, "Drive"), 3 + rows.row_count + 2))
    if parts.has_any(cockpit, groups.DOOR_PATHS + groups.TYRES):
        panel = _panel(car_panel(cockpit, inner), "Car")
        panel.subtitle, panel.subtitle_align = parts.summary(cockpit, groups.CAR, now_s), "right"
        panel.height = 9
        found.append((panel, 9))
    more = (
        ("Engine", groups.ENGINE_GROUP),
        ("Position", groups.POSITION),
        ("Motion and climate", groups.MOTION),
    )
    for title, items in more:
        table = parts.rows(cockpit, items, now_s, bar_width)
        if table.row_count:
            found.append((_panel(table, title), table.row_count + 2))
    return found


def _panel(content: RenderableType, title: str) -> Panel:
    return Panel(content, title=title, title_align="left", border_style=BORDER, padding=(0, 1))


def fit(panels: Sequence[tuple[Panel, int]], room: int) -> RenderableType:
    """Stack as many panels as there is room for."""
    taken: list[RenderableType] = []
    for panel, rows in panels:
        if rows > room and (room >= 4 or not taken):
            panel.height = max(3, room)
        if room >= min(rows, 4) or not taken:
            taken.append(panel)
            room -= min(rows, room)
    return Group(*taken)


def speedometer(cockpit: Cockpit, now_s: float, inner: int) -> RenderableType:
    """Return the large speed and gear beside the speed's quality and age."""
    shown = cockpit.signals.get(groups.SPEED.path)
    speed = cockpit.number(groups.SPEED.path)
    style = "bold white" if shown and shown.quality == "valid" else "dim"
    digits = parts.large("–" if speed is None else f"{abs(speed):.0f}"[:4], style)
    gear = words.gear(cockpit.number(groups.SELECTED), cockpit.number(groups.CURRENT))
    letters = parts.large(gear, "bold cyan")
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(justify="right", width=11, no_wrap=True)
    grid.add_column(ratio=1, no_wrap=True)
    grid.add_column(justify="right", width=8, no_wrap=True)
    notes: list[RenderableType] = [Text(""), Text(""), Text("km/h", style=parts.LABEL)]
    if shown is not None:
        age = words.age(cockpit.age_s(shown, now_s))
        notes[0] = Text.assemble(parts.mark(shown), (f" {age}", parts.LABEL))
        notes[2] = Text(words.unit(shown.unit), style=parts.LABEL)
    if inner >= 30:
        notes[1] = parts.bar(speed, 0, 160, inner - 23)
    for row in zip(digits, notes, letters, strict=True):
        grid.add_row(*row)
    return grid


def car_panel(cockpit: Cockpit, inner: int) -> RenderableType:
    """Return the car from above beside its lamps."""
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(width=17, no_wrap=True)
    grid.add_column(ratio=1)
    grid.add_row(parts.car_from_above(cockpit), parts.lamps(cockpit) if inner >= 30 else Text(""))
    return grid


def further(cockpit: Cockpit, now_s: float, width: int, height: int, paths: Sequence[str]) -> RenderableType:
    """Return a table of `paths` in as many columns as fit, cut with a note at `height` lines."""
    columns = max(1, width // 60)
    capacity = max(1, (height - 2) * columns)
    shown_paths = sorted(paths)[:capacity]
    hidden = len(paths) - len(shown_paths)
    cell_width = (width - 4) // columns - 1
    cells = [_cell(cockpit, path, now_s, cell_width) for path in shown_paths]
    title = "Signals" if len(paths) == len(cockpit.signals) else "Further signals"
    note = f"{hidden} more: cockpitctl signals list" if hidden else None
    content = Columns(cells, width=cell_width, column_first=True, padding=(0, 1))
    return Panel(
        content, title=title, title_align="left", subtitle=note, subtitle_align="right", border_style=BORDER
    )


def _cell(cockpit: Cockpit, path: str, now_s: float, width: int) -> Text:
    shown = cockpit.signals[path]
    value = "–" if shown.quality == "unavailable" else words.value(shown.value)
    right = f"{value[:16]} {words.unit(shown.unit)[:5]:<5} "
    age = f"{words.age(cockpit.age_s(shown, now_s)):>4}"
    name = words.plain(path.removeprefix("Vehicle."))
    space = max(4, width - len(right) - len(age) - 3)
    if len(name) > space:
        name = "…" + name[-(space - 1) :]
    text = Text(f"{name:<{space}} ", style=parts.LABEL, no_wrap=True)
    text.append(right, style="bold" if shown.quality == "valid" else "dim")
    return text.append_text(parts.mark(shown)).append(f" {age}", style=parts.LABEL)


def header(cockpit: Cockpit, now_s: float) -> Table:
    """Return the title line: vehicle, number of signals and how they do, silence."""
    count = dict.fromkeys(words.MARKS, 0)
    for shown in cockpit.signals.values():
        count[shown.quality] += 1
    line = Text(" SmartCockpit", style="bold")
    if cockpit.vehicle:
        line.append(f"  {words.plain(cockpit.vehicle)}", style="cyan")
    right = Text(style=parts.LABEL)
    for quality, number in count.items():
        if number:
            right.append(f"{number} ").append(*words.MARKS[quality]).append("  ")
    if cockpit.lines and cockpit.silence_s(now_s) > QUIET_S:
        right = Text(f"the box is silent for {cockpit.silence_s(now_s):.0f} s ", style="yellow")
    grid = Table.grid(expand=True)
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_row(line, right)
    return grid


def footer(cockpit: Cockpit, car: str) -> Table:
    """Return daemons, buses and the boot time line, one line each."""
    grid = Table.grid(expand=True)
    grid.add_column(no_wrap=True, overflow="ellipsis")
    for row in cockpit.daemons[:6]:
        grid.add_row(_daemon_line(row))
    for row in cockpit.buses[:4]:
        grid.add_row(_bus_line(row, cockpit.frames_per_s.get(str(row.get("name")))))
    last = Text(" ")
    if cockpit.stages:
        last.append("boot ", style=parts.LABEL)
        words_of = [f"{name} {at_s:.1f} s" for name, at_s in cockpit.stages]
        last.append(" → ".join(map(words.plain, words_of)), style=parts.LABEL)
        if cockpit.slot:
            last.append(f"  slot {words.plain(cockpit.slot)}", style=parts.LABEL)
    if car:
        last.append(f"  {car}", style=parts.LABEL)
    if last.plain.strip():
        grid.add_row(last)
    return grid


def _daemon_line(row: dict[str, object]) -> Text:
    state = words.plain(str(row.get("state") or "unknown"))
    style = words.STATES.get(state, "dim")
    line = Text.assemble(
        (" ● ", style), (words.plain(f"{row.get('daemon', '?')!s:<10}"), "bold"), (f" {state:<12}", style)
    )
    memory = row.get("memory_bytes")
    if isinstance(memory, int):
        line.append(f" {memory / (1 << 20):.0f} MB", style=parts.LABEL)
    if row.get("restarts"):
        line.append(f"  {row['restarts']} restarts", style="yellow")
    line.append(f"  {words.plain(str(row.get('bus_name') or 'not on the bus'))}", style=parts.LABEL)
    return line


def _bus_line(row: dict[str, object], frames_per_s: float | None) -> Text:
    state = words.plain(str(row.get("state") or "unknown"))
    style = words.STATES.get(state, "dim")
    line = Text.assemble(
        (" ● ", style), (words.plain(f"{row.get('name', '?')!s:<10}"), "bold"), (f" {state:<12}", style)
    )
    if isinstance(load := row.get("load_percent"), int | float):
        line.append(f" {load:4.1f} %", style=parts.LABEL)
    if frames_per_s is not None:
        line.append(f" {frames_per_s:5.0f} frames/s", style=parts.LABEL)
    drops = row.get("drops")
    line.append(f"  {drops} dropped", style="red" if drops else parts.LABEL)
    if row.get("reason"):
        line.append(f"  {words.plain(str(row['reason']))}", style="yellow")
    return line
