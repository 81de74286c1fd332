# SPDX-License-Identifier: Apache-2.0
"""The real power daemon process between lines made of files, a private bus, a fake logind and a paper car."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from dbus_next import Message, MessageFlag, MessageType
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.power_client import PowerClient
from smartcockpit.bus.publisher import SignalPublisher
from smartcockpit.bus.signal_service import SignalService
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.signals import Datatype, SignalSpec
from support.dbus_client import RawClient
from support.dbus_daemon import PrivateBus
from support.fake_logind import FakeLogind

NAME, PATH, SIGNALS = "org.smartcockpit.Power1", "/org/smartcockpit/Power1", "/org/smartcockpit/Signals1"
STATE, REVERSE = "Vehicle.LowVoltageSystemState", "Vehicle.SmartCockpit.IsReverseGearEngaged"
KEYS = "Vehicle.SmartCockpit.PressedKeys"
UNAVAILABLE, VALID = 0, 3
NUMBERS = {"ignition": 17, "reverse": 27, "volume-up": 5, "mute": 6, "amplifier": 22, "lamp": 23}
CONFIG = """
[gpio]
driver = "files"
chip = "{folder}/lines"
poll_ms = 5
[timing]
wake_s = 0
linger_s = {linger}
warn_s = 0.2
hold_s = {hold}
[inputs.ignition]
line = 17
debounce_ms = 20
[inputs.reverse]
line = 27
active = "low"
debounce_ms = 20
[inputs.volume-up]
line = 5
debounce_ms = 0
[inputs.mute]
line = 6
debounce_ms = 0
[outputs.amplifier]
line = 22
[outputs.lamp]
line = 23
active = "low"
{more}
"""


class Unit:
    """A power daemon of one's own, and the board around it."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address
        self.request = folder / "run/off"
        (folder / "run").mkdir()
        (folder / "lines").mkdir()
        self.process: subprocess.Popen[str] | None = None
        self.reverse(False)

    def configure(self, linger: float = 600, hold: float = 600, more: str = "", config: str = CONFIG) -> None:
        text = config.format(folder=self.folder, linger=linger, hold=hold, more=more)
        (self.folder / "power.toml").write_text(text)

    def start(self) -> None:
        environment = {
            "SMARTCOCKPIT_CONFIG_PATH": str(self.folder),
            "DBUS_SYSTEM_BUS_ADDRESS": self.address,
            "RUNTIME_DIRECTORY": str(self.folder / "run"),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "smartcockpit.daemons.power"],
            env=os.environ | environment, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def set(self, name: str, level: bool) -> None:
        """Put a level on a line, whole: a half-written file would be a level that no line has."""
        path = self.folder / "lines" / str(NUMBERS[name])
        path.with_suffix(".new").write_text(str(int(level)))
        path.with_suffix(".new").rename(path)

    def ignition(self, on: bool) -> None:
        self.set("ignition", on)

    def reverse(self, on: bool) -> None:
        self.set("reverse", not on)

    def level(self, name: str) -> bool:
        path = self.folder / "lines" / str(NUMBERS[name])
        return path.exists() and path.read_text().strip() == "1"

    def stop(self) -> tuple[int, str]:
        assert self.process is not None
        self.process.terminate()
        _, err = self.process.communicate(timeout=5)
        return self.process.returncode, err

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class Car:
    """The CAN bridge's name with three signals of a car behind it."""

    SPECS = (
        SignalSpec("Vehicle.LowVoltageBattery.CurrentVoltage", Datatype.FLOAT, "V"),
        SignalSpec("Vehicle.Cabin.Door.Row1.DriverSide.IsOpen", Datatype.BOOLEAN),
        SignalSpec(STATE, Datatype.STRING),
    )

    def __init__(self, address: str) -> None:
        self.bus = BusConnection(address, "org.smartcockpit.CanBridge1")
        board = SignalBoard(self.SPECS)
        self.bus.export(SignalService(board))
        self._publisher = SignalPublisher(self.bus, board)

    def say(self, index: int, value: Any, quality: int = VALID) -> None:
        self._publisher.publish([(index, value, quality, time.time_ns() // 1000)])

    async def stop(self) -> None:
        self._publisher.close()
        await self.bus.close()


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sc-") as name:
        yield Path(name)


@pytest.fixture
def bus(folder: Path) -> Iterator[PrivateBus]:
    with PrivateBus(folder) as private:
        yield private


@pytest.fixture
def unit(folder: Path, bus: PrivateBus) -> Iterator[Unit]:
    made = Unit(folder, bus.address)
    made.configure()
    yield made
    made.close()


@pytest_asyncio.fixture
async def client(bus: PrivateBus) -> AsyncIterator[RawClient]:
    raw = await RawClient.connect(bus.address)
    yield raw
    raw.close()


@pytest_asyncio.fixture
async def logind(bus: PrivateBus) -> AsyncIterator[FakeLogind]:
    fake = await FakeLogind.start(bus.address)
    yield fake
    fake.close()


@pytest_asyncio.fixture
async def car(bus: PrivateBus) -> AsyncIterator[Car]:
    made = Car(bus.address)
    await made.bus.connect()
    yield made
    await made.stop()


async def eventually(what: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not what():
            await asyncio.sleep(0.01)


async def prop(client: RawClient, name: str) -> Any:
    reply = await client.call(NAME, PATH, "org.freedesktop.DBus.Properties", "Get", "ss", NAME, name)
    return reply.body[0].value if reply.message_type is MessageType.METHOD_RETURN else None


async def becomes(client: RawClient, name: str, *values: Any) -> None:
    last = None
    try:
        async with asyncio.timeout(10):
            while (last := await prop(client, name)) not in values:
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"{name} is {last!r}, not {values}")


async def reads(client: RawClient, path: str, value: Any, quality: int = VALID) -> None:
    last = None
    try:
        async with asyncio.timeout(10):
            while last != (value, quality):
                reply = await client.call(NAME, SIGNALS, "org.smartcockpit.Signals1", "Get", "as", [path])
                if reply.message_type is MessageType.METHOD_RETURN:
                    last = (reply.body[0][0][1].value, reply.body[0][0][2])
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"{path} is {last}, not {(value, quality)}")


async def running(unit: Unit, client: RawClient) -> None:
    unit.ignition(True)
    unit.start()
    await becomes(client, "State", "running")


async def test_lines_become_signals_and_state(unit: Unit, client: RawClient) -> None:
    await running(unit, client)
    await reads(client, STATE, "ON")
    await reads(client, REVERSE, False)
    unit.reverse(True)
    await reads(client, REVERSE, True)
    unit.set("mute", True)
    await reads(client, KEYS, ["mute"])
    unit.set("volume-up", True)
    await reads(client, KEYS, ["volume-up", "mute"])
    unit.ignition(False)
    await becomes(client, "State", "accessory")
    await reads(client, STATE, "OFF")
    assert (await prop(client, "Ignition"), await prop(client, "Reason")) == ("off", "ignition off")
    assert 590 < await prop(client, "TimeToShutdown") <= 600


async def test_outputs_follow_the_state(unit: Unit, client: RawClient) -> None:
    await running(unit, client)
    await eventually(lambda: unit.level("amplifier"))
    await eventually(lambda: not unit.level("lamp"))  # active low: steadily on
    rows = {row[0]: row[1:] for row in await prop(client, "LineStates")}
    assert rows["amplifier"] == ["output", 22, "on"]
    assert rows["ignition"] == ["input", 17, "on"]
    code, err = unit.stop()
    assert (code, "Traceback" in err) == (0, False)
    assert (unit.level("amplifier"), unit.level("lamp")) == (False, True)


async def test_linger_ends_in_a_request_and_the_amplifier_goes_off_before_it(
    unit: Unit, client: RawClient
) -> None:
    unit.configure(linger=0.3)
    await running(unit, client)
    await eventually(lambda: unit.level("amplifier"))
    unit.ignition(False)
    await becomes(client, "State", "shutting-down")
    await eventually(lambda: not unit.level("amplifier"))
    await eventually(unit.request.exists)
    assert unit.request.read_text() == "check\n"


async def test_ignition_during_the_shutdown_takes_the_request_back(unit: Unit, client: RawClient) -> None:
    unit.configure(linger=0)
    await running(unit, client)
    unit.ignition(False)
    await eventually(unit.request.exists)
    unit.ignition(True)
    await becomes(client, "State", "running")
    await eventually(lambda: not unit.request.exists())
    await eventually(lambda: unit.level("amplifier"))


async def test_shutdown_that_logind_announces_is_final_until_it_calls_it_off(
    unit: Unit, client: RawClient, logind: FakeLogind
) -> None:
    await running(unit, client)
    logind.prepare_for_shutdown(True)
    await becomes(client, "State", "off")
    assert await prop(client, "Reason") == "the system was told to go down"
    logind.prepare_for_shutdown(False)
    await becomes(client, "State", "running")


async def test_shutdown_that_has_begun_before_the_daemon_is_heard_of(
    unit: Unit, client: RawClient, logind: FakeLogind
) -> None:
    logind.prepare_for_shutdown(True)
    unit.ignition(True)
    unit.start()
    await becomes(client, "State", "off")


async def inhibit(address: str, *words: str) -> tuple[Any, RawClient]:
    caller = await RawClient.connect(address, fds=True)
    return await caller.call(NAME, PATH, NAME, "Inhibit", "sss", *words), caller


async def test_an_inhibition_lasts_as_long_as_its_descriptor(
    unit: Unit, bus: PrivateBus, client: RawClient
) -> None:
    unit.configure(linger=0.2)
    await running(unit, client)
    reply, caller = await inhibit(bus.address, "shutdown", "update", "writing slot B")
    assert reply.message_type is MessageType.METHOD_RETURN
    unit.ignition(False)
    await becomes(client, "Reason", "held up by update (writing slot B)")
    assert [row[:3] for row in await prop(client, "Inhibitors")] == [
        ["update", "writing slot B", caller.name]
    ]
    assert not unit.request.exists()
    os.close(reply.unix_fds[0])
    await eventually(unit.request.exists)
    assert await prop(client, "Inhibitors") == []
    caller.close()


async def test_our_own_client_takes_the_descriptor_and_lets_go(
    unit: Unit, bus: PrivateBus, client: RawClient
) -> None:
    unit.configure(linger=0.2)
    await running(unit, client)
    connection = BusConnection(bus.address)
    await connection.connect()
    lock = await PowerClient(connection).inhibit("update", "writing slot B")
    unit.ignition(False)
    await becomes(client, "Reason", "held up by update (writing slot B)")
    assert not os.get_inheritable(lock)
    os.close(lock)
    await eventually(unit.request.exists)
    await connection.close()


async def test_an_inhibition_ends_with_a_caller_that_is_killed(
    unit: Unit, bus: PrivateBus, client: RawClient
) -> None:
    await running(unit, client)
    code = (
        "import asyncio, sys\nfrom dbus_next import Message\nfrom dbus_next.aio import MessageBus\n"
        "async def main():\n"
        " bus = await MessageBus(bus_address=sys.argv[1], negotiate_unix_fd=True).connect()\n"
        f" await bus.call(Message(destination='{NAME}', path='{PATH}', interface='{NAME}', member='Inhibit',"
        " signature='sss', body=['shutdown', 'phone', 'a call']))\n"
        " print('held', flush=True)\n await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, bus.address], stdout=subprocess.PIPE) as caller:
        assert caller.stdout is not None
        assert await asyncio.to_thread(caller.stdout.readline) == b"held\n"
        assert [row[0] for row in await prop(client, "Inhibitors")] == ["phone"]
        caller.kill()
    await becomes(client, "Inhibitors", [])


async def test_inhibitors_are_overridden_after_their_time(
    unit: Unit, bus: PrivateBus, client: RawClient
) -> None:
    unit.configure(linger=0.1, hold=0.5)
    await running(unit, client)
    reply, caller = await inhibit(bus.address, "shutdown", "update", "")
    unit.ignition(False)
    await becomes(client, "Reason", "held up by update")
    await eventually(unit.request.exists)
    assert unit.request.read_text() == "force\n"
    os.close(reply.unix_fds[0])
    caller.close()


async def test_what_logind_blocks_holds_up_as_well(unit: Unit, client: RawClient, logind: FakeLogind) -> None:
    logind.block("apt", "installing")
    unit.configure(linger=1)
    await running(unit, client)
    unit.ignition(False)
    await becomes(client, "Reason", "held up by apt (installing)")
    assert ["apt", "installing", "org.freedesktop.login1", 0] in await prop(client, "Inhibitors")
    logind.rows.clear()
    await eventually(unit.request.exists)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("sleep", "x", "y"), "org.smartcockpit.Error.Usage"),
        (("shutdown", "", "y"), "org.smartcockpit.Error.Usage"),
        (("shutdown", "\n\t", "y"), "org.smartcockpit.Error.Usage"),
    ],
)
async def test_wrong_words_are_refused(
    unit: Unit, bus: PrivateBus, client: RawClient, words: tuple[str, ...], error: str
) -> None:
    await running(unit, client)
    reply, caller = await inhibit(bus.address, *words)
    assert reply.error_name == error
    caller.close()


