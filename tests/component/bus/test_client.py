# SPDX-License-Identifier: Apache-2.0
"""Our own clients against our own service, across every kind of restart."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from unittest.mock import AsyncMock

import pytest
from component.bus.conftest import SPECS, Service
from smartcockpit.bus.client import CanBridgeClient, SignalsClient
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.match import MatchRule
from smartcockpit.bus.publisher import SignalPublisher
from smartcockpit.bus.reading import Reading
from smartcockpit.bus.signal_service import SignalService
from smartcockpit.bus.subscriptions import Subscription
from smartcockpit.bus.systemd1 import unit_state
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.errors import UnavailableError, UnknownSignalError
from smartcockpit.core.signals import SignalQuality
from support.dbus_client import RawClient
from support.dbus_daemon import ALLOW_ALL, PrivateBus

NAME = "org.smartcockpit.CanBridge1"
SPEED, DOOR, GEAR = "Vehicle.Speed", "Vehicle.Cabin.Door.IsOpen", "Vehicle.Cabin.Gear"


@pytest.fixture
async def connection(daemon: PrivateBus) -> AsyncIterator[BusConnection]:
    async with BusConnection(daemon.address) as bus:
        yield bus


class Follower:
    """Collects what `watch` yields in a task of its own."""

    def __init__(self, client: SignalsClient, *prefixes: str) -> None:
        self.history: list[Reading] = []
        self._task = asyncio.create_task(self._follow(client, prefixes))

    async def _follow(self, client: SignalsClient, prefixes: tuple[str, ...]) -> None:
        async for batch in client.watch(prefixes):
            self.history += batch

    async def until(self, path: str, quality: SignalQuality, value: object = None) -> None:
        async with asyncio.timeout(20):
            while not any(
                r.path == path and r.quality is quality and value in (None, r.value) for r in self.history
            ):
                assert not self._task.done(), self._task.exception()
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


async def test_owners_list_and_get(service: Service, connection: BusConnection) -> None:
    client = SignalsClient(connection)
    service.publisher.publish([(0, 12.5, 3, 77)])
    assert await client.owners() == [NAME]
    speed, *_ = await client.list()
    assert (speed.path, speed.datatype, speed.unit, speed.kind) == (SPEED, "float", "km/h", "sensor")
    assert math.isnan(speed.minimum)
    assert [d.path for d in await client.list("Vehicle.Cabin")] == [DOOR, GEAR]
    readings = await client.get([GEAR, SPEED, GEAR])
    assert [r.path for r in readings] == [GEAR, SPEED, GEAR]
    assert readings[1] == Reading(SPEED, 12.5, SignalQuality.VALID, 77, NAME)
    with pytest.raises(UnknownSignalError, match=r"did you mean 'Vehicle\.Speed'"):
        await client.get(["Vehicle.Spede"])


async def test_an_owner_that_may_not_be_asked_is_none_of_ours(tmp_path: Path) -> None:
    secret = "org.smartcockpit.Secret1"
    deny = f'<policy context="mandatory"><deny send_destination="{secret}" send_broadcast="false"/></policy>'
    with PrivateBus(tmp_path, ALLOW_ALL + deny) as bus:
        service = Service(bus.address)
        await service.bus.connect()
        async with BusConnection(bus.address, secret), BusConnection(bus.address) as connection:
            client = SignalsClient(connection)
            assert await client.owners() == [NAME]
            assert [reading.path for reading in await client.get([SPEED])] == [SPEED]
        await service.stop()


async def test_a_bus_that_starts_anew_gives_an_owners_unique_name_to_another(daemon: PrivateBus) -> None:
    async with BusConnection(daemon.address) as connection:
        service = Service(daemon.address)
        await service.bus.connect()
        client = SignalsClient(connection)
        assert await client.owners() == [NAME]
        before = service.bus.unique_name
        await service.stop()
        daemon.stop()
        await until(lambda: not connection.connected)
        daemon.start()
        await until(lambda: connection.connected)
        async with BusConnection(daemon.address, "org.smartcockpit.Other1") as other:
            assert other.unique_name == before
            assert await client.owners() == []


async def test_set_carries_the_type_of_the_signal(service: Service, connection: BusConnection) -> None:
    assert await SignalsClient(connection).set({DOOR: True}) == {DOOR: "this service sets nothing"}


async def test_state_of_the_can_bridge(service: Service, connection: BusConnection) -> None:
    state = await CanBridgeClient(connection).state()
    assert (state.version, state.vehicle) == ("1.2.3", "demo")
    assert (state.buses["cockpit"].interface, state.buses["cockpit"].since) == ("can0", 7)
    assert (state.counters["cockpit"].frames, state.load["cockpit"]) == (12, 12.5)


async def test_without_the_service_a_clear_error(connection: BusConnection) -> None:
    assert await SignalsClient(connection).owners() == []
    with pytest.raises(UnavailableError, match="Hint: is the service installed and running"):
        await CanBridgeClient(connection).state()
    with pytest.raises(UnavailableError):
        await unit_state(connection, "smartcockpit-canbridge.service")


async def test_watch_gives_current_values_then_changes(service: Service, connection: BusConnection) -> None:
    service.publisher.publish([(0, 1.0, 3, 1)])
    follower = Follower(SignalsClient(connection))
    await follower.until(SPEED, SignalQuality.VALID, 1.0)
    assert {r.path for r in follower.history} == {SPEED, DOOR, GEAR}
    service.publisher.publish([(0, 2.0, 2, 2), (2, "D", 3, 2)])
    await follower.until(SPEED, SignalQuality.STALE, 2.0)
    await follower.until(GEAR, SignalQuality.VALID, "D")
    await follower.stop()


async def test_watch_of_a_branch_lets_the_bus_filter(
    daemon: PrivateBus, service: Service, connection: BusConnection
) -> None:
    received: list[str] = []
    everything = Subscription(AsyncMock(), MatchRule(), lambda m: received.append(m.arg0() or ""))
    connection._subscriptions.add(everything)  # hears what comes in, asks the bus for nothing
    follower = Follower(SignalsClient(connection), "Vehicle.Cabin")
    await follower.until(DOOR, SignalQuality.UNAVAILABLE)
    service.publisher.publish([(0, 5.0, 3, 1)])
    service.publisher.publish([(1, True, 3, 1)])
    await follower.until(DOOR, SignalQuality.VALID, True)
    assert "Vehicle.Cabin.Door" in received
    assert "Vehicle" not in received
    await follower.stop()


async def test_watch_of_a_leaf(service: Service, connection: BusConnection) -> None:
    follower = Follower(SignalsClient(connection), GEAR)
    await follower.until(GEAR, SignalQuality.UNAVAILABLE)
    service.publisher.publish([(1, True, 3, 1), (2, "D", 3, 1)])
    await follower.until(GEAR, SignalQuality.VALID, "D")
    assert {r.path for r in follower.history} == {GEAR}
    await follower.stop()


async def test_watch_survives_the_owner(
    daemon: PrivateBus, connection: BusConnection, service: Service
) -> None:
    service.publisher.publish([(0, 1.0, 3, 1)])
    follower = Follower(SignalsClient(connection))
    await follower.until(SPEED, SignalQuality.VALID)
    await service.stop()
    await follower.until(SPEED, SignalQuality.UNAVAILABLE, 1.0)
    again = type(service)(daemon.address)
    await again.bus.connect()
    again.publisher.publish([(0, 3.0, 3, 3)])
    await follower.until(SPEED, SignalQuality.VALID, 3.0)
    await follower.stop()
    await again.stop()


async def test_watch_survives_the_bus(
    daemon: PrivateBus, connection: BusConnection, service: Service
) -> None:
    service.publisher.publish([(0, 1.0, 3, 1)])
    follower = Follower(SignalsClient(connection))
    await follower.until(SPEED, SignalQuality.VALID)
    daemon.restart()
    service.publisher.publish([(0, 2.0, 3, 2)])
    await follower.until(SPEED, SignalQuality.VALID, 2.0)
    await follower.stop()


async def test_watch_begins_before_there_is_an_owner(daemon: PrivateBus, connection: BusConnection) -> None:
    from component.bus.conftest import Service as Late

    follower = Follower(SignalsClient(connection), SPEED)
    await asyncio.sleep(0.1)
    service = Late(daemon.address)
    await service.bus.connect()
    service.publisher.publish([(0, 4.0, 3, 1)])
    await follower.until(SPEED, SignalQuality.VALID, 4.0)
    await follower.stop()
    await service.stop()


async def test_nobody_but_the_owner_is_believed(
    service: Service, connection: BusConnection, raw: RawClient
) -> None:
    from dbus_next import Message, Variant

    follower = Follower(SignalsClient(connection))
    heard = asyncio.Event()
    await connection.subscribe(MatchRule("org.smartcockpit.Signals1", arg0="Vehicle"), lambda _: heard.set())
    await follower.until(SPEED, SignalQuality.UNAVAILABLE)
    forged = [[SPEED, Variant("d", 999.0), 3, 1]]
    raw._bus.send(
        Message.new_signal(
            "/org/smartcockpit/Signals1",
            "org.smartcockpit.Signals1",
            "Changed",
            "sa(svyt)",
            ["Vehicle", forged],
        )
    )
    await asyncio.wait_for(heard.wait(), 5)
    service.publisher.publish([(0, 1.0, 3, 1)])
    await follower.until(SPEED, SignalQuality.VALID, 1.0)
    assert 999.0 not in [r.value for r in follower.history]
    await follower.stop()


POWER = "org.smartcockpit.Power1"


class Specialist:
    """A daemon that offers one of the bridge's signals as well."""

    def __init__(self, address: str) -> None:
        self.bus = BusConnection(address, POWER)
        board = SignalBoard([spec for spec in SPECS if spec.path == SPEED])
        self.bus.export(SignalService(board))
        self.publisher = SignalPublisher(self.bus, board)

    async def stop(self) -> None:
        self.publisher.close()
        await self.bus.close()


