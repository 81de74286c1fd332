# SPDX-License-Identifier: Apache-2.0
"""Calls of every kind, the hostile ones first: each gets one clear answer, nobody else notices."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from typing import TYPE_CHECKING

import pytest
from dbus_next import Message, Variant
from smartcockpit.bus.connection import BusConnection
from support.dbus_client import RawClient
from support.dbus_daemon import PrivateBus

if TYPE_CHECKING:
    from component.bus.conftest import Service

NAME = "org.smartcockpit.CanBridge1"
BRIDGE = "/org/smartcockpit/CanBridge1"
PATH, SIGNALS = "/org/smartcockpit/Signals1", "org.smartcockpit.Signals1"
PROPERTIES = "org.freedesktop.DBus.Properties"
DBUS = "org.freedesktop.DBus.Error."
OURS = "org.smartcockpit.Error."


@pytest.mark.parametrize(
    ("path", "interface", "member", "signature", "args", "error", "says"),
    [
        ("/nowhere", SIGNALS, "Get", "as", [[]], DBUS + "UnknownObject", "no object '/nowhere'"),
        (PATH, "org.smartcockpit.Signal1", "Get", "as", [[]], DBUS + "UnknownInterface", "did you mean"),
        (PATH, SIGNALS, "Gett", "as", [[]], DBUS + "UnknownMethod", "did you mean 'Get'"),
        (PATH, None, "Nonsense", "", [], DBUS + "UnknownMethod", "no method 'Nonsense'"),
        (PATH, SIGNALS, "Get", "s", ["x"], DBUS + "InvalidArgs", "Get takes (paths: as)"),
        (PATH, SIGNALS, "Get", "", [], DBUS + "InvalidArgs", "but the call has ''"),
        (PATH, SIGNALS, "Get", "as", [["Vehicle.Spedd"]], OURS + "UnknownSignal", "'Vehicle.Speed'"),
        (PATH, SIGNALS, "Get", "as", [["x"] * 4097], OURS + "Limit", "at most 4096"),
        (PATH, SIGNALS, "Get", "as", [["y" * 200_000]], OURS + "UnknownSignal", "unknown signal"),
        (PATH, SIGNALS, "List", "s", ["z" * 1_000_000], DBUS + "LimitsExceeded", "too large"),
        (BRIDGE, PROPERTIES, "Get", "ss", [NAME, "Vershun"], DBUS + "UnknownProperty", "'Version'"),
        (BRIDGE, PROPERTIES, "Get", "ss", ["a.b", "Version"], DBUS + "UnknownInterface", "no interface"),
        (BRIDGE, PROPERTIES, "GetAll", "s", ["a.b"], DBUS + "UnknownInterface", "no interface"),
        (
            BRIDGE,
            PROPERTIES,
            "Set",
            "ssv",
            [NAME, "Version", Variant("s", "2")],
            DBUS + "PropertyReadOnly",
            "read-only",
        ),
    ],
)
async def test_a_wrong_call_is_told_what_is_wrong(
    service: Service,
    raw: RawClient,
    path: str,
    interface: str,
    member: str,
    signature: str,
    args: list[object],
    error: str,
    says: str,
) -> None:
    reply = await raw.call(NAME, path, interface, member, signature, *args)
    assert reply.error_name == error
    assert says in reply.body[0]
    assert len(reply.body[0]) < 1000
    alive = await raw.call(NAME, PATH, SIGNALS, "Get", "as", ["Vehicle.Speed"])
    assert alive.body[0][0][0] == "Vehicle.Speed"


ONTO_THE_BUS = """
import asyncio, sys
import smartcockpit.runtime.lean
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.match import MatchRule
async def main():
    async with BusConnection(sys.argv[1], "org.smartcockpit.Gnss1") as bus:
        await bus.subscribe(MatchRule("org.example.X1"), print)
        early = "dbus_next" in sys.modules
        names = await bus.call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "ListNames")
        print(bus.unique_name[:1], early, "org.smartcockpit.Gnss1" in names[0], "dbus_next.message" in sys.modules)
