# SPDX-License-Identifier: Apache-2.0
"""The real canbridge process between a private message bus and CAN buses made of datagrams or multicast."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import can
import pytest
import pytest_asyncio
from smartcockpit.bus.declare import sinks_of
from smartcockpit.daemons.canbridge.backend import Backend
from smartcockpit.daemons.canbridge.service import PAUSE_NS, CanBridgeService
from support.dbus_client import RawClient
from support.dbus_daemon import PrivateBus
from support.mini_vehicle import (
    BRAND,
    BRIGHTNESS,
    PEDAL,
    SPEED,
    DatagramBus,
    light_frame,
    speed_frame,
    write_table,
)
from support.native import library_path

NAME = "org.smartcockpit.CanBridge1"
BRIDGE = "/org/smartcockpit/CanBridge1"
SIGNALS = "/org/smartcockpit/Signals1"
UNAVAILABLE, INVALID, STALE, VALID = range(4)

CONFIG = """
vehicle = "{table}"
decoder_library = "{library}"
[restart]
first_ms = 20
[buses.chassis]
interface = "datagram"
channel = "{folder}/chassis"
[buses.cabin]
interface = "datagram"
channel = "{folder}/cabin"
"""


class Bridge:
    """A canbridge process of one's own."""

    def __init__(self, folder: Path, address: str, config: str = "") -> None:
        self.folder = folder
        self.address = address
        table = write_table(folder / "tables/mini.py")
        names = {"table": table, "folder": folder, "library": library_path()}
        (folder / "canbridge.toml").write_text((config or CONFIG).format(**names))
        self.process: subprocess.Popen[str] | None = None
        self.chassis = DatagramBus(folder / "chassis")
        self.cabin = DatagramBus(folder / "cabin")

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "smartcockpit.daemons.canbridge"],
            env=os.environ
            | {
                "SMARTCOCKPIT_CONFIG_PATH": str(self.folder),
                "DBUS_SYSTEM_BUS_ADDRESS": self.address,
                "RUNTIME_DIRECTORY": str(self.folder / "run"),
                "STATE_DIRECTORY": str(self.folder / "state"),
            },
            stderr=subprocess.PIPE,
            text=True,
        )

    def stop(self) -> tuple[int, str]:
        assert self.process is not None
        self.process.terminate()
        _, err = self.process.communicate(timeout=5)
        return self.process.returncode, err

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        self.chassis.close()
        self.cabin.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sc-") as name:
        yield Path(name)


@pytest.fixture
def bus(folder: Path) -> Iterator[PrivateBus]:
    with PrivateBus(folder) as private:
        yield private


@pytest.fixture
def bridge(folder: Path, bus: PrivateBus) -> Iterator[Bridge]:
    made = Bridge(folder, bus.address)
    yield made
    made.close()


@pytest_asyncio.fixture
async def client(bus: PrivateBus) -> AsyncIterator[RawClient]:
    raw = await RawClient.connect(bus.address)
    yield raw
    raw.close()


async def wait_for_name(client: RawClient) -> None:
    dbus = "org.freedesktop.DBus"
    async with asyncio.timeout(10):
        while not (await client.call(dbus, "/org/freedesktop/DBus", dbus, "NameHasOwner", "s", NAME)).body[0]:
            await asyncio.sleep(0.02)


async def reading(client: RawClient, path: str) -> tuple[Any, int]:
    reply = await client.call(NAME, SIGNALS, "org.smartcockpit.Signals1", "Get", "as", [path])
    _, value, quality, _ = reply.body[0][0]
    return value.value, quality


async def becomes(client: RawClient, path: str, value: Any, quality: int) -> None:
    last: tuple[Any, int] | None = None
    try:
        async with asyncio.timeout(5):
            while (last := await reading(client, path)) != (value, quality):
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"{path} is {last}, not {(value, quality)}")


async def prop(client: RawClient, name: str) -> Any:
    reply = await client.call(NAME, BRIDGE, "org.freedesktop.DBus.Properties", "Get", "ss", NAME, name)
    return reply.body[0].value