async def test_a_caller_that_piles_up_inhibitions_is_stopped_and_leaks_nothing(
    unit: Unit, bus: PrivateBus, client: RawClient
) -> None:
    await running(unit, client)
    assert unit.process is not None
    open_files = Path(f"/proc/{unit.process.pid}/fd")
    before = len(list(open_files.iterdir()))
    first, caller = await inhibit(bus.address, "shutdown", "x", "y")
    words = ("Inhibit", "sss", "shutdown", "x", "y")
    replies = [first, *[await caller.call(NAME, PATH, NAME, *words) for _ in range(20)]]
    assert [reply.error_name for reply in replies[4:]] == ["org.smartcockpit.Error.Limit"] * 17
    for reply in replies[:4]:
        os.close(reply.unix_fds[0])
    await becomes(client, "Inhibitors", [])
    # One who does not want the answer gets no descriptor, and holds nothing up.
    unanswered = Message(
        destination=NAME,
        path=PATH,
        interface=NAME,
        member="Inhibit",
        signature="sss",
        body=["shutdown", "x", "y"],
    )
    unanswered.flags = MessageFlag.NO_REPLY_EXPECTED
    await caller._bus.send(unanswered)
    await caller.call(NAME, PATH, "org.freedesktop.DBus.Peer", "Ping")
    await becomes(client, "Inhibitors", [])
    caller.close()
    await eventually(lambda: len(list(open_files.iterdir())) == before)


