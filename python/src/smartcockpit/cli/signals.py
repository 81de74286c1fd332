# SPDX-License-Identifier: Apache-2.0
"""`cockpitctl signals list|get|watch`.

JSON keys. list: path, datatype, unit, kind, description, min, max, allowed. get and watch: path, value, unit,
quality, time_us (µs since the Unix epoch, 0 never received), owner; watch prints one object a line.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from smartcockpit.bus.client import Reading, SignalsClient
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.interfaces.signals1 import Description
from smartcockpit.cli import output, text
from smartcockpit.core.errors import UnavailableError, UnknownSignalError
from smartcockpit.core.nearest import did_you_mean


async def run(options: argparse.Namespace, bus: BusConnection) -> int:
    """Run the chosen `what`."""
    client = SignalsClient(bus)
    if options.what == "watch":
        return await watch(options, client)
    if options.what == "list":
        return show_list(options, await described(client, options.prefix))
    return show_readings(options, *await read(client, options.path))


async def described(client: SignalsClient, prefixes: Sequence[str]) -> list[Description]:
    """Describe what lies at or below `prefixes`; raises when nobody offers signals or one names nothing."""
    everything = list(await client.list(""))
    if not everything:
        raise UnavailableError("no daemon on the bus offers vehicle signals", "try: cockpitctl status")
    if not prefixes:
        return everything
    for prefix in prefixes:
        if not any(below(d.path, prefix) for d in everything):
            known = [d.path for d in everything] + branches(everything)
            hint = did_you_mean(prefix, known, "list all with: cockpitctl signals list")
            raise UnknownSignalError(f"no signal at or below {text.plain(prefix[:256])!r}", hint)
    return [d for d in everything if any(below(d.path, prefix) for prefix in prefixes)]


def below(path: str, prefix: str) -> bool:
    """Return whether `path` is `prefix` or lies below it; a trailing dot or `*` is forgiven."""
    prefix = prefix.rstrip("*").rstrip(".")
    return not prefix or path == prefix or path.startswith(prefix + ".")


def branches(described: Sequence[Description]) -> list[str]:
    """Return the branches that the signals live in, each once."""
    found: dict[str, None] = {}
    for entry in described:
        parts = entry.path.split(".")
        found.update((".".join(parts[:n]), None) for n in range(1, len(parts)))
    return list(found)


async def read(client: SignalsClient, prefixes: Sequence[str]) -> tuple[list[Reading], dict[str, str]]:
    """Return the readings at or below `prefixes`, and the unit of each path."""
    wanted = await described(client, prefixes)
    readings = await client.get([d.path for d in wanted])
    return readings, {d.path: d.unit for d in wanted}


def show_list(options: argparse.Namespace, found: Sequence[Description]) -> int:
    """Print descriptions."""
    found = [d for d in found if options.kind in (None, d.kind)]
    if options.json:
        keys = ("path", "datatype", "signature", "unit", "kind", "description", "min", "max", "allowed")
        print(output.document([dict(zip(keys, d, strict=True)) for d in found]))
        return 0
    rows = [(d.path, d.datatype, d.unit, d.kind, _limits(d)) for d in found]
    print(text.table(("SIGNAL", "DATATYPE", "UNIT", "KIND", "LIMITS"), rows))
    return 0


def _limits(entry: Description) -> str:
    if entry.allowed:
        return " | ".join(entry.allowed)
    low, high = text.number_text(entry.minimum), text.number_text(entry.maximum)
    return f"{low} … {high}".strip() if low or high else ""


def as_json(reading: Reading, units: dict[str, str]) -> dict[str, object]:
    """Return a reading with the documented keys."""
    return {
        "path": reading.path, "value": reading.value, "unit": units.get(reading.path, ""),
        "quality": reading.quality.label, "time_us": reading.time_us, "owner": reading.owner,
    }  # fmt: skip


def show_readings(options: argparse.Namespace, readings: Sequence[Reading], units: dict[str, str]) -> int:
    """Print readings once."""
    readings = [r for r in readings if options.quality in (None, r.quality.label)]
    if options.json:
        print(output.document([as_json(r, units) for r in readings]))
        return 0
    rows = [_row(r, units) for r in readings]
    print(text.table(("SIGNAL", "VALUE", "UNIT", "QUALITY", "AGE"), rows, right=(1, 4)))
    return 0


def _row(reading: Reading, units: dict[str, str]) -> tuple[str, ...]:
    never = reading.quality.label == "unavailable" and not reading.time_us
    value = "–" if never else text.value_text(reading.value)
    age = text.age_text(time.time() - reading.time_us / 1e6) if reading.time_us else "never"
    return reading.path, value, units.get(reading.path, ""), reading.quality.label, age


async def watch(options: argparse.Namespace, client: SignalsClient) -> int:
    """Print changes until Ctrl-C, or until `--count` lines are out."""
    units = {d.path: d.unit for d in await described(client, options.prefix)}
    width = max(len(path) for path in units)
    left = options.count or sys.maxsize
    colour = text.colour_wanted(sys.stdout)
    prefixes = [prefix.rstrip("*").rstrip(".") for prefix in options.prefix] or [""]
    async for batch in client.watch(prefixes):
        for reading in batch:
            print(
                output.line(as_json(reading, units)) if options.json else _line(reading, units, width, colour)
            )
            left -= 1
            if not left:
                return 0
        sys.stdout.flush()
    return 0


def _line(reading: Reading, units: dict[str, str], width: int, colour: bool) -> str:
    when = reading.time_us / 1e6 if reading.time_us else time.time()
    clock = time.strftime("%H:%M:%S", time.localtime(when)) + f".{int(when * 1000) % 1000:03d}"
    quality = reading.quality.label
    value = f"{text.plain(text.value_text(reading.value)):>10} {units.get(reading.path, ''):<9}"
    shown = text.paint(quality, text.STATE_COLOURS[quality]) if colour else quality
    return f"{clock}  {reading.path:<{width}}  {value} {shown}"