async def bus_state(client: RawClient, bus: str, state: str) -> Any:
    async with asyncio.timeout(5):
        while (now := (await prop(client, "Buses"))[bus])["State"].value != state:
            await asyncio.sleep(0.02)
    return now


async def start(bridge: Bridge, client: RawClient) -> None:
    bridge.start()
    await wait_for_name(client)


async def test_frames_become_signals_with_quality(bridge: Bridge, client: RawClient) -> None:
    await start(bridge, client)
    assert await reading(client, SPEED) == (0.0, UNAVAILABLE)
    assert (await prop(client, "Counters"))["chassis"]["FirstFrame"] == 0
    before_us = time.monotonic_ns() // 1000
    bridge.chassis.send(speed_frame(12.5, 40))
    bridge.cabin.send(light_frame(70))
    await becomes(client, SPEED, 12.5, VALID)
    assert await reading(client, PEDAL) == (40, VALID)
    await becomes(client, BRIGHTNESS, 70, VALID)
    counters = await prop(client, "Counters")
    assert (counters["chassis"]["Frames"], counters["cabin"]["Frames"]) == (1, 1)
    while not (first_us := (await prop(client, "Counters"))["chassis"]["FirstFrame"]):
        await asyncio.sleep(0.01)
    assert before_us <= first_us <= time.monotonic_ns() // 1000
    assert (await prop(client, "Buses"))["cabin"]["DataBitrate"].value == 2_000_000
    assert await prop(client, "Vehicle") == "mini"
    assert await prop(client, "Decoder") == "native"


@pytest.mark.parametrize(
    ("library", "reason"),
    [
        ('decoder = "python"', None),
        ('decoder_library = "/nowhere/libcanreceive.so"', "/nowhere/libcanreceive.so: cannot open"),
        ('decoder_library = "{folder}/canbridge.toml"', "canbridge.toml: "),
    ],
    ids=["not wanted", "missing", "damaged"],
)
async def test_without_the_c_library_python_decodes_and_says_so_once(
    folder: Path, bus: PrivateBus, client: RawClient, library: str, reason: str | None
) -> None:
    bridge = Bridge(folder, bus.address, CONFIG.replace('decoder_library = "{library}"', library))
    await start(bridge, client)
    bridge.chassis.send(speed_frame(12.5, 40))
    bridge.cabin.send(light_frame(70))
    await becomes(client, SPEED, 12.5, VALID)
    await becomes(client, BRIGHTNESS, 70, VALID)
    assert await prop(client, "Decoder") == "python"
    code, err = bridge.stop()
    bridge.close()
    assert code == 0
    assert err.count("decoded in Python") == (reason is not None)
    assert (reason or "") in err


async def test_silence_turns_stale_and_the_same_frame_makes_it_valid_again(
    bridge: Bridge, client: RawClient
) -> None:
    await start(bridge, client)
    bridge.chassis.send(speed_frame(30))
    await becomes(client, SPEED, 30.0, VALID)
    await becomes(client, SPEED, 30.0, STALE)
    bridge.chassis.send(speed_frame(30))
    await becomes(client, SPEED, 30.0, VALID)


async def test_unchanged_frame_renews_the_time_of_its_signals(bridge: Bridge, client: RawClient) -> None:
    async def time_of_speed() -> int:
        reply = await client.call(NAME, SIGNALS, "org.smartcockpit.Signals1", "Get", "as", [SPEED])
        return int(reply.body[0][0][3])

    await start(bridge, client)
    bridge.chassis.send(speed_frame(30))
    await becomes(client, SPEED, 30.0, VALID)
    first = await time_of_speed()
    async with asyncio.timeout(5):
        while await time_of_speed() <= first:
            bridge.chassis.send(speed_frame(30))
            await asyncio.sleep(0.02)


