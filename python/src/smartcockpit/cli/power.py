# SPDX-License-Identifier: Apache-2.0
"""`cockpitctl power`: whether the cockpit is on, for how long, and who holds it up.

JSON: {state, reason, ignition, time_to_shutdown_s (null: not foreseen), battery, voltage_v (null: unknown),
gpio, lines: [{name, direction, line, state}], inhibitors: [{who, why, sender, since_us}], version}.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import Any

from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.power_client import PowerClient, PowerStatus
from smartcockpit.cli import output, text


def as_json(found: PowerStatus) -> dict[str, Any]:
    """Return the status with the documented keys."""
    return {
        "state": found.state,
        "reason": found.reason,
        "ignition": found.ignition,
        "time_to_shutdown_s": None if found.time_to_shutdown < 0 else found.time_to_shutdown,
        "battery": found.battery,
        "voltage_v": found.voltage,
        "gpio": found.lines,
        "lines": [row._asdict() for row in found.line_states],
        "inhibitors": [
            {"who": row.who, "why": row.why, "sender": row.sender, "since_us": row.since}
            for row in found.inhibitors
        ],
        "version": found.version,
    }


async def run(options: argparse.Namespace, bus: BusConnection) -> int:
    """Show once, or again and again with --watch."""
    client = PowerClient(bus)
    while True:
        found = await client.status()
        if options.json:
            body = as_json(found)
            print(output.line(body) if options.watch else output.document(body), flush=True)
        else:
            show(found, clear=options.watch and sys.stdout.isatty())
        if not options.watch:
            return 0
        await asyncio.sleep(options.interval)


def show(found: PowerStatus, clear: bool) -> None:
    """Print the tables for people."""
    if clear:
        print("\x1b[H\x1b[J", end="")
    left = "not foreseen" if found.time_to_shutdown < 0 else f"in {text.age_text(found.time_to_shutdown)}"
    volts = "" if found.voltage != found.voltage else f" at {found.voltage:.1f} V"  # NaN differs from itself
    rows = (
        ("state", found.state),
        ("reason", found.reason),
        ("ignition", found.ignition),
        ("shutdown", left),
        ("battery", f"{found.battery}{volts}"),
        ("gpio", found.lines),
    )
    print(text.table(("POWER", ""), rows))
    if found.line_states:
        print()
        lines = [(row.name, row.direction, str(row.line), row.state) for row in found.line_states]
        print(text.table(("LINE", "DIRECTION", "NUMBER", "STATE"), lines, right=(2,)))
    if found.inhibitors:
        print()
        held = [(row.who, row.why, row.sender, _since(row.since)) for row in found.inhibitors]
        print(text.table(("HELD UP BY", "WHY", "CALLER", "SINCE"), held))
    sys.stdout.flush()


def _since(since_us: int) -> str:
    return text.age_text(time.time() - since_us / 1e6) if since_us else "–"
