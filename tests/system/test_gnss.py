# SPDX-License-Identifier: Apache-2.0
"""The car's position in the booted box, held against where the simulated car truly is."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.qemu.machine import RECEIVER
from support.car_drive import Drive, positions, sh, under_way, watch_positions

START_S = 88.0
"""The drive begins on the country road, a minute before the tunnel."""
AFTER_TUNNEL_S = 180.0
PATIENCE_S = 60.0


@pytest_asyncio.fixture
async def car(box: Box) -> AsyncIterator[Drive]:
    async with under_way(box, Drive.demo(START_S)) as drive:
        yield drive


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


async def test_tunnel_is_driven_through_by_the_cars_own_motion(box: Box, car: Drive) -> None:
    found = await until(box, "satellites", "fix")
    assert (found["receiver"]["protocol"], found["receiver"]["model"]) == ("UBX", "NEO-M9N")
    assert found["receiver"]["device"] == "/dev/gnss0"
    await watch_positions(box)
    await car.until(AFTER_TUNNEL_S)
    seen = await positions(box)
    estimated = False
    by_satellites, in_tunnel = [], []
    for moment in seen:
        estimated = moment.get("IsEstimated", estimated)
        (in_tunnel if estimated else by_satellites).append(
            (car.error_m(moment), moment["HorizontalAccuracy"])
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
    # 5 Hz, or what fits the rate that was found: the emulated line works at any.
    assert car.receiver.period_s < 1.0, "it was not set up anew"


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


async def test_a_clock_that_is_decades_off_is_put_right(box: Box, car: Drive) -> None:
    """What a machine without a clock chip wakes up with."""
    await until(box, "satellites", "fix")
    await sh(box, "systemctl stop chrony; date -s 2001-01-01; systemctl start chrony")
    try:
        end = asyncio.get_running_loop().time() + PATIENCE_S
        off_s = math.inf
        while abs(off_s) > 1 and asyncio.get_running_loop().time() < end:
            before_s = time.time()
            off_s = float(await sh(box, "date +%s.%N")) - (before_s + time.time()) / 2
        assert abs(off_s) <= 1, await sh(box, "chronyc -n sources; date; journalctl -b -u chrony | tail")
        assert "#,*,GNSS" in await sh(box, "chronyc -nc sources")
    finally:
        await sh(box, f"systemctl stop chrony; date -s @{time.time()}; systemctl start chrony")
    await until(box, "satellites", "fix")


async def test_only_the_readers_group_may_ask_for_the_position(box: Box) -> None:
    call = (
        "busctl call org.smartcockpit.Gnss1 /org/smartcockpit/Signals1 org.smartcockpit.Signals1 Get as 1 "
        "Vehicle.CurrentLocation.Latitude"
    )
    somebody = "setpriv --reuid=nobody --regid=nogroup"
    assert "denied" in await sh(box, f"{somebody} --clear-groups {call}")
    assert "denied" not in await sh(box, f"{somebody} --groups=smartcockpit {call}")
