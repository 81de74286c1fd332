# SPDX-License-Identifier: Apache-2.0
"""A recording on the buses of a vehicle folder: which of its channels is which bus, asked or guessed."""

from __future__ import annotations

import sys
from pathlib import Path

from smartcockpit_bench.drive import channels as channel_map
from smartcockpit_bench.drive.log import CanLog
from smartcockpit_bench.drive.replay import Replay


def recording(path: Path, vehicle: Path, *, channels: str = "") -> Replay:
    """Return the recording `path`, looped, with its channels on the buses of `vehicle`.

    `channels` is a map such as `vcan0=can0`; empty: guessed by identifiers, and the guess is said. Raises
    `UsageError` and `ConfigError` for files that cannot be used.
    """
    from smartcockpit.vehicle.compiler import compile_vehicle

    log = CanLog(path)
    compiled = compile_vehicle(vehicle)
    buses = [bus.channel for bus in compiled.plan.buses]
    if channels:
        found = channel_map.parse_map(channels, buses)
    else:
        ids = {
            bus: frozenset(m.can_id for m in compiled.messages if m.bus == number)
            for number, bus in enumerate(buses)
        }
        found = channel_map.guess(log.entries(), ids)
        said = ", ".join(f"{channel} → {bus}" for channel, bus in found.items())
        print(
            f"  {path.name}: {said or 'no channel fits'} (choose with ARGS='--map CHANNEL=BUS,…')",
            file=sys.stderr,
        )
    if warning := log.inspect():
        print(f"  {warning}", file=sys.stderr)
    return Replay(log, found)
