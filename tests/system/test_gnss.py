# SPDX-License-Identifier: Apache-2.0
"""The car's position in the booted box, held against where the simulated car truly is.

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
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest_asyncio
from smartcockpit.core.gnss.geodesy import between
from smartcockpit_bench.car.source import CarSource
from smartcockpit_bench.frame import Frame
from smartcockpit_bench.gnss.feed import feed
from smartcockpit_bench.gnss.receiver import SimulatedReceiver
from smartcockpit_bench.places import ROOT
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.qemu.machine import RECEIVER
from smartcockpit_bench.simulate import simulate
from smartcockpit_bench.wire import CarWire

START_S = 88.0
"""The drive begins on the country road, a minute before the tunnel."""
AFTER_TUNNEL_S = 180.0
PATIENCE_S = 60.0
LOG = "/run/gnss-watch"
BRANCHES = "Vehicle.CurrentLocation Vehicle.SmartCockpit.Location"


@dataclass
class Drive:
    """A car that is under way; `due` makes it begin at `START_S`."""

    source: CarSource
    receiver: SimulatedReceiver = field(default_factory=SimulatedReceiver)
    truth: list[tuple[float, float, float]] = field(default_factory=list)
    ended: bool = False

    def due(self, until_s: float) -> list[Frame]:
        return self.source.due(START_S + until_s)

    @property
    def time_s(self) -> float:
        return self.source.car.state.time_s

    async def remember(self) -> None:
        """Keep where the car was when."""
        while True:
            motion = self.source.car.state.motion
            self.truth.append((time.time(), motion.latitude_deg, motion.longitude_deg))
            await asyncio.sleep(0.02)

    def was_at(self, utc_s: float) -> tuple[float, float]:
        at = bisect(self.truth, (utc_s,))
        return self.truth[min(at, len(self.truth) - 1)][1:]


@pytest_asyncio.fixture
async def car(box: Box) -> AsyncIterator[Drive]:
    source = CarSource.of(ROOT / "dbc" / "demo")
    source.due(START_S)
    drive = Drive(source)
    async with CarWire(box.car_socket) as wire:
        tasks = [
            asyncio.create_task(simulate(drive, wire)),
            asyncio.create_task(feed(box.gnss_socket, source.car, drive.receiver)),
            asyncio.create_task(drive.remember()),
        ]
        yield drive
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def sh(box: Box, script: str) -> str:
    return await asyncio.to_thread(box.agent.sh, script)


async def state(box: Box) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await sh(box, "cockpitctl gnss --json"))
    return found


async def until(box: Box, positioning: str, receiver: str) -> dict[str, Any]:
    end = asyncio.get_running_loop().time() + PATIENCE_S
    while True:
        found = await state(box)
        if (found["positioning"], found["receiver"]["state"]) == (positioning, receiver):
            return found
        assert asyncio.get_running_loop().time() < end, (found["positioning"], found["receiver"])
        await asyncio.sleep(0.3)


async def watch(box: Box) -> None:
    await sh(
        box, f"systemd-run --unit=gnss-watch --property=StandardOutput=truncate:{LOG} "
        f"cockpitctl signals watch --json {BRANCHES}"
    )  # fmt: skip


async def moments(box: Box) -> list[dict[str, Any]]:
    """End the watch; return what it saw, one dictionary of valid values for each time."""
    said = await sh(box, f"systemctl stop gnss-watch; grep -v ObjectPath {LOG}")
    rows = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    found = []
    for _, group in itertools.groupby(rows, key=lambda row: row["time_us"]):
        moment = {r["path"].rpartition(".")[2]: r["value"] for r in group if r["quality"] == "valid"}
        if {"Latitude", "Longitude", "HorizontalAccuracy", "Timestamp"} <= moment.keys():
            found.append(moment)
    return found


def error_m(moment: dict[str, Any], drive: Drive) -> float:
    utc_s = datetime.fromisoformat(moment["Timestamp"]).timestamp()
    here = (moment["Latitude"], moment["Longitude"])
    return math.hypot(*between(drive.was_at(utc_s), here))


async def test_tunnel_is_driven_through_by_the_cars_own_motion(box: Box, car: Drive) -> None:
    found = await until(box, "satellites", "fix")
    assert (found["receiver"]["protocol"], found["receiver"]["model"]) == ("UBX", "NEO-M9N")
    assert found["receiver"]["device"] == "/dev/gnss0"
    await watch(box)
    while car.time_s < AFTER_TUNNEL_S:
        await asyncio.sleep(0.5)
    seen = await moments(box)
    estimated = False
    by_satellites, in_tunnel = [], []
    for moment in seen:
        estimated = moment.get("IsEstimated", estimated)
        (in_tunnel if estimated else by_satellites).append(
            (error_m(moment, car), moment["HorizontalAccuracy"])
        )
    print(
        f"by satellites: {len(by_satellites)} positions, worst error {max(e for e, _ in by_satellites):.1f} m; "
        f"estimated: {len(in_tunnel)}, worst {max(e for e, _ in in_tunnel):.1f} m, "
        f"at the end {in_tunnel[-1][0]:.1f} m, claimed {in_tunnel[-1][1]:.1f} m"
    )
    assert len(by_satellites) > 100
    assert sum(e > 10.0 + 3 * claimed for e, claimed in by_satellites) == 0
    assert len(in_tunnel) > 60
    assert all(e < 50.0 for e, _ in in_tunnel)
    assert all(e <= claimed for e, claimed in in_tunnel)
    after = await until(box, "satellites", "fix")
    assert after["dead_reckoning"]["ready"]
    assert after["counters"]["malformed"] == after["counters"]["implausible"] == 0


async def test_receiver_that_is_unplugged_and_plugged_in_is_picked_up(box: Box, car: Drive) -> None:
    before = (await until(box, "satellites", "fix"))["counters"]["opened"]
    driver, _, options = RECEIVER.partition(",")
    words = dict(word.split("=", 1) for word in options.split(","))
    await asyncio.to_thread(box.monitor.execute, "device_del", id="receiver")
    try:
        gone = await until(box, "estimated", "unavailable")
        assert "/dev/gnss0" in gone["receiver"]["reason"]
    finally:
        await asyncio.sleep(1)
        await asyncio.to_thread(box.monitor.execute, "device_add", driver=driver, id="receiver", **words)
    back = await until(box, "satellites", "fix")
    assert back["counters"]["opened"] > before
    assert car.receiver.period_s == 0.2, "it was set up anew"


async def test_nothing_but_loss_without_can_and_sky(box: Box, car: Drive) -> None:
    await until(box, "satellites", "fix")
    await sh(box, "systemctl stop smartcockpit-canbridge")
    try:
        car.receiver.faults.no_sky = True
        found = await until(box, "lost", "no-fix")
        assert found["position"]["latitude"]["quality"] == "unavailable"
    finally:
        car.receiver.faults.no_sky = False
        await sh(box, "systemctl start smartcockpit-canbridge")
    await until(box, "satellites", "fix")


async def test_only_the_readers_group_may_ask_for_the_position(box: Box) -> None:
    call = (
        "busctl call org.smartcockpit.Gnss1 /org/smartcockpit/Signals1 org.smartcockpit.Signals1 Get as 1 "
        "Vehicle.CurrentLocation.Latitude"
    )
    somebody = "setpriv --reuid=nobody --regid=nogroup"
    assert "denied" in await sh(box, f"{somebody} --clear-groups {call}")
    assert "denied" not in await sh(box, f"{somebody} --groups=smartcockpit {call}")
