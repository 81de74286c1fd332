# SPDX-License-Identifier: Apache-2.0
"""Ignition, lines, linger, watchdog and power-off in a booted box, seen and done from the host alone.

A box of its own, because it goes off by itself in the end: tests here stand in the order in which they must run.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.usb.feed import Loom
from smartcockpit_bench.usb.port import UsbPort

from .conftest import BOOT_S, image

UNIT = "smartcockpit-power.service"
STATE, REVERSE = "Vehicle.LowVoltageSystemState", "Vehicle.SmartCockpit.IsReverseGearEngaged"
LINGER_S = 8.0
SETTINGS = f"""
[timing]
wake_s = 0.0
linger_s = {LINGER_S}
"""

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Parked:
    """A box in a car that stands still: its loom is in our hands."""

    def __init__(self, box: Box) -> None:
        self.box, self.loom = box, Loom()
        self.port = UsbPort(box.gpio_socket, self.loom.chip)

    async def sh(self, script: str) -> str:
        return await asyncio.to_thread(self.box.agent.sh, script)

    async def power(self) -> dict[str, Any]:
        said = await self.sh("cockpitctl power --json")
        return dict(json.loads(said)) if said.startswith("{") else {}

    async def until(self, what: Callable[[dict[str, Any]], bool], timeout_s: float = 60) -> dict[str, Any]:
        """Ask for the state of power until it is as wanted."""
        last: dict[str, Any] = {}
        try:
            async with asyncio.timeout(timeout_s):
                while not what(last := await self.power()):
                    await asyncio.sleep(0.3)
        except TimeoutError:
            pytest.fail(f"power is {last}")
        return last

    async def signal(self, path: str) -> tuple[Any, str, str]:
        rows = json.loads(await self.sh(f"cockpitctl signals get --json {path}"))
        return rows[0]["value"], rows[0]["quality"], rows[0]["owner"]

    async def becomes(self, path: str, value: Any, quality: str = "valid") -> None:
        last: Any = None
        try:
            async with asyncio.timeout(60):
                while (last := (await self.signal(path))[:2]) != (value, quality):
                    await asyncio.sleep(0.3)
        except TimeoutError:
            pytest.fail(f"{path} is {last}")

    async def shows(self, name: str, on: bool) -> None:
        """Wait until an output is seen on the host."""
        async with asyncio.timeout(60):
            while self.loom.is_on(name) is not on:
                await asyncio.sleep(0.02)

    async def booted(self) -> None:
        await asyncio.to_thread(self.box.agent.wait, BOOT_S)
        await asyncio.to_thread(
            self.box.agent.run, "systemctl", "is-system-running", "--wait", timeout_s=BOOT_S, check=False
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def car() -> AsyncIterator[Parked]:
    image("dev")
    with Box() as box:
        parked = Parked(box)
        serving = asyncio.create_task(parked.port.run())
        parked.loom.set("ignition", True)
        await parked.booted()
        yield parked
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


async def test_the_stock_driver_has_the_chip_and_the_daemon_its_lines(car: Parked) -> None:
    found = await car.until(lambda power: power.get("state") == "running")
    assert (found["ignition"], found["gpio"]) == ("on", "ok")
    assert await car.signal(STATE) == ("ON", "valid", "org.smartcockpit.Power1")
    assert "cp2112" in await car.sh("lsmod")
    owner = await car.sh("stat --format='%a %G' /dev/gpiochip0")
    assert owner.split() == ["660", "smartcockpit-power"]


async def test_amplifier_and_lamp_are_on_at_the_host(car: Parked) -> None:
    await car.shows("amplifier", True)
    await car.shows("lamp", True)


async def test_reverse_line_and_keys_become_signals(car: Parked) -> None:
    await car.becomes(REVERSE, False)
    car.loom.set("reverse", True)
    await car.becomes(REVERSE, True)
    car.loom.set("voice", True)
    await car.becomes("Vehicle.SmartCockpit.PressedKeys", ["voice"])
    car.loom.set("reverse", False)
    car.loom.set("voice", False)
    await car.becomes(REVERSE, False)


async def test_adapter_that_is_pulled_out_is_a_state_and_comes_back(car: Parked) -> None:
    car.port.unplug()
    found = await car.until(lambda power: power.get("gpio", "ok") != "ok")
    assert (found["state"], found["ignition"]) == ("running", "unknown")
    assert await car.signal(STATE) == ("ON", "unavailable", "org.smartcockpit.Power1")
    car.port.plug()
    await car.becomes(STATE, "ON")
    await car.shows("amplifier", True)
    restarts = await car.sh(f"systemctl show --value --property=NRestarts {UNIT}")
    assert restarts.strip() == "0"


async def test_only_the_group_may_hold_the_cockpit_up(car: Parked) -> None:
    call = "busctl call org.smartcockpit.Power1 /org/smartcockpit/Power1 org.smartcockpit.Power1 Stay u 1"
    for groups, allowed in (("--clear-groups", False), ("--groups=smartcockpit", True)):
        said = await car.sh(f"setpriv --reuid=nobody --regid=nogroup {groups} {call}")
        assert ("u 0" in said, "Access denied" in said) == (allowed, not allowed), said


async def test_ignition_off_lingers_for_ten_minutes_and_on_again_ends_that(car: Parked) -> None:
    car.loom.set("ignition", False)
    found = await car.until(lambda power: power.get("state") == "accessory")
    assert 500 < found["time_to_shutdown_s"] <= 600
    await car.becomes(STATE, "OFF")
    car.loom.set("ignition", True)
    await car.until(lambda power: power.get("state") == "running")


async def test_what_root_blocks_at_logind_holds_the_shutdown_up(car: Parked) -> None:
    await car.sh(
        f"mkdir -p /etc/smartcockpit/power.d; printf '%s' '{SETTINGS}' > /etc/smartcockpit/power.d/60-test.toml"
    )
    await car.sh(f"systemctl restart {UNIT}")
    await car.until(lambda power: power.get("state") == "running")
    await car.sh(
        "systemd-run --unit=block systemd-inhibit --what=shutdown --who=updater --why=writing sleep 600"
    )
    car.loom.set("ignition", False)
    await car.until(lambda power: power.get("reason") == "held up by updater (writing)")
    car.loom.set("ignition", True)
    await car.until(lambda power: power.get("state") == "running")
    await car.sh("systemctl stop block")


async def test_a_system_that_hangs_is_reset_by_the_watchdog_and_boots_again(car: Parked) -> None:
    assert "i6300ESB" in await car.sh("cat /sys/class/watchdog/watchdog0/identity")
    boots = car.box.serial().count("smartcockpit: slot")
    # A kernel that has died and does not reset by itself: nobody feeds the watchdog any more.
    await asyncio.to_thread(
        lambda: car.box.agent.run(
            "/bin/sh",
            "-c",
            "sysctl -qw kernel.panic=0; (sleep 1; echo c > /proc/sysrq-trigger) >/dev/null 2>&1 &",
        )
    )
    event = await asyncio.to_thread(car.box.monitor.wait_event, "WATCHDOG", 60.0)
    assert event["data"]["action"] == "reset"
    async with asyncio.timeout(BOOT_S):
        while car.box.serial().count("smartcockpit: slot") == boots:
            await asyncio.sleep(0.2)
    car.box.agent.close()
    await car.booted()
    await car.until(lambda power: power.get("state") == "running")


async def test_ignition_off_ends_in_a_clean_power_off_by_itself(car: Parked) -> None:
    # The settings of the test were in the data partition: the reset has kept them.
    assert "linger_s" in await car.sh("cat /etc/smartcockpit/power.d/60-test.toml")
    await car.shows("amplifier", True)
    car.loom.set("ignition", False)
    began = time.monotonic()
    await car.shows("amplifier", False)
    assert time.monotonic() - began >= LINGER_S / 2
    # QEMU ends by itself only when the machine switches its power off.
    assert await asyncio.to_thread(car.box.wait, 120.0), "the box is still on"
