# SPDX-License-Identifier: Apache-2.0
"""A private bus with a paper canbridge, and cockpitctl as a real process on it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.interfaces.canbridge1 import BusCounters, BusStatus, CanBridge1
from smartcockpit.bus.publisher import SignalPublisher
from smartcockpit.bus.signal_service import SignalService
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.signals import Datatype, SignalKind, SignalSpec
from support.dbus_daemon import PrivateBus

SPECS = (
    SignalSpec("Vehicle.Speed", Datatype.FLOAT, "km/h", description="Speed.", minimum=0.0, maximum=300.0),
    SignalSpec("Vehicle.Cabin.Door.IsOpen", Datatype.BOOLEAN, kind=SignalKind.ACTUATOR),
    SignalSpec("Vehicle.Cabin.Gear", Datatype.STRING, allowed=("P", "D")),
)

# A shell that started the tests in the background lets every child ignore Ctrl-C; these tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)


class PaperBridge(CanBridge1):
    """org.smartcockpit.CanBridge1 with invented figures."""

    version = "1.2.3"
    vehicle = "demo"
    decoder = "native"
    load = {"powertrain": 12.5, "body": 0.0}  # noqa: RUF012 - a fake

    @property
    def buses(self) -> dict[str, BusStatus]:
        return {
            "powertrain": BusStatus(interface="can0", state="error-active", since=7, bitrate=500_000),
            "body": BusStatus(
                interface="can1", state="unavailable", reason="can1 is down", data_bitrate=2_000_000
            ),
        }

    @property
    def counters(self) -> dict[str, BusCounters]:
        return {"powertrain": BusCounters(frames=12, drops=1, checksum_errors=3), "body": BusCounters()}


class Car:
    """A daemon with three signals and two buses."""

    def __init__(self, address: str) -> None:
        self.bus = BusConnection(address, "org.smartcockpit.CanBridge1")
        self.board = SignalBoard(SPECS)
        self.bus.export(SignalService(self.board))
        self.bus.export(PaperBridge())
        self.publisher = SignalPublisher(self.bus, self.board)

    def drive(self, kmh: float, quality: int = 3) -> None:
        """Publish a speed of now."""
        self.publisher.publish([(0, kmh, quality, time.time_ns() // 1000)])

    async def stop(self) -> None:
        self.publisher.close()
        await self.bus.close()


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def dbus(tmp_path: Path) -> Iterator[PrivateBus]:
    with PrivateBus(tmp_path) as bus:
        yield bus


@pytest.fixture
async def car(dbus: PrivateBus) -> AsyncIterator[Car]:
    car = Car(dbus.address)
    await car.bus.connect()
    car.drive(88.25)
    yield car
    await car.stop()


class Cockpitctl:
    """Runs cockpitctl against the private bus."""

    def __init__(self, address: str) -> None:
        self.environment = {**os.environ, "SMARTCOCKPIT_BUS": address, "NO_COLOR": "1"}
        self.environment["PATH"] = f"{Path(sys.executable).parent}:{self.environment['PATH']}"

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "smartcockpit.cli",
            *arguments,
            stdout=pipe,
            stderr=pipe,
            env=self.environment,
        )

    async def __call__(self, *arguments: str) -> Done:
        process = await self.start(*arguments)
        out, err = await asyncio.wait_for(process.communicate(), 20)
        return Done(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
def cockpitctl(dbus: PrivateBus) -> Cockpitctl:
    return Cockpitctl(dbus.address)
