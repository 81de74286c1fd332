# SPDX-License-Identifier: Apache-2.0
"""No bus, a bus that comes back, a name that is taken, a policy that says no."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.declare import notify
from smartcockpit.bus.errors import AccessDeniedError, CallTimeoutError, NameTakenError
from smartcockpit.bus.interfaces.canbridge1 import BusStatus
from smartcockpit.bus.match import MatchRule
from smartcockpit.core.errors import UnavailableError, UsageError
from support.dbus_client import RawClient
from support.dbus_daemon import PrivateBus

if TYPE_CHECKING:
    from component.bus.conftest import Service

NAME = "org.smartcockpit.CanBridge1"
PATH, SIGNALS = "/org/smartcockpit/Signals1", "org.smartcockpit.Signals1"


async def until_connected(bus: BusConnection) -> None:
    async with asyncio.timeout(20):
        while not bus.connected:
            await asyncio.sleep(0.02)


async def test_without_a_bus_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match=r"cannot reach the bus at .*/none: no such file.*Hint: "):
        await BusConnection(f"unix:path={tmp_path}/none").connect()


async def test_a_session_bus_outside_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with pytest.raises(UnavailableError, match="DBUS_SESSION_BUS_ADDRESS is not set"):
        await BusConnection("session").connect()


@pytest.mark.parametrize("address", ["", "nonsense", "tcp:host=localhost,port=1", "unix:tmpdir=/tmp"])
async def test_an_address_that_cannot_be(address: str) -> None:
    with pytest.raises(UsageError, match="cannot use the D-Bus address"):
        await BusConnection(address).connect()


async def test_a_stalled_bus_at_start_is_an_error_and_no_hang(
    daemon: PrivateBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smartcockpit.bus.transport.TIMEOUT_S", 0.2)
    with daemon.stalled(), pytest.raises(UnavailableError, match=r"no answer within 0\.2 s"):
        await BusConnection(daemon.address).connect()


async def test_a_taken_name_names_its_owner(daemon: PrivateBus, service: Service) -> None:
    with pytest.raises(NameTakenError, match=rf"{NAME} belongs to process \d+"):
        await BusConnection(daemon.address, NAME).connect()


async def test_a_policy_that_says_no(tmp_path: Path) -> None:
    policy = """<policy context="default"><allow user="*"/><deny own="*"/><deny send_type="method_call"/>
      <allow send_destination="org.freedesktop.DBus"/><allow
      receive_sender="org.freedesktop.DBus"/></policy>"""
    with PrivateBus(tmp_path, policy) as daemon:
        with pytest.raises(AccessDeniedError, match=f"does not let this user own {NAME}. Hint: "):
            await BusConnection(daemon.address, NAME).connect()
        async with BusConnection(daemon.address) as client:
            with pytest.raises(AccessDeniedError):
                await client.call(client.unique_name, PATH, SIGNALS, "Get", "as", ([],))


async def test_after_a_restart_of_the_bus_name_objects_matches_and_state_are_back(
    daemon: PrivateBus, service: Service
) -> None:
    heard: list[str] = []
    async with BusConnection(daemon.address) as client:
        await client.subscribe(MatchRule(SIGNALS, arg0="Vehicle"), lambda m: heard.append(m.sender))
        service.publisher.publish([(0, 88.0, 3, 1)])
        daemon.stop()
        await asyncio.sleep(0.05)
        assert not service.bus.connected
        service.publisher.publish([(0, 99.0, 3, 2)])
        daemon.start()
        await until_connected(client)
        await until_connected(service.bus)
        (rows,) = await client.call(NAME, PATH, SIGNALS, "Get", "as", (["Vehicle.Speed"],))
        assert rows == [("Vehicle.Speed", 99.0, 3, 2)]
        heard.clear()
        service.publisher.publish([(0, 100.0, 3, 3)])
        async with asyncio.timeout(5):
            while not heard:
                await asyncio.sleep(0.01)
        assert heard[0] == service.bus.unique_name


async def test_a_client_hears_the_full_state_after_a_restart(daemon: PrivateBus, service: Service) -> None:
    service.publisher.publish([(0, 88.0, 3, 1)])
    daemon.restart()
    raw = await RawClient.connect(daemon.address)
    await raw.add_match(f"interface='{SIGNALS}'")
    paths = set()
    while len(paths) < 3:
        paths |= {row[0] for row in (await raw.signal()).body[1]}
    raw.close()


async def test_a_call_that_waits_when_the_bus_goes_fails_at_once(
    daemon: PrivateBus, service: Service
) -> None:
    async with BusConnection(daemon.address) as client:
        with daemon.stalled():
            waiting = asyncio.create_task(client.call(NAME, PATH, SIGNALS, "Get", "as", ([],), timeout_s=30))
            await asyncio.sleep(0.05)
        daemon.stop()
        with pytest.raises(UnavailableError):
            await asyncio.wait_for(waiting, 5)
        with pytest.raises(UnavailableError, match="not connected"):
            await client.call(NAME, PATH, SIGNALS, "Get", "as", ([],))


async def test_a_call_has_a_timeout(daemon: PrivateBus, service: Service) -> None:
    async with BusConnection(daemon.address) as client:
        with daemon.stalled(), pytest.raises(CallTimeoutError, match="did not answer Get within"):
            await client.call(NAME, PATH, SIGNALS, "Get", "as", ([],), timeout_s=0.1)


async def test_calls_during_a_stall_are_answered_after_it(daemon: PrivateBus, service: Service) -> None:
    async with BusConnection(daemon.address) as client:
        with daemon.stalled():
            calls = [
                asyncio.create_task(client.call(NAME, PATH, SIGNALS, "List", "s", ("",), timeout_s=20))
                for _ in range(100)
            ]
            await asyncio.sleep(0.5)
        answers = await asyncio.gather(*calls)
        assert {len(answer[0]) for answer in answers} == {3}


async def test_property_changes_are_gathered_and_the_newest_is_sent(
    daemon: PrivateBus, service: Service, raw: RawClient
) -> None:
    await raw.add_match("member='PropertiesChanged'")
    for state in ("error-warning", "bus-off"):
        service.bridge.status = {"cockpit": BusStatus(interface="can0", state=state)}
        notify(service.bridge, "buses", "counters")
    message = await raw.signal("PropertiesChanged")
    interface, changed, invalidated = message.body
    assert (interface, list(changed), invalidated) == (NAME, ["Buses"], [])
    assert changed["Buses"].value["cockpit"]["State"].value == "bus-off"


async def test_close_ends_within_its_time_on_a_stalled_bus(daemon: PrivateBus, service: Service) -> None:
    with daemon.stalled():
        service.publisher.publish([(0, float(n), 3, n) for n in range(1000)])
        async with asyncio.timeout(2):
            await service.bus.close()
