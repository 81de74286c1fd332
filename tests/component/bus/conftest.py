# SPDX-License-Identifier: Apache-2.0
"""A private bus with a service of three signals on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.interfaces.canbridge1 import BusCounters, BusStatus, CanBridge1
from smartcockpit.bus.publisher import SignalPublisher
from smartcockpit.bus.signal_service import SignalService
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.signals import Datatype, SignalKind, SignalSpec
from support.dbus_client import RawClient
from support.dbus_daemon import PrivateBus

SPECS = (
    SignalSpec("Vehicle.Speed", Datatype.FLOAT, "km/h", description="Speed over ground."),
    SignalSpec("Vehicle.Cabin.Door.IsOpen", Datatype.BOOLEAN, kind=SignalKind.ACTUATOR),
    SignalSpec("Vehicle.Cabin.Gear", Datatype.STRING, allowed=("P", "D")),
)
NAME = "org.smartcockpit.CanBridge1"


class Bridge(CanBridge1):
    """A CAN bridge made of paper."""

    def __init__(self) -> None:
        self.status = {"cockpit": BusStatus(interface="can0", state="error-active", since=7)}

    @property
    def version(self) -> str:
        return "1.2.3"

    @property
    def vehicle(self) -> str:
        return "demo"

    @property
    def decoder(self) -> str:
        return "native"

    @property
    def buses(self) -> dict[str, BusStatus]:
        return self.status

    @property
    def counters(self) -> dict[str, BusCounters]:
        return {"cockpit": BusCounters(frames=12, drops=1)}

    @property
    def load(self) -> dict[str, float]:
        return {"cockpit": 12.5}


class Service:
    """Everything that a signal-owning daemon has on the bus."""

    def __init__(self, address: str) -> None:
        self.bus = BusConnection(address, NAME)
        self.board = SignalBoard(SPECS)
        self.bridge = Bridge()
        self.bus.export(SignalService(self.board))
        self.bus.export(self.bridge)
        self.publisher = SignalPublisher(self.bus, self.board)

    async def stop(self) -> None:
        self.publisher.close()
        await self.bus.close()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[PrivateBus]:
    with PrivateBus(tmp_path) as bus:
        yield bus


@pytest.fixture
async def service(daemon: PrivateBus) -> AsyncIterator[Service]:
    service = Service(daemon.address)
    await service.bus.connect()
    yield service
    await service.stop()


@pytest.fixture
async def raw(daemon: PrivateBus) -> AsyncIterator[RawClient]:
    client = await RawClient.connect(daemon.address)
    yield client
    client.close()