async def test_attributes_of_the_vehicle_are_there_from_the_start(bridge: Bridge, client: RawClient) -> None:
    await start(bridge, client)
    assert await reading(client, BRAND) == ("Mini", VALID)


async def test_changes_are_announced_by_branch(bridge: Bridge, client: RawClient) -> None:
    await start(bridge, client)
    await client.add_match(
        "type='signal',interface='org.smartcockpit.Signals1',arg0namespace='Vehicle.Chassis'"
    )
    bridge.chassis.send(speed_frame(1, 33))
    message = await client.signal()
    while message.body[1][0][2] != VALID:
        message = await client.signal()
    assert message.body[0] == "Vehicle.Chassis.Brake"
    assert [(path, v.value) for path, v, _, _ in message.body[1]] == [(PEDAL, 33)]


async def test_bus_off_makes_signals_unavailable_and_asks_for_a_restart(
    bridge: Bridge, client: RawClient
) -> None:
    await start(bridge, client)
    bridge.chassis.send(speed_frame(5))
    await becomes(client, SPEED, 5.0, VALID)
    bridge.chassis.error(0x40)
    await bus_state(client, "chassis", "bus-off")
    await becomes(client, SPEED, 5.0, UNAVAILABLE)
    async with asyncio.timeout(5):
        while not list((bridge.folder / "run").glob("restart/*")):
            await asyncio.sleep(0.02)
    bridge.chassis.error(0x100)
    await bus_state(client, "chassis", "error-active")
    bridge.chassis.send(speed_frame(5))
    await becomes(client, SPEED, 5.0, VALID)
    counters = (await prop(client, "Counters"))["chassis"]
    assert (counters["BusOff"], counters["Restarts"], counters["ErrorFrames"]) == (1, 1, 2)


async def test_what_is_heard_during_bus_off_still_ages(bridge: Bridge, client: RawClient) -> None:
    await start(bridge, client)
    bridge.chassis.error(0x40)
    await bus_state(client, "chassis", "bus-off")
    bridge.chassis.send(speed_frame(5))
    await becomes(client, SPEED, 5.0, VALID)
    await becomes(client, SPEED, 5.0, STALE)


async def test_garbage_is_counted_and_never_fatal(bridge: Bridge, client: RawClient) -> None:
    await start(bridge, client)
    bridge.chassis.send(b"", b"x", b"y" * 15, b"z" * 71, os.urandom(16), os.urandom(72))
    bridge.chassis.error(0x1FFF_FFFF, os.urandom(8))
    bridge.chassis.send(speed_frame(9)[:4] + b"\xff" + bytes(11), speed_frame(7))
    async with asyncio.timeout(5):
        while (await reading(client, SPEED))[0] != 7.0:
            bridge.chassis.send(speed_frame(7))
            await asyncio.sleep(0.05)


async def test_term_ends_it_in_under_two_seconds(bridge: Bridge, client: RawClient) -> None:
    await start(bridge, client)
    before = time.monotonic()
    code, err = bridge.stop()
    assert time.monotonic() - before < 2
    assert code == 0, err
    assert "Traceback" not in err


async def test_it_waits_for_the_message_bus(bridge: Bridge, bus: PrivateBus) -> None:
    bus.stop()
    bridge.start()
    await asyncio.sleep(1)
    bus.start()
    raw = await RawClient.connect(bus.address)
    await wait_for_name(raw)
    raw.close()


async def test_it_outlives_a_restart_of_the_message_bus(
    bridge: Bridge, bus: PrivateBus, client: RawClient
) -> None:
    await start(bridge, client)
    bus.restart()
    bridge.chassis.send(speed_frame(44))
    raw = await RawClient.connect(bus.address)
    await wait_for_name(raw)
    bridge.chassis.send(speed_frame(45))
    await becomes(raw, SPEED, 45.0, VALID)
    raw.close()