async def test_specialised_daemon_wins_over_the_bridge_and_gives_way_when_it_goes(
    daemon: PrivateBus, connection: BusConnection, service: Service
) -> None:
    service.publisher.publish([(0, 1.0, 3, 1), (2, "D", 3, 1)])
    client = SignalsClient(connection)
    follower = Follower(client)
    await follower.until(SPEED, SignalQuality.VALID, 1.0)
    specialist = Specialist(daemon.address)
    await specialist.bus.connect()
    await follower.until(SPEED, SignalQuality.UNAVAILABLE)
    specialist.publisher.publish([(0, 2.0, 3, 2)])
    await follower.until(SPEED, SignalQuality.VALID, 2.0)
    assert [(r.value, r.owner) for r in await client.get([SPEED, GEAR])] == [(2.0, POWER), ("D", NAME)]
    assert [d.path for d in await client.list()].count(SPEED) == 1
    seen = len(follower.history)
    service.publisher.publish([(0, 99.0, 3, 3), (2, "P", 3, 3)])
    await follower.until(GEAR, SignalQuality.VALID, "P")
    specialist.publisher.publish([(0, 3.0, 3, 4)])
    await follower.until(SPEED, SignalQuality.VALID, 3.0)
    assert 99.0 not in [r.value for r in follower.history[seen:]]
    await specialist.stop()
    await follower.until(SPEED, SignalQuality.VALID, 99.0)
    await follower.stop()


async def test_a_client_of_one_owner_sees_nothing_of_the_others(
    daemon: PrivateBus, connection: BusConnection, service: Service
) -> None:
    specialist = Specialist(daemon.address)
    await specialist.bus.connect()
    specialist.publisher.publish([(0, 2.0, 3, 2)])
    service.publisher.publish([(0, 1.0, 3, 1)])
    follower = Follower(SignalsClient(connection, owners=[NAME]), SPEED)
    await follower.until(SPEED, SignalQuality.VALID, 1.0)
    assert {r.owner for r in follower.history} == {NAME}
    await follower.stop()
    await specialist.stop()