async def test_wrong_types_are_an_error_and_nothing_else(unit: Unit, client: RawClient) -> None:
    await running(unit, client)
    for member, signature, body in (
        ("Inhibit", "ss", ["a", "b"]),
        ("Inhibit", "sssu", ["a", "b", "c", 1]),
        ("Stay", "i", [-1]),
    ):
        reply = await client.call(NAME, PATH, NAME, member, signature, *body)
        assert reply.error_name == "org.freedesktop.DBus.Error.InvalidArgs"


async def test_stay_is_granted_only_while_lingering(unit: Unit, client: RawClient) -> None:
    await running(unit, client)
    assert (await client.call(NAME, PATH, NAME, "Stay", "u", 60)).body == [0]
    unit.ignition(False)
    await becomes(client, "State", "accessory")
    assert (await client.call(NAME, PATH, NAME, "Stay", "u", 3600)).body == [3600]
    assert await prop(client, "Reason") == "asked to stay on"
    (granted,) = (await client.call(NAME, PATH, NAME, "Stay", "u", 2**32 - 1)).body
    assert 7190 <= granted <= 7200


async def test_chip_that_vanishes_is_a_state_and_comes_back(unit: Unit, client: RawClient) -> None:
    await running(unit, client)
    shutil.move(unit.folder / "lines", unit.folder / "gone")
    await reads(client, STATE, "ON", UNAVAILABLE)
    assert (
        await prop(client, "Lines")
        == f"there is no folder {unit.folder}/lines. Hint: mkdir {unit.folder}/lines"
    )
    assert (await prop(client, "State"), await prop(client, "Ignition")) == ("running", "unknown")
    shutil.move(unit.folder / "gone", unit.folder / "lines")
    await reads(client, STATE, "ON")
    await eventually(lambda: unit.level("amplifier"))
    assert await prop(client, "Lines") == "ok"


