# SPDX-License-Identifier: Apache-2.0
"""`cockpitctl can`: the CAN buses as the canbridge sees them.

JSON: {"vehicle": …, "version": …, "decoder": "native" or "python", "buses": [{name, interface, state,
since_us, reason, bitrate, data_bitrate, load_percent (null when not known), frames, unchanged, drops,
error_frames, bus_off, restarts, rx_errors, tx_errors, unknown_id, short_frame, unknown_mux, checksum_errors,
counter_errors, out_of_range, first_frame_us (since the kernel started, 0: none yet)}]}.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from typing import Any

from smartcockpit.bus.client import CanBridgeClient, CanBridgeState
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.interfaces.canbridge1 import BusCounters, BusStatus
from smartcockpit.cli import output, text
from smartcockpit.core.errors import UsageError
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.record import as_dict

ERROR_COUNTERS = (
    "error_frames", "unknown_id", "short_frame", "unknown_mux", "checksum_errors", "counter_errors",
    "out_of_range",
)  # fmt: skip


def as_json(name: str, state: CanBridgeState) -> dict[str, Any]:
    """Return one bus with the documented keys."""
    status = as_dict(state.buses.get(name) or BusStatus(interface="", state="unavailable"))
    status["since_us"] = status.pop("since")
    counters = as_dict(state.counters.get(name) or BusCounters())
    counters["first_frame_us"] = counters.pop("first_frame")
    return {"name": name, **status, "load_percent": state.load.get(name), **counters}


async def run(options: argparse.Namespace, bus: BusConnection) -> int:
    """Show once, or again and again with --watch."""
    client = CanBridgeClient(bus)
    while True:
        state = await client.state()
        rows = [as_json(name, state) for name in chosen(options.buses, state)]
        if options.json:
            about = {"vehicle": state.vehicle, "version": state.version, "decoder": state.decoder}
            body = {**about, "buses": rows}
            print(output.line(body) if options.watch else output.document(body), flush=True)
        else:
            show(rows, state, clear=options.watch and sys.stdout.isatty())
        if not options.watch:
            return 0
        await asyncio.sleep(options.interval)


def chosen(wanted: list[str], state: CanBridgeState) -> list[str]:
    """Return the buses that were asked for (default all); raises `UsageError` with the nearest name."""
    for name in wanted:
        if name not in state.buses:
            hint = did_you_mean(name, state.buses, "known are: " + (", ".join(state.buses) or "none"))
            raise UsageError(f"the vehicle {state.vehicle!r} has no bus {name[:64]!r}", hint)
    return wanted or list(state.buses)


def show(rows: list[dict[str, Any]], state: CanBridgeState, clear: bool) -> None:
    """Print the tables for people: the buses, then only those errors that happened."""
    if clear:
        print("\x1b[H\x1b[J", end="")
    head = ("BUS", "INTERFACE", "STATE", "SINCE", "KBIT/S", "LOAD", "FRAMES", "UNCHANGED", "DROPS", "ERRORS")
    print(f"vehicle {text.plain(state.vehicle) or '–'}, decoder {text.plain(state.decoder)}")
    print(text.table(head, [_row(row) for row in rows], right=(4, 5, 6, 7, 8, 9)))
    for row in rows:
        if row["reason"]:
            print(f"{row['name']}: {text.plain(row['reason'])}")
        seen = [f"{row[key]} {key.replace('_', ' ')}" for key in ERROR_COUNTERS if row[key]]
        if seen:
            print(f"{row['name']}: {', '.join(seen)}")
    sys.stdout.flush()


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    since = text.age_text(time.time() - row["since_us"] / 1e6) if row["since_us"] else "–"
    rate = f"{row['bitrate'] / 1000:g}" if row["bitrate"] else "–"
    if row["data_bitrate"]:
        rate += f"/{row['data_bitrate'] / 1000:g}"
    load = "–" if row["load_percent"] is None else f"{row['load_percent']:.1f} %"
    errors = sum(row[key] for key in ERROR_COUNTERS)
    return (
        row["name"], row["interface"], row["state"], since, rate, load, str(row["frames"]),
        str(row["unchanged"]), str(row["drops"]), str(errors),
    )  # fmt: skip
