# SPDX-License-Identifier: Apache-2.0
"""`cockpitctl gnss`: the satellite receiver as the GNSS reader sees it, and the position that comes of it.

JSON: {"version", "positioning": satellites|estimated|stale|lost|none, "position": {latitude, longitude,
altitude, heading, horizontal_accuracy, timestamp, fix_type, ground_speed: each {value, quality, time_us}},
"receiver": {state, since_us, reason, device, baudrate, protocol, model, firmware, setup}, "rate_hz",
"time_to_first_fix_s" (null before it), "satellites": [{constellation, number, elevation_deg, azimuth_deg,
cn0_dbhz, used}], "counters": {…}, "dead_reckoning": {ready, heading_error, yaw_bias, yaw_scale,
speed_scale}}.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import Any

from smartcockpit.bus.client import GnssClient, GnssState, Reading
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.declare import spec_of
from smartcockpit.bus.interfaces.gnss1 import Gnss1
from smartcockpit.bus.interfaces.signals1 import Signals1
from smartcockpit.cli import output, text
from smartcockpit.core.record import as_dict

PATHS = {
    "latitude": "Vehicle.CurrentLocation.Latitude",
    "longitude": "Vehicle.CurrentLocation.Longitude",
    "altitude": "Vehicle.CurrentLocation.Altitude",
    "heading": "Vehicle.CurrentLocation.Heading",
    "horizontal_accuracy": "Vehicle.CurrentLocation.HorizontalAccuracy",
    "timestamp": "Vehicle.CurrentLocation.Timestamp",
    "fix_type": "Vehicle.CurrentLocation.GNSSReceiver.FixType",
    "ground_speed": "Vehicle.SmartCockpit.Location.GroundSpeed",
}
ERRORS = ("checksum", "garbage_bytes", "too_long", "malformed", "implausible", "jumps", "corrected_dates")


async def run(options: argparse.Namespace, bus: BusConnection) -> int:
    """Show once, or again and again with --watch."""
    while True:
        state, readings = await GnssClient(bus).state(), await position(bus)
        if options.json:
            body = as_json(state, readings)
            print(output.line(body) if options.watch else output.document(body), flush=True)
        else:
            show(state, readings, options.satellites, clear=options.watch and sys.stdout.isatty())
        if not options.watch:
            return 0
        await asyncio.sleep(options.interval)


async def position(bus: BusConnection) -> dict[str, Reading]:
    """Return the readings of `PATHS` by their short names; asks the GNSS reader alone."""
    owner, signals = spec_of(Gnss1).name, spec_of(Signals1)
    (rows,) = await bus.call_declared(owner, signals.methods["Get"], signals.path, list(PATHS.values()))
    return {name: Reading.from_wire(row, owner) for name, row in zip(PATHS, rows, strict=True)}


def as_json(state: GnssState, readings: dict[str, Reading]) -> dict[str, Any]:
    """Return everything with the documented keys."""
    receiver = as_dict(state.receiver)
    receiver["since_us"] = receiver.pop("since")
    return {
        "version": state.version,
        "positioning": state.positioning,
        "position": {
            name: {"value": r.value, "quality": r.quality.label, "time_us": r.time_us}
            for name, r in readings.items()
        },
        "receiver": receiver,
        "rate_hz": state.rate,
        "time_to_first_fix_s": state.time_to_first_fix if state.time_to_first_fix >= 0 else None,
        "satellites": [row._asdict() for row in state.satellites],
        "counters": as_dict(state.counters),
        "dead_reckoning": as_dict(state.dead_reckoning),
    }


def show(state: GnssState, readings: dict[str, Reading], each: bool, clear: bool) -> None:
    """Print the tables for people; of the counters only those that tell of something wrong."""
    if clear:
        print("\x1b[H\x1b[J", end="")
    receiver = state.receiver
    since = text.age_text(time.time() - receiver.since / 1e6) if receiver.since else "–"
    head = ("RECEIVER", "STATE", "SINCE", "PROTOCOL", "BIT/S", "HZ", "MODEL", "FIRST FIX")
    first = "–" if state.time_to_first_fix < 0 else f"{state.time_to_first_fix:.1f} s"
    row = (
        receiver.device or "–", receiver.state, since, receiver.protocol or "–",
        str(receiver.baudrate or "–"), f"{state.rate:g}", receiver.model or "–", first,
    )  # fmt: skip
    print(text.table(head, [row], right=(4, 5)))
    if receiver.reason:
        print(text.plain(receiver.reason))
    used = sum(row.used for row in state.satellites)
    print(f"position by {state.positioning}, {used} of {len(state.satellites)} satellites used")
    rows = [(name.replace("_", " "), _value(r), r.quality.label, _age(r)) for name, r in readings.items()]
    print(text.table(("POSITION", "VALUE", "QUALITY", "AGE"), rows, right=(1, 3)))
    if each:
        print(_satellites(state))
    counters = as_dict(state.counters)
    if seen := [f"{counters[key]} {key.replace('_', ' ')}" for key in ERRORS if counters[key]]:
        print("wrong so far: " + ", ".join(seen))
    sys.stdout.flush()


def _value(reading: Reading) -> str:
    if not reading.time_us:
        return "–"
    if isinstance(reading.value, float) and reading.path.endswith("itude") and "Alt" not in reading.path:
        return f"{reading.value:.6f}"
    return text.value_text(reading.value)


def _age(reading: Reading) -> str:
    return text.age_text(time.time() - reading.time_us / 1e6) if reading.time_us else "never"


def _satellites(state: GnssState) -> str:
    rows = [
        (s.constellation, str(s.number), *map(_number, s[2:5]), "yes" if s.used else "no")
        for s in state.satellites
    ]
    head = ("SYSTEM", "NUMBER", "ELEVATION", "AZIMUTH", "C/N0", "USED")
    return text.table(head, rows, right=(1, 2, 3, 4))


def _number(value: float) -> str:
    return text.number_text(value) or "–"
