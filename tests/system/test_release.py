# SPDX-License-Identifier: Apache-2.0
"""The release flavour: shows the car through the view port, and has no way in."""

from __future__ import annotations

import asyncio
import subprocess

import pytest
from smartcockpit.core.errors import UnavailableError
from smartcockpit_bench.car.source import CarSource
from smartcockpit_bench.places import ROOT, image_dir
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.simulate import simulate
from smartcockpit_bench.view.cockpit import Cockpit
from smartcockpit_bench.view.port import lines
from smartcockpit_bench.wire import CarWire

BOOT_S = 180.0


async def test_speed_reaches_the_host_and_nobody_gets_in(release_box: Box) -> None:
    cockpit = Cockpit()

    async def listen() -> None:
        async for line in lines(release_box.view_socket):
            cockpit.feed(line, 0.0)
            speed = cockpit.signals.get("Vehicle.Speed")
            if speed is not None and speed.quality == "valid":
                return

    async with CarWire(release_box.car_socket) as wire:
        driving = asyncio.create_task(simulate(CarSource.of(ROOT / "dbc" / "demo"), wire))
        await asyncio.wait_for(listen(), BOOT_S)
        driving.cancel()
        await asyncio.gather(driving, return_exceptions=True)
    with pytest.raises(UnavailableError):
        release_box.agent.wait(3)
    assert "login:" not in release_box.serial()
    assert release_box.power_off(90)


def test_release_image_holds_no_way_in() -> None:
    slot = f"{image_dir('amd64', 'release')}/disk.img"
    listing = subprocess.run(
        ["debugfs", "-R", "ls -p /usr/sbin", f"{slot}?offset={65 << 20}"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "/fw_printenv/" in listing or "/modprobe/" in listing
    assert "/sshd/" not in listing
    assert "/qemu-ga/" not in listing