async def test_a_second_one_ends_with_the_reason(bridge: Bridge, client: RawClient) -> None:
    await start(bridge, client)
    first = bridge.process
    bridge.start()
    second, bridge.process = bridge.process, first
    assert second is not None
    _, err = second.communicate(timeout=10)
    assert second.returncode == 69
    assert f"{NAME} belongs to process {first.pid if first else 0}" in err


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("vehikle = 'x'", "vehikle: unknown key. Hint: did you mean 'vehicle'?"),
        ("vehicle = 'nosuch'", "no vehicle 'nosuch'"),
        (
            'vehicle = "{table}"\n[buses.chasis]',
            "buses.chasis: vehicle mini has no such bus. Hint: did you mean 'chassis'?",
        ),
    ],
)
async def test_wrong_settings_end_it_with_one_sentence(
    folder: Path, bus: PrivateBus, config: str, words: str
) -> None:
    bridge = Bridge(folder, bus.address, config)
    bridge.start()
    assert bridge.process
    _, err = bridge.process.communicate(timeout=10)
    bridge.close()
    assert bridge.process.returncode == 78
    assert words in err
    assert err.count("\n") == 1


async def test_a_table_of_another_format_is_refused_with_the_remedy(bridge: Bridge) -> None:
    write_table(bridge.folder / "tables/mini.py", format_=99)
    bridge.start()
    assert bridge.process
    _, err = bridge.process.communicate(timeout=10)
    assert bridge.process.returncode == 78
    assert "tables/mini.py: compiled vehicle has table format 99" in err
    assert "Hint: compile the vehicle folder again" in err


async def test_an_interface_that_is_not_there_is_a_state(
    folder: Path, bus: PrivateBus, client: RawClient
) -> None:
    bridge = Bridge(folder, bus.address, 'vehicle = "{table}"')
    await start(bridge, client)
    status = (await prop(client, "Buses"))["chassis"]
    assert (status["State"].value, status["Reason"].value) == ("unavailable", "there is no interface can0")
    assert bridge.stop()[0] == 0
    bridge.close()


async def test_other_interfaces_come_through_python_can(
    folder: Path, bus: PrivateBus, client: RawClient
) -> None:
    port = 20_000 + os.getpid() % 20_000
    config = CONFIG.replace(
        'interface = "datagram"\nchannel = "{folder}/chassis"',
        f'interface = "udp_multicast"\nchannel = "239.74.163.2"\noptions.port = {port}',
    )
    config = config.replace("{port}", str(port))
    bridge = Bridge(folder, bus.address, config)
    await start(bridge, client)
    with can.Bus(interface="udp_multicast", channel="239.74.163.2", port=port) as far:
        async with asyncio.timeout(5):
            while (await reading(client, SPEED)) != (3.0, VALID):
                far.send(can.Message(arbitration_id=0x100, data=speed_frame(3)[8:], is_extended_id=False))
                await asyncio.sleep(0.05)
    assert bridge.stop()[0] == 0
    bridge.close()


async def test_a_killed_client_is_nothing_to_it(bridge: Bridge, bus: PrivateBus, client: RawClient) -> None:
    await start(bridge, client)
    peer = await asyncio.create_subprocess_exec(
        "dbus-monitor", "--address", bus.address, stdout=asyncio.subprocess.PIPE
    )
    assert peer.stdout
    await peer.stdout.readline()
    peer.kill()
    await peer.wait()
    bridge.chassis.send(speed_frame(8))
    await becomes(client, SPEED, 8.0, VALID)


def test_what_changed_before_the_name_appeared_is_read_and_not_announced() -> None:
    announced: list[tuple[str, ...]] = []

    class Listener:
        def emit(self, spec: Any, args: tuple[Any, ...]) -> None: ...

        def properties_changed(self, interface: Any, names: tuple[str, ...]) -> None:
            announced.append(names)

    service = CanBridgeService("mini", [], Backend("python", ""))
    sinks_of(service).append(Listener())
    service.changed()
    service.name_taken()
    service.tick(PAUSE_NS)
    assert announced == []
    service.changed()
    service.tick(2 * PAUSE_NS)
    assert announced == [("Buses",)]
