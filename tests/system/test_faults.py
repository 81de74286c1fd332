# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in a car, done to the booted box: what its users see meanwhile, and that it recovers.

Out of reach here: a controller that counts itself into bus-off, as QEMU's wire knows no errors; the error
frame that a driver would send up comes from `cansend`. And a restart of the message bus, which takes half of a
systemd machine with it; tests/component/bus does that on a bus of its own.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from smartcockpit_bench.car.source import CarSource
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.wire import CarWire
from support.flood import Viewer

from .test_car import UNAVAILABLE, VALID, car, until  # noqa: F401

STALE, INVALID = 2, 1
BRIDGE = "smartcockpit-canbridge.service"
REQUEST = "/run/smartcockpit-canbridge/restart/can1"
SPEED, BEAM = "Vehicle.Speed", "Vehicle.Body.Lights.Beam.Low.IsOn"
CALL = "busctl call org.smartcockpit.CanBridge1 /org/smartcockpit/Signals1 "


async def sh(box: Box, script: str) -> str:
    return await asyncio.to_thread(box.agent.sh, script)


async def journal(box: Box, since: str, match: str) -> list[dict[str, Any]]:
    """Return the entries after the cursor `since`."""
    said = await sh(box, f"journalctl --boot --output=json --after-cursor='{since}' {match}")
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


async def states_of_body(box: Box, since: str) -> list[str]:
    return [entry["SC_STATE"] for entry in await journal(box, since, "SC_BUS=body")]


async def cursor(box: Box) -> str:
    said = await sh(box, "journalctl --boot --lines=0 --show-cursor")
    return said.partition("cursor: ")[2].strip()


@asynccontextmanager
async def watched(box: Box, path: str) -> AsyncIterator[list[str]]:
    """Run `cockpitctl signals watch` in the guest meanwhile; fills the list with the qualities it showed."""
    seen: list[str] = []
    await sh(
        box, f"systemd-run --unit=watch --property=StandardOutput=file:/run/watch "
        f"cockpitctl signals watch --json {path}"
    )  # fmt: skip
    await asyncio.sleep(3)
    try:
        yield seen
    finally:
        said = await sh(
            box, "systemctl is-active watch >&2; systemctl stop watch; cat /run/watch; rm /run/watch"
        )
        rows = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
        seen += [quality for quality, _ in itertools.groupby(row["quality"] for row in rows)]
        assert "\nactive" in f"\n{said}", "the watch has ended"


def test_systemd_has_nothing_to_complain_of(box: Box) -> None:
    said = box.agent.sh("journalctl --boot --priority=warning --output=cat SYSLOG_IDENTIFIER=systemd")
    assert [line for line in said.splitlines() if line != "-- No entries --"] == []


@pytest.mark.usefixtures("car")
async def test_bus_off_is_restarted_with_growing_pauses(box: Box) -> None:
    await until(box, BEAM, VALID)
    start = await cursor(box)
    async with watched(box, BEAM) as seen:
        # Without the helper the bridge asks again and again: the times of its requests.
        await sh(box, "systemctl stop smartcockpit-can-restart.path")
        try:
            times = await sh(
                box,
                "cansend can1 20000040#0000000000000000; for i in 1 2 3 4 5; do "
                f"while ! rm {REQUEST} 2>/dev/null; do sleep 0.02; done; cut -d' ' -f1 /proc/uptime; done",
            )
        finally:
            await sh(box, "systemctl start smartcockpit-can-restart.path")
        async with asyncio.timeout(60):
            while "error-active" not in (states := await states_of_body(box, start)):
                await asyncio.sleep(0.5)
        await until(box, BEAM, VALID)
    requests = [float(word) for word in times.split()]
    pauses = [b - a for a, b in itertools.pairwise(requests)]
    # Each is twice the one before; a request may be seen late, so two next to each other say little.
    assert pauses[-1] > 2 * pauses[0], pauses
    # The virtual wire still carries frames, which a controller that is off would not get: hence no order.
    assert {"valid", "unavailable"} == set(seen)
    assert seen[-1] == "valid"
    assert (states[0], states[-1]) == ("bus-off", "error-active")
    assert await sh(box, f"ls {REQUEST} 2>/dev/null") == ""


@pytest.mark.usefixtures("car")
async def test_controller_that_is_unplugged_and_plugged_in_is_picked_up(box: Box) -> None:
    await until(box, SPEED, VALID)
    device = (await sh(box, "basename $(readlink /sys/class/net/can0/device)")).strip()
    try:
        await sh(box, f"echo {device} > /sys/bus/pci/drivers/kvaser_pci/unbind")
        await until(box, SPEED, UNAVAILABLE)
    finally:
        await sh(box, f"echo {device} > /sys/bus/pci/drivers/kvaser_pci/bind")
    await until(box, SPEED, VALID)


@pytest.mark.usefixtures("car")
async def test_virtual_bus_that_is_deleted_and_made_anew_is_picked_up(box: Box) -> None:
    start = await cursor(box)
    try:
        await sh(box, "ip link delete can1")
        await until(box, BEAM, UNAVAILABLE)
    finally:
        await sh(box, "ip link add can1 type vcan")  # networkd configures it, as at boot
    await until(box, BEAM, VALID)
    reasons = [entry["SC_REASON"] for entry in await journal(box, start, "SC_BUS=body")]
    assert "there is no interface can1" in reasons