asyncio.run(main())
"""


async def test_getting_onto_the_bus_takes_no_dbus_next_and_a_list_does(daemon: PrivateBus) -> None:
    program = [
        sys.executable,
        "-S",
        "-c",
        f"import sys; sys.path[:] = {sys.path!r}\n{ONTO_THE_BUS}",
        daemon.address,
    ]
    found = await asyncio.create_subprocess_exec(*program, stdout=asyncio.subprocess.PIPE)
    out, _ = await found.communicate()
    assert out.decode() == ": False True True\n"


@pytest.mark.parametrize("item", ["s", "v"])
async def test_a_million_element_array_is_refused_before_it_is_taken_apart(
    daemon: PrivateBus, service: Service, item: str
) -> None:
    """Given an array of a million elements, the answer costs no time of the loop and nobody is
    disconnected."""
    client = BusConnection(daemon.address)
    await client.connect()
    element = b"\0\0\0\0\0\0\0\0" if item == "s" else b"\x01y\0\0"
    body = (element * 1_000_000)[: -3 if item == "s" else None]
    call = Message(
        destination=NAME, path=PATH, interface=SIGNALS, member="Get", signature=f"a{item}", body=[[]]
    )
    loop_was_busy = asyncio.create_task(longest_pause())
    link = client.live
    assert link is not None
    call.serial = link.next_serial()
    packed = call._marshall()
    packed[4:8] = (len(body) + 4).to_bytes(4, "little")
    packed[-4:] = len(body).to_bytes(4, "little")
    future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
    link._pending[call.serial] = future  # type: ignore[assignment]
    link.writer.write(packed + body)
    reply = await asyncio.wait_for(future, 20)
    assert reply.error_name == DBUS + "LimitsExceeded"  # type: ignore[attr-defined]
    loop_was_busy.cancel()
    pause = (await asyncio.gather(loop_was_busy, return_exceptions=True))[0]
    assert isinstance(pause, float)
    assert pause < 0.25
    rows = await client.call(NAME, PATH, SIGNALS, "Get", "as", (["Vehicle.Speed"],))
    assert rows[0][0][0] == "Vehicle.Speed"
    await client.close()


async def longest_pause() -> float:
    worst = 0.0
    try:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.005)
            worst = max(worst, time.monotonic() - before)
    except asyncio.CancelledError:
        return worst


async def test_a_caller_that_vanishes_is_no_trouble(daemon: PrivateBus, service: Service) -> None:
    for _ in range(20):
        with socket.socket(socket.AF_UNIX) as rude:
            rude.connect(daemon.address.partition("=")[2])
            rude.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\nBEGIN\r\n")
            hello = Message(
                destination="org.freedesktop.DBus",
                path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus",
                member="Hello",
                serial=1,
            )
            get = Message(
                destination=NAME,
                path=PATH,
                interface=SIGNALS,
                member="List",
                signature="s",
                body=[""],
                serial=2,
            )
            rude.sendall(bytes(hello._marshall() + get._marshall()))
    raw = await RawClient.connect(daemon.address)
    assert (await raw.call(NAME, PATH, SIGNALS, "List", "s", "Vehicle.Cabin")).body[0]
    raw.close()


async def test_properties_one_by_one_and_together(service: Service, raw: RawClient) -> None:
    one = await raw.call(NAME, BRIDGE, PROPERTIES, "Get", "ss", NAME, "Version")
    assert one.body[0] == Variant("s", "1.2.3")
    everything = (await raw.call(NAME, BRIDGE, PROPERTIES, "GetAll", "s", "")).body[0]
    assert everything["Load"].value == {"cockpit": 12.5}
    assert everything["Buses"].value["cockpit"]["State"] == Variant("s", "error-active")
    assert everything["Counters"].value["cockpit"]["Frames"] == 12


async def test_peer_answers_on_any_object(service: Service, raw: RawClient) -> None:
    reply = await raw.call(NAME, "/", "org.freedesktop.DBus.Peer", "Ping")
    assert reply.error_name is None


async def test_set_refuses_by_path_with_a_reason(service: Service, raw: RawClient) -> None:
    wanted = {
        "Vehicle.Speed": Variant("d", 5.0),
        "Vehicle.Cabin.Door.IsOpen": Variant("b", True),
        "Vehicle.X": Variant("i", 1),
    }
    reply = await raw.call(NAME, PATH, SIGNALS, "Set", "a{sv}", wanted)
    assert reply.body[0]["Vehicle.Speed"] == "it is a sensor, not an actuator"
    assert reply.body[0]["Vehicle.Cabin.Door.IsOpen"] == "this service sets nothing"
    assert reply.body[0]["Vehicle.X"].startswith("unknown signal")


async def test_a_bug_in_a_method_is_internal_for_the_caller_and_in_full_in_the_log(
    service: Service, raw: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    service.board.values.clear()
    reply = await raw.call(NAME, PATH, SIGNALS, "Get", "as", ["Vehicle.Speed"])
    assert reply.error_name == OURS + "Internal"
    assert "IndexError" not in reply.body[0]
    assert "IndexError" in caplog.text


async def test_many_calls_at_once_are_all_answered(service: Service, raw: RawClient) -> None:
    replies = await asyncio.gather(*(raw.call(NAME, PATH, SIGNALS, "List", "s", "") for _ in range(100)))
    assert {len(reply.body[0]) for reply in replies} == {3}
