# SPDX-License-Identifier: Apache-2.0
"""A booted box in a simulated car that drives: CAN and satellites of one car, and the truth to hold positions against.

The guest's clock is the host's, so a position's own time says which truth it has to be compared with.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import time
from bisect import bisect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from smartcockpit.core.gnss.geodesy import between
from smartcockpit_bench.car.source import CarSource
from smartcockpit_bench.frame import Frame
from smartcockpit_bench.gnss.feed import feed
from smartcockpit_bench.gnss.receiver import SimulatedReceiver
from smartcockpit_bench.places import ROOT
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.simulate import simulate
from smartcockpit_bench.wire import CarWire

LOG = "/run/position-watch"
BRANCHES = "Vehicle.CurrentLocation Vehicle.SmartCockpit.Location"


@dataclass
class Drive:
    """A car that is under way from `start_s` of the demo drive on; at `end_s` time stands still for it."""

    source: CarSource
    start_s: float
    end_s: float = math.inf
    receiver: SimulatedReceiver = field(default_factory=SimulatedReceiver)
    truth: list[tuple[float, float, float]] = field(default_factory=list)
    ended: bool = False

    @classmethod
    def demo(cls, start_s: float, end_s: float = math.inf) -> Self:
        source = CarSource.of(ROOT / "dbc" / "demo")
        source.due(start_s)
        return cls(source, start_s, end_s)

    def due(self, until_s: float) -> list[Frame]:
        return self.source.due(min(self.start_s + until_s, self.end_s))

    @property
    def time_s(self) -> float:
        return self.source.car.state.time_s

    async def until(self, time_s: float) -> None:
        """Wait until the car is there."""
        while self.time_s < time_s:
            await asyncio.sleep(0.1)

    async def remember(self) -> None:
        """Keep where the car was when."""
        while True:
            motion = self.source.car.state.motion
            self.truth.append((time.time(), motion.latitude_deg, motion.longitude_deg))
            await asyncio.sleep(0.02)

    def was_at(self, utc_s: float) -> tuple[float, float]:
        at = bisect(self.truth, (utc_s,))
        return self.truth[min(at, len(self.truth) - 1)][1:]

    def error_m(self, moment: dict[str, Any]) -> float:
        """Return how far a position is from where the car was at the position's own time."""
        utc_s = datetime.fromisoformat(moment["Timestamp"]).timestamp()
        here = (moment["Latitude"], moment["Longitude"])
        return math.hypot(*between(self.was_at(utc_s), here))


@asynccontextmanager
async def under_way(box: Box, drive: Drive) -> AsyncIterator[Drive]:
    """Have `drive` take place around `box`."""
    async with CarWire(box.car_socket) as wire:
        tasks = [
            asyncio.create_task(simulate(drive, wire)),
            asyncio.create_task(feed(box.gnss_socket, drive.source.car, drive.receiver)),
            asyncio.create_task(drive.remember()),
        ]
        try:
            yield drive
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def sh(box: Box, script: str) -> str:
    return await asyncio.to_thread(box.agent.sh, script)


async def watch_positions(box: Box) -> None:
    """Have the box write down every position that it publishes."""
    await sh(
        box, f"systemd-run --unit=position-watch --property=StandardOutput=truncate:{LOG} "
        f"cockpitctl signals watch --json {BRANCHES}"
    )  # fmt: skip


async def positions(box: Box) -> list[dict[str, Any]]:
    """End the watch; return what it saw, one dictionary of valid values for each time."""
    said = await sh(box, f"systemctl stop position-watch; grep -v ObjectPath {LOG}")
    rows = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    found = []
    for _, group in itertools.groupby(rows, key=lambda row: row["time_us"]):
        moment = {r["path"].rpartition(".")[2]: r["value"] for r in group if r["quality"] == "valid"}
        if {"Latitude", "Longitude", "HorizontalAccuracy", "Timestamp"} <= moment.keys():
            found.append(moment)
    return found