@pytest.mark.usefixtures("car")
@pytest.mark.parametrize("way", ["KILL", "STOP"])
async def test_bridge_that_dies_or_hangs_is_replaced_and_its_readers_go_on(box: Box, way: str) -> None:
    """SIGSTOP is for the watchdog: 20 s."""
    await until(box, SPEED, VALID)
    start = await cursor(box)
    before = int(await sh(box, f"systemctl show --value --property=NRestarts {BRIDGE}"))
    with Viewer(box.view_socket) as viewer:
        async with watched(box, SPEED) as seen:
            await sh(box, f"systemctl kill --signal=SIG{way} {BRIDGE}")
            async with asyncio.timeout(90):
                while int(await sh(box, f"systemctl show --value --property=NRestarts {BRIDGE}")) == before:
                    await asyncio.sleep(0.5)
                while (await sh(box, f"systemctl is-active {BRIDGE}")).strip() != "active":
                    await asyncio.sleep(0.5)
            await until(box, SPEED, VALID)
            viewer.start()
            await asyncio.to_thread(viewer.wait, 30.0)
            await asyncio.sleep(1)
    assert seen[-3:] == ["valid", "unavailable", "valid"]
    messages = [entry["MESSAGE"] for entry in await journal(box, start, f"UNIT={BRIDGE}")]
    assert any("Watchdog timeout" in text for text in messages) == (way == "STOP")
    assert (await sh(box, "systemctl show --value --property=NRestarts box-view")).strip() == "0"


async def test_what_control_units_do_wrong_shows_in_the_quality(box: Box, car: CarSource) -> None:  # noqa: F811
    wrong = {
        "Vehicle.Powertrain.CombustionEngine.Speed": INVALID,
        "Vehicle.LowVoltageBattery.CurrentVoltage": INVALID,
        "Vehicle.Powertrain.Transmission.CurrentGear": STALE,
    }
    for path in wrong:
        await until(box, path, VALID)
    car.faults.bad_checksum.add("EngineStatus")
    car.faults.raw["ElectricalSystem", "BatteryVoltage"] = 2500  # 25 V, the limit is 20
    car.faults.stopped.add("Transmission")
    for path, expected in wrong.items():
        await until(box, path, expected)
    car.faults.clear()
    for path in wrong:
        await until(box, path, VALID)


async def test_garbage_on_the_cars_port_is_reported_and_skipped(box: Box) -> None:
    async with CarWire(box.car_socket) as wire:
        await wire.send_text(["no frame", "can0 XYZ#00", "can0 0A0#001122334455667788", "can9 0A0#00"])
        before = await wire.flush()
        await wire.send_text(["can1 230#0000000000000000"])
        assert await wire.flush() == before + 1
        assert wire.complaints


def test_batched_receive_works_in_the_sandbox(box: Box) -> None:
    """The bridge would fall back in silence but for its log; a twin with the same sandbox tells it outright."""
    code = (
        "from smartcockpit.adapters.socketcan import SocketCan\n"
        "source = SocketCan.open('can1', [1], fd_frames=True)\n"
        "source.receive()\n"
        "print(type(source._receiver).__name__)\n"
    )
    twin = "/run/systemd/system/smartcockpit-twin.service"
    service = "[Service]\nType=oneshot\nUser=smartcockpit-canbridge\nExecStart=python3 /run/twin.py\n"
    box.agent.run("/bin/sh", "-c", "cat > /run/twin.py", stdin=code)
    box.agent.run("/bin/sh", "-c", f"cat > {twin}", stdin=service)
    box.agent.sh(
        f"mkdir {twin}.d; cp /usr/lib/systemd/system/{BRIDGE}.d/* {twin}.d/;"
        "systemctl daemon-reload; systemctl start smartcockpit-twin"
    )
    said = box.agent.sh("journalctl --boot --output=cat --unit=smartcockpit-twin")
    denied = box.agent.sh("systemctl show --value --property=MemoryDenyWriteExecute smartcockpit-twin")
    box.agent.sh(f"rm -r /run/twin.py {twin} {twin}.d; systemctl daemon-reload")
    assert ("MmsgReceiver" in said, denied.strip()) == (True, "yes"), said
    assert "one by one" not in box.agent.sh(f"journalctl --boot --unit={BRIDGE}")


def test_journal_explains_itself(box: Box) -> None:
    said = box.agent.sh("journalctl --boot --catalog --unit=smartcockpit-canbridge.service SC_BUS=powertrain")
    assert " Subject: CAN bus powertrain works" in said


@pytest.mark.parametrize(
    ("groups", "get", "write"), [("--clear-groups", False, False), ("--groups=smartcockpit", True, False)]
)
def test_only_the_group_may_read_and_nobody_but_root_may_write(
    box: Box, groups: str, get: bool, write: bool
) -> None:
    somebody = f"setpriv --reuid=nobody --regid=nogroup {groups} "
    asked = box.agent.sh(f"{somebody}{CALL}org.smartcockpit.Signals1 Get as 1 {SPEED}; echo $?")
    wrote = box.agent.sh(f"{somebody}{CALL}org.smartcockpit.Signals1 Set 'a(sv)' 0")
    assert ("denied" not in asked, "denied" not in wrote) == (get, write)


@pytest.mark.usefixtures("car")
async def test_a_driving_car_writes_nothing_to_the_journal(box: Box) -> None:
    await until(box, SPEED, VALID)
    start = await cursor(box)
    await asyncio.sleep(6)
    assert [entry["MESSAGE"] for entry in await journal(box, start, "")] == []