async def test_line_that_reads_nonsense_is_unavailable(unit: Unit, client: RawClient) -> None:
    await running(unit, client)
    (unit.folder / "lines/27").write_bytes(os.urandom(16))
    await reads(client, REVERSE, False, UNAVAILABLE)
    unit.reverse(True)
    await reads(client, REVERSE, True)


async def test_line_that_bounces_at_1_khz_gives_one_change(unit: Unit, client: RawClient) -> None:
    await running(unit, client)
    await reads(client, REVERSE, False)
    await client.add_match("type='signal',interface='org.smartcockpit.Signals1',arg0='Vehicle.SmartCockpit'")
    for n in range(100):
        unit.reverse(bool(n % 2))
        await asyncio.sleep(0.0005)
    unit.reverse(True)
    await reads(client, REVERSE, True)
    changes = [value.value for path, value, *_ in (await client.signal()).body[1] if path == REVERSE]
    assert changes == [True]


async def test_driver_who_leaves_shortens_the_linger(unit: Unit, client: RawClient, car: Car) -> None:
    async def door(is_open: bool, marker_v: float) -> None:
        """Move the door, and wait until the daemon has seen what was said after it."""
        car.say(1, is_open)
        car.say(0, marker_v)
        await becomes(client, "Voltage", marker_v)

    await running(unit, client)
    await door(False, 12.5)
    unit.ignition(False)
    await becomes(client, "State", "accessory")
    await door(True, 12.6)
    await door(False, 12.7)
    await becomes(client, "Reason", "ignition off, the driver has left")
    assert await prop(client, "TimeToShutdown") <= 60
    await door(True, 12.8)
    await becomes(client, "Reason", "ignition off")


