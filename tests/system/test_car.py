# SPDX-License-Identifier: Apache-2.0
"""The simulated car past the box: frames in at the host's end, signals out on the guest's system bus."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from smartcockpit_bench.car.source import CarSource
from smartcockpit_bench.places import ROOT
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.simulate import simulate
from smartcockpit_bench.wire import CarWire

GET = (
    "busctl --json=short call org.smartcockpit.CanBridge1 /org/smartcockpit/Signals1 "
    "org.smartcockpit.Signals1 Get as 1 {path}"
)
VALID, UNAVAILABLE = 3, 0
PATIENCE_S = 60.0


@pytest_asyncio.fixture
async def car(box: Box) -> AsyncIterator[CarSource]:
    """A car that drives past the box for the length of a test."""
    source = CarSource.of(ROOT / "dbc" / "demo")
    async with CarWire(box.car_socket) as wire:
        driving = asyncio.create_task(simulate(source, wire))
        yield source
        driving.cancel()
        await asyncio.gather(driving, return_exceptions=True)


async def quality(box: Box, path: str) -> int:
    """Ask the bridge with systemd's own tool for the quality of a signal."""
    said = await asyncio.to_thread(box.agent.sh, GET.format(path=path))
    return int(json.loads(said)["data"][0][0][2])


async def until(box: Box, path: str, wanted: int) -> None:
    end = asyncio.get_running_loop().time() + PATIENCE_S
    while (found := await quality(box, path)) != wanted:
        assert asyncio.get_running_loop().time() < end, f"{path} has quality {found}, not {wanted}"
        await asyncio.sleep(0.5)


@pytest.mark.usefixtures("car")
async def test_speed_becomes_valid_on_the_system_bus(box: Box) -> None:
    await until(box, "Vehicle.Speed", VALID)


@pytest.mark.usefixtures("car")
async def test_signals_of_the_fd_bus_become_valid(box: Box) -> None:
    await until(box, "Vehicle.Body.Lights.Beam.Low.IsOn", VALID)


@pytest.mark.usefixtures("car")
async def test_link_down_makes_signals_unavailable_and_link_up_brings_them_back(box: Box) -> None:
    await until(box, "Vehicle.Speed", VALID)
    await asyncio.to_thread(box.agent.sh, "ip link set can0 down")
    try:
        await until(box, "Vehicle.Speed", UNAVAILABLE)
    finally:
        await asyncio.to_thread(box.agent.sh, "ip link set can0 up")
    await until(box, "Vehicle.Speed", VALID)


@pytest.mark.usefixtures("car")
async def test_a_stock_client_can_subscribe_to_one_branch(box: Box) -> None:
    await until(box, "Vehicle.Speed", VALID)
    rule = "type=signal,interface=org.smartcockpit.Signals1,arg0namespace=Vehicle.Chassis"
    script = f"timeout 10 busctl monitor --json=short --match '{rule}' | grep -m 5 Changed"
    heard = await asyncio.to_thread(box.agent.sh, script)
    branches = {json.loads(line)["payload"]["data"][0] for line in heard.splitlines() if line.startswith("{")}
    assert branches
    assert all(branch.startswith("Vehicle.Chassis") for branch in branches)


@pytest.mark.usefixtures("car")
async def test_memory_of_all_daemons_together(box: Box) -> None:
    """Proportional set size while the car drives; player and sound server, which others wrote, are printed only."""
    await until(box, "Vehicle.Speed", VALID)
    script = (
        "for unit in $(systemctl list-units --plain --no-legend --state=running 'smartcockpit-*.service' | cut -d' ' -f1);"
        " do pid=$(systemctl show --value --property=MainPID $unit);"
        " echo $unit $(sed -n 's/^Pss: *//p' /proc/$pid/smaps_rollup); done"
    )
    said = await asyncio.to_thread(box.agent.sh, script)
    mb = {row[0][13:-8]: int(row[1]) / 1024 for row in map(str.split, said.splitlines())}
    print(mb)
    budgets = tomllib.loads((ROOT / "tests/perf/budgets.toml").read_text())
    ours = {name: mb[name] for name in budgets["daemons"]}
    assert sum(ours.values()) <= budgets["all"]["pss_mb"], ours


@pytest.mark.usefixtures("car")
async def test_cockpitctl_lists_the_buses(box: Box) -> None:
    done = await asyncio.to_thread(box.agent.run, "cockpitctl", "can", "--json")
    assert {row["name"] for row in json.loads(done.out)["buses"]} >= {"powertrain", "body"}
    assert json.loads(done.out)["decoder"] == "native", "the sandbox, or the image, keeps the C library out"


def test_nothing_was_ever_transmitted_by_the_cockpit(box: Box) -> None:
    for name in ("can0",):
        sent = box.agent.sh(f"cat /sys/class/net/{name}/statistics/tx_packets").strip()
        assert sent == "0"