async def test_voltage_of_the_car_is_told_and_a_stale_one_is_unknown(
    unit: Unit, client: RawClient, car: Car
) -> None:
    await running(unit, client)
    car.say(0, 12.6)
    await becomes(client, "Battery", "normal")
    assert await prop(client, "Voltage") == 12.6
    car.say(0, 12.6, quality=2)
    await becomes(client, "Battery", "unknown")


async def test_ignition_can_come_from_the_can_bridge(unit: Unit, client: RawClient, car: Car) -> None:
    unit.configure(more='[ignition]\nsource = "can"')
    unit.start()
    car.say(2, "ACC")
    await becomes(client, "State", "running")
    reply = await client.call(NAME, SIGNALS, "org.smartcockpit.Signals1", "List", "s", "")
    assert [row[0] for row in reply.body[0]] == [REVERSE, KEYS], "the CAN bridge's own signal is not shadowed"
    car.say(2, "LOCK")
    await becomes(client, "State", "accessory")
    car.say(2, "UNDEFINED")
    await becomes(client, "Ignition", "unknown")
    assert await prop(client, "State") == "accessory"


async def test_without_lines_it_waits_and_says_so(unit: Unit, client: RawClient) -> None:
    unit.configure(config="")
    unit.start()
    await becomes(client, "State", "waking")
    assert await prop(client, "Lines") == "none"
    assert await prop(client, "TimeToShutdown") == -1


async def test_gpiozeros_mock_factory_serves_the_same_settings(unit: Unit, client: RawClient) -> None:
    text = CONFIG.replace('driver = "files"', 'driver = "mock"').replace(
        "line = 17", 'line = 17\npull = "up"'
    )
    unit.configure(config=text)
    unit.start()
    await becomes(client, "State", "running")
    assert await prop(client, "Lines") == "ok"


async def test_a_chip_that_is_not_there_is_a_state(unit: Unit, client: RawClient) -> None:
    pytest.importorskip("lgpio")
    text = CONFIG.replace('driver = "files"', 'driver = "lgpio"').replace("{folder}/lines", "no-such-chip")
    unit.configure(config=text)
    unit.start()
    await becomes(client, "State", "waking")
    assert "there is no GPIO chip no-such-chip" in await prop(client, "Lines")
    assert unit.stop()[0] == 0


async def test_it_outlives_a_restart_of_the_message_bus(
    unit: Unit, bus: PrivateBus, client: RawClient
) -> None:
    await running(unit, client)
    bus.restart()
    raw = await RawClient.connect(bus.address)
    unit.ignition(False)
    await becomes(raw, "State", "accessory")
    raw.close()


async def test_term_ends_it_in_under_two_seconds(unit: Unit, bus: PrivateBus, client: RawClient) -> None:
    await running(unit, client)
    _, caller = await inhibit(bus.address, "shutdown", "x", "y")
    before = time.monotonic()
    code, err = unit.stop()
    assert time.monotonic() - before < 2
    assert (code, "Traceback" in err) == (0, False), err
    caller.close()


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("linger_s = 1", "linger_s: unknown key"),
        ("[outputs.amplifie]", "outputs.amplifie: no such output. Hint: did you mean 'amplifier'?"),
        ("[inputs.a]\nline = 3\n[outputs.fan]\nline = 3", "outputs.fan: line 3 is inputs.a already"),
        ("[inputs.a]\nline = -1", "inputs.a.line: -1 is out of range"),
        (
            '[inputs.a]\nactive = "hihg"',
            "inputs.a.active: 'hihg' is not possible. Hint: did you mean 'high'?",
        ),
        ("[battery]\ncritical_v = 13.0", "thresholds are out of order"),
        ("[fan]\noff_c = 90.0", "fan.off_c: 90.0 is above on_c"),
        ('[ignition]\nsource = "key"', "ignition.source: 'key' is not possible"),
    ],
)
async def test_wrong_settings_end_it_with_one_sentence(unit: Unit, config: str, words: str) -> None:
    unit.configure(config=config)
    unit.start()
    assert unit.process
    _, err = unit.process.communicate(timeout=10)
    assert (unit.process.returncode, err.count("\n")) == (78, 1), err
    assert words in err
