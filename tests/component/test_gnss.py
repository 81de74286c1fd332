# SPDX-License-Identifier: Apache-2.0
"""The real gnss process between a private message bus, a pty with a receiver, and the real canbridge."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from smartcockpit.adapters.gnss_recording import pieces
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.publisher import SignalPublisher
from smartcockpit.bus.signal_service import SignalService
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.gnss.geodesy import between, moved
from smartcockpit.core.signals import Datatype, SignalSpec
from smartcockpit_bench.car.state import CarState
from smartcockpit_bench.gnss import nmea
from smartcockpit_bench.gnss.receiver import SimulatedReceiver
from support.dbus_client import RawClient
from support.dbus_daemon import PrivateBus
from support.debian_programs import program
from support.nmea import gga, rmc
from support.serial_line import SerialLine

ROOT = Path(__file__).resolve().parents[2]
NAME, PATH = "org.smartcockpit.Gnss1", "/org/smartcockpit/Gnss1"
SIGNALS = "/org/smartcockpit/Signals1"
HERE, OURS = "Vehicle.CurrentLocation.", "Vehicle.SmartCockpit.Location."
UNAVAILABLE, INVALID, STALE, VALID = range(4)
PATIENCE_S = 20


class Reader:
    """A gnss process of one's own."""

    def __init__(self, folder: Path, bus: PrivateBus) -> None:
        self.folder, self._bus = folder, bus
        self.device = folder / "gnss0"
        self.process: subprocess.Popen[str] | None = None
        self.settings("baudrate = 38400\nrate_hz = 0\nlost_after_s = 1")

    def settings(self, toml: str) -> None:
        (self.folder / "gnss.toml").write_text(f'device = "{self.device}"\n{toml}\n')

    def start(self, command: list[str] | None = None, **more: Any) -> None:
        self.process = subprocess.Popen(
            command or [sys.executable, "-m", "smartcockpit.daemons.gnss"],
            env=self._bus.environment | {"SMARTCOCKPIT_CONFIG_PATH": str(self.folder)},
            stderr=subprocess.PIPE, text=True, **more,
        )  # fmt: skip

    def stop(self) -> tuple[int, str]:
        assert self.process is not None
        self.process.terminate()
        _, err = self.process.communicate(timeout=5)
        return self.process.returncode, err

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sc-") as name:
        yield Path(name)


@pytest.fixture
def bus(folder: Path) -> Iterator[PrivateBus]:
    with PrivateBus(folder) as private:
        yield private


@pytest.fixture
def reader(folder: Path, bus: PrivateBus) -> Iterator[Reader]:
    made = Reader(folder, bus)
    yield made
    made.close()


@pytest_asyncio.fixture
async def line(reader: Reader) -> AsyncIterator[SerialLine]:
    async with SerialLine(reader.device) as made:
        yield made


@pytest_asyncio.fixture
async def client(bus: PrivateBus) -> AsyncIterator[RawClient]:
    raw = await RawClient.connect(bus.address)
    yield raw
    raw.close()


def car_at(speed_kmh: float = 36.0, heading_deg: float = 90.0) -> CarState:
    car = CarState()
    car.motion.speed_kmh, car.motion.heading_deg = speed_kmh, heading_deg
    return car


def quick(period_ms: int = 100) -> SimulatedReceiver:
    """A receiver that has its position at once, ten times a second."""
    receiver = SimulatedReceiver(first_fix_s=0)
    receiver._settings[0x3021_0001] = period_ms
    return receiver


async def started(reader: Reader, client: RawClient) -> None:
    reader.start()
    await named(client)


async def named(client: RawClient) -> None:
    dbus = "org.freedesktop.DBus"
    async with asyncio.timeout(PATIENCE_S):
        while not (await client.call(dbus, "/org/freedesktop/DBus", dbus, "NameHasOwner", "s", NAME)).body[0]:
            await asyncio.sleep(0.02)


async def readings(client: RawClient, *paths: str) -> list[tuple[Any, int]]:
    reply = await client.call(NAME, SIGNALS, "org.smartcockpit.Signals1", "Get", "as", list(paths))
    return [(value.value, quality) for _, value, quality, _ in reply.body[0]]


async def prop(client: RawClient, name: str) -> Any:
    reply = await client.call(NAME, PATH, "org.freedesktop.DBus.Properties", "Get", "ss", NAME, name)
    return reply.body[0].value


async def receiver_is(client: RawClient, state: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    async def look() -> bool:
        nonlocal found
        found = {key: value.value for key, value in (await prop(client, "Receiver")).items()}
        return bool(found["State"] == state)

    await eventually(look, lambda: found)
    return found


async def eventually(look: Callable[[], Any], told: Callable[[], Any] = str) -> None:
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await look():
                await asyncio.sleep(0.02)
    except TimeoutError:
        pytest.fail(f"it did not come to that: {told()}")


async def quality_is(client: RawClient, path: str, quality: int) -> None:
    async def look() -> bool:
        return (await readings(client, path))[0][1] == quality

    await eventually(look)


async def test_a_receiver_becomes_a_position(reader: Reader, line: SerialLine, client: RawClient) -> None:
    car = car_at()
    line.play(quick(), car)
    await started(reader, client)
    await quality_is(client, HERE + "Latitude", VALID)
    await quality_is(client, HERE + "Heading", VALID)
    names = ("Latitude", "Longitude", "Altitude", "Heading", "GNSSReceiver.FixType", "HorizontalAccuracy")
    latitude, longitude, altitude, heading, kind, accuracy = await readings(
        client, *(HERE + n for n in names)
    )
    assert latitude == (pytest.approx(car.motion.latitude_deg, abs=1e-4), VALID)
    assert longitude == (pytest.approx(car.motion.longitude_deg, abs=1e-4), VALID)
    assert altitude == (pytest.approx(478 + 46.9, abs=15), VALID)
    assert heading == (pytest.approx(90, abs=5), VALID)
    assert kind == ("THREE_D", VALID)
    assert 0 < accuracy[0] < 10
    (timestamp, _), (estimated, _) = await readings(client, HERE + "Timestamp", OURS + "IsEstimated")
    assert timestamp.startswith("20")
    assert timestamp.endswith("Z")
    assert estimated is False
    assert await prop(client, "Positioning") == "satellites"
    assert (await prop(client, "TimeToFirstFix")) >= 0


async def test_the_rate_is_found_and_a_ublox_receiver_set_up(
    reader: Reader, line: SerialLine, client: RawClient
) -> None:
    reader.settings("rate_hz = 5")
    line.baudrate = 9600
    receiver = SimulatedReceiver(first_fix_s=0)
    line.play(receiver, car_at())
    await started(reader, client)

    async def look() -> bool:
        status = await prop(client, "Receiver")
        return (status["Setup"].value, status["Protocol"].value) == ("done", "UBX")

    await eventually(look)
    status = await receiver_is(client, "fix")
    assert (status["Baudrate"], status["Model"]) == (9600, "NEO-M9N")
    assert receiver.period_s == 0.5, "two a second are what 9600 bit/s can carry"
    await quality_is(client, OURS + "SatellitesInView", VALID)
    rows = await prop(client, "Satellites")
    assert len(rows) > 10
    assert {row[0] for row in rows} >= {"GPS", "Galileo", "GLONASS"}


async def test_a_receiver_that_was_without_power_is_set_up_again(
    reader: Reader, line: SerialLine, client: RawClient
) -> None:
    reader.settings("baudrate = 38400\nrate_hz = 5")
    receiver = SimulatedReceiver(first_fix_s=0)
    line.play(receiver, car_at())
    await started(reader, client)

    async def is_set_up() -> bool:
        return receiver.period_s == 0.2 and (await prop(client, "Receiver"))["Setup"].value == "done"

    await eventually(is_set_up)
    receiver.power_cycle()
    assert receiver.period_s == 1.0
    await eventually(is_set_up)
    await quality_is(client, HERE + "Latitude", VALID)


async def test_a_line_that_makes_no_sense_is_told(
    reader: Reader, line: SerialLine, client: RawClient
) -> None:
    reader.settings("baudrate = 4800")
    line.play(quick(), car_at())
    await started(reader, client)
    await receiver_is(client, "searching")
    assert (await prop(client, "Counters"))["Fixes"] == 0


async def test_another_make_is_left_as_it_is(reader: Reader, line: SerialLine, client: RawClient) -> None:
    reader.settings("baudrate = 38400\nrate_hz = 5")
    line.play(SimulatedReceiver(first_fix_s=0, is_ublox=False), car_at())
    await started(reader, client)

    async def look() -> bool:
        return (await prop(client, "Receiver"))["Setup"].value == "left as it is"

    await eventually(look)
    await quality_is(client, HERE + "Latitude", VALID)


async def test_unplugging_is_a_state_and_plugging_brings_it_back(
    reader: Reader, line: SerialLine, client: RawClient
) -> None:
    line.play(quick(), car_at())
    await started(reader, client)
    await receiver_is(client, "fix")
    line.unplug()
    status = await receiver_is(client, "unavailable")
    assert str(reader.device) in status["Reason"]
    assert {q for _, q in await readings(client, HERE + "Latitude", HERE + "GNSSReceiver.FixType")} == {
        UNAVAILABLE
    }
    line.plug()
    await receiver_is(client, "fix")
    await quality_is(client, HERE + "Latitude", VALID)
    assert (await prop(client, "Counters"))["Opened"] == 2


async def test_it_starts_without_a_receiver(reader: Reader, client: RawClient) -> None:
    await started(reader, client)
    status = await receiver_is(client, "unavailable")
    assert status["Reason"].startswith(f"{reader.device} is not there")
    assert reader.stop()[0] == 0


async def test_silence_turns_stale_then_unavailable(
    reader: Reader, line: SerialLine, client: RawClient
) -> None:
    receiver = quick()
    line.play(receiver, car_at())
    await started(reader, client)
    await quality_is(client, HERE + "Latitude", VALID)
    receiver.faults.no_sky = True
    await quality_is(client, HERE + "Latitude", STALE)
    await quality_is(client, HERE + "Latitude", UNAVAILABLE)
    assert await readings(client, HERE + "GNSSReceiver.FixType") == [("NONE", VALID)]
    receiver.faults.no_sky = False
    await quality_is(client, HERE + "Latitude", VALID)


async def test_all_that_real_receivers_do_wrong_is_counted_and_never_fatal(
    reader: Reader, line: SerialLine, client: RawClient
) -> None:
    await started(reader, client)
    await receiver_is(client, "searching")
    bad = [
        b"\0" * 3000, b"$" + b"A" * 10_000 + b"\r\n", os.urandom(4000), rmc().replace(b"A,48", b"A,49"),
        nmea.sentence("GPRMC,99"), gga(place="9100.00000,N,00959.49600,E"), rmc()[:20], b"\xb5\x62\x01\x07\xff\x00",
    ]  # fmt: skip
    for data in bad:
        line.write(data)
        await asyncio.sleep(0.03)
    receiver = quick()
    receiver.faults.weeks_behind = 1024
    line.play(receiver, car_at())
    await quality_is(client, HERE + "Latitude", VALID)
    counters = await prop(client, "Counters")
    for kind in ("Checksum", "GarbageBytes", "TooLong", "Malformed", "Implausible", "CorrectedDates"):
        assert counters[kind] > 0, kind
    year = (await readings(client, HERE + "Timestamp"))[0][0][:4]
    assert int(year) >= time.gmtime().tm_year
    assert "Traceback" not in reader.stop()[1]


async def test_changes_are_announced_by_branch(reader: Reader, line: SerialLine, client: RawClient) -> None:
    await client.add_match(
        "type='signal',interface='org.smartcockpit.Signals1',arg0namespace='Vehicle.CurrentLocation'"
    )
    line.play(quick(), car_at())
    await started(reader, client)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            message = await client.signal()
            fresh = {path for path, _, quality, _ in message.body[1] if quality == VALID}
            if fresh >= {HERE + "Latitude", HERE + "Longitude", HERE + "Timestamp"}:
                break
    assert message.body[0] == "Vehicle.CurrentLocation"


async def test_a_recording_gives_the_same_positions_again(
    reader: Reader, line: SerialLine, client: RawClient
) -> None:
    recorded = reader.folder / "drive.scgnss"
    reader.settings(f'baudrate = 38400\nrate_hz = 0\n[record]\npath = "{recorded}"')
    line.play(quick(), car_at())
    await started(reader, client)
    await quality_is(client, HERE + "Latitude", VALID)
    await asyncio.sleep(1)
    last = {path: value for path, (value, _) in zip(PLACE, await readings(client, *PLACE), strict=True)}
    assert reader.stop()[0] == 0
    assert len(list(pieces(recorded))) >= 5
    reader.device = recorded
    reader.settings('source = "replay"\n[dead_reckoning]\nenabled = false')
    await client.add_match(
        "type='signal',interface='org.smartcockpit.Signals1',arg0='Vehicle.CurrentLocation'"
    )
    reader.start()
    async with asyncio.timeout(PATIENCE_S):
        while True:
            message = await client.signal()
            seen = {path: value.value for path, value, _, _ in message.body[1]}
            if seen.get(PLACE[2]) == last[PLACE[2]]:
                break
    assert {path: seen[path] for path in PLACE} == last
    status = await receiver_is(client, "unavailable")
    assert "has ended" in status["Reason"]


PLACE = (HERE + "Latitude", HERE + "Longitude", HERE + "Timestamp")


async def test_chrony_gets_the_difference_of_the_clocks(
    reader: Reader, line: SerialLine, client: RawClient
) -> None:
    path = reader.folder / "chrony.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as chrony:
        chrony.bind(str(path))
        chrony.setblocking(False)
        reader.settings(f'baudrate = 38400\nrate_hz = 0\nchrony_socket = "{path}"')
        receiver = quick()
        line.play(receiver, car_at())
        await started(reader, client)
        sample = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(chrony, 100), PATIENCE_S)
    assert len(sample) == 40
    seconds, fraction, offset, pulse, leap, _, magic = struct.unpack("=qqdiiii", sample)
    assert abs(time.time() - (seconds + fraction / 1e6)) < 30
    assert abs(offset) < 1.0
    assert (pulse, leap, magic) == (0, 0, 0x534F434B)


async def test_chronyd_takes_the_time(reader: Reader, line: SerialLine, client: RawClient) -> None:
    if os.geteuid():
        pytest.skip("chronyd wants to be root")
    daemon, environment = program("chronyd")
    path = reader.folder / "chrony.sock"
    config = (ROOT / "systemd/chrony/smartcockpit-gnss.conf").read_text()
    config = re.sub(r"SOCK \S+(.*) poll \d+", rf"SOCK {path}\1 poll 0", config)
    (reader.folder / "chrony.conf").write_text(
        f"{config}\nport 0\ncmdport 0\nbindcmdaddress /\npidfile {reader.folder}/pid\n"
    )
    # -x: it does not touch this machine's clock.
    words = [daemon, "-x", "-d", "-U", "-u", "root", "-f", str(reader.folder / "chrony.conf")]
    chronyd = await asyncio.create_subprocess_exec(
        *words, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        reader.settings(f'baudrate = 38400\nrate_hz = 0\nchrony_socket = "{path}"')
        line.play(quick(), car_at())
        await started(reader, client)
        assert chronyd.stdout is not None
        said: list[str] = []
        async with asyncio.timeout(2 * PATIENCE_S):
            while not said or "Selected source GNSS" not in said[-1]:
                said.append((await chronyd.stdout.readline()).decode())
                assert said[-1], said
    finally:
        chronyd.terminate()
        await chronyd.wait()


async def test_term_ends_it_in_under_two_seconds(reader: Reader, line: SerialLine, client: RawClient) -> None:
    line.play(quick(), car_at())
    await started(reader, client)
    await receiver_is(client, "fix")
    before = time.monotonic()
    code, err = reader.stop()
    assert time.monotonic() - before < 2
    assert code == 0, err
    assert "Traceback" not in err


async def test_it_outlives_a_restart_of_the_message_bus(
    reader: Reader, line: SerialLine, bus: PrivateBus, client: RawClient
) -> None:
    line.play(quick(), car_at())
    await started(reader, client)
    await receiver_is(client, "fix")
    bus.restart()
    raw = await RawClient.connect(bus.address)
    try:
        await named(raw)
        await quality_is(raw, HERE + "Latitude", VALID)
    finally:
        raw.close()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("baudrat = 1", "baudrat: unknown key. Hint: did you mean 'baudrate'?"),
        ('date_floor = "yesterday"', "date_floor: 'yesterday' is no date. Hint: write it as 2026-01-31"),
        ("rate_hz = 50", "rate_hz: 50 is out of range"),
    ],
)
async def test_wrong_settings_end_it_with_one_sentence(reader: Reader, settings: str, words: str) -> None:
    reader.settings(settings)
    reader.start()
    assert reader.process
    _, err = reader.process.communicate(timeout=10)
    assert reader.process.returncode == 78
    assert words in err
    assert err.count("\n") == 1


async def test_a_file_that_is_no_recording_ends_it_with_one_sentence(
    reader: Reader, client: RawClient
) -> None:
    reader.device = reader.folder / "gnss.toml"
    reader.settings('source = "replay"')
    reader.start()
    assert reader.process
    _, err = reader.process.communicate(timeout=10)
    assert reader.process.returncode == 78
    assert "is no recording of a receiver" in err


async def test_cockpitctl_shows_it(
    reader: Reader, line: SerialLine, bus: PrivateBus, client: RawClient
) -> None:
    line.play(quick(), car_at())
    await started(reader, client)
    await receiver_is(client, "fix")
    await quality_is(client, HERE + "Heading", VALID)

    async def look() -> bool:
        return bool(await prop(client, "Satellites"))

    await eventually(look)

    async def run(*words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "smartcockpit.cli",
            "gnss",
            *words,
            env=bus.environment,
            stdout=subprocess.PIPE,
        )
        out, _ = await asyncio.wait_for(process.communicate(), 20)
        assert process.returncode == 0
        return out.decode()

    table = await run("--satellites")
    assert "position by satellites" in table
    assert "latitude" in table
    assert "Galileo" in table
    found = json.loads(await run("--json"))
    assert found["receiver"]["state"] == "fix"
    assert found["position"]["latitude"]["quality"] == "valid"
    assert found["counters"]["sentences"] > 0
    assert {"constellation", "number", "used"} <= found["satellites"][0].keys()


# ---- the car's own motion ------------------------------------------------------------------------------

CAR_SPECS = (
    SignalSpec("Vehicle.Speed", Datatype.FLOAT, "km/h"),
    SignalSpec("Vehicle.AngularVelocity.Yaw", Datatype.FLOAT, "degrees/s"),
)


class CarOnTheBus:
    """A stand-in for the CAN bridge: owns speed and yaw rate of `car`, which it drives eastwards."""

    def __init__(self, address: str, car: CarState) -> None:
        self._car = car
        self._connection = BusConnection(address, "org.smartcockpit.CanBridge1")
        self._board = SignalBoard(CAR_SPECS)
        self._publisher = SignalPublisher(self._connection, self._board)
        self._connection.export(SignalService(self._board, refresh=self._renew))
        self._task: asyncio.Task[None] | None = None

    def _renew(self) -> None:
        self._board.times_us = [time.time_ns() // 1000] * len(CAR_SPECS)

    async def __aenter__(self) -> CarOnTheBus:
        await self._connection.connect()
        self._task = asyncio.create_task(self._drive(), name="car")
        return self

    async def _drive(self) -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.02)
            now = time.monotonic()
            way = self._car.motion.speed_kmh / 3.6 * (now - last)
            last = now
            here = (self._car.motion.latitude_deg, self._car.motion.longitude_deg)
            self._car.motion.latitude_deg, self._car.motion.longitude_deg = moved(*here, 0.0, way)
            self.say(VALID)

    def say(self, quality: int) -> None:
        now_us = time.time_ns() // 1000
        self._publisher.publish([(0, self._car.motion.speed_kmh, quality, now_us), (1, 0.0, quality, now_us)])

    async def leave(self) -> None:
        """The owner goes away; the car drives on."""
        await self._connection.close()

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._publisher.close()
        await self._connection.close()


async def error_m(client: RawClient, car: CarState) -> tuple[float, float]:
    """Return how far the published position is from the car, and how far it claims to be at most."""
    (lat, _), (lon, _), (claimed, _) = await readings(
        client, HERE + "Latitude", HERE + "Longitude", HERE + "HorizontalAccuracy"
    )
    truth = (car.motion.latitude_deg, car.motion.longitude_deg)
    return math.hypot(*between(truth, (lat, lon))), claimed


async def test_without_satellites_it_goes_on_by_the_cars_motion_as_long_as_that_is_told(
    reader: Reader, line: SerialLine, bus: PrivateBus, client: RawClient
) -> None:
    car, receiver = car_at(72.0), quick()
    line.play(receiver, car)
    async with CarOnTheBus(bus.address, car) as owner:
        await started(reader, client)

        async def ready() -> bool:
            return bool((await prop(client, "DeadReckoning"))["Ready"].value)

        await eventually(ready)
        receiver.faults.no_sky = True

        async def estimated() -> bool:
            return await readings(client, OURS + "IsEstimated") == [(True, VALID)]

        await eventually(estimated)
        await quality_is(client, HERE + "Altitude", STALE)
        first = (car.motion.latitude_deg, car.motion.longitude_deg)
        claims = []
        while math.hypot(*between(first, (car.motion.latitude_deg, car.motion.longitude_deg))) < 60.0:
            wrong, claimed = await error_m(client, car)
            assert wrong <= claimed + 5.0  # the car moves while we ask
            claims.append(claimed)
        assert claims == sorted(claims)
        assert claims[-1] > claims[0]
        line.unplug()
        await receiver_is(client, "unavailable")
        assert await readings(client, OURS + "IsEstimated") == [(True, VALID)]
        await owner.leave()
        await quality_is(client, HERE + "Latitude", STALE)
        await quality_is(client, HERE + "Latitude", UNAVAILABLE)
        receiver.faults.no_sky = False
        line.plug()
        await quality_is(client, HERE + "Latitude", VALID)
        assert await readings(client, OURS + "IsEstimated") == [(False, VALID)]


async def test_an_owner_whose_values_are_stale_is_not_believed(
    reader: Reader, line: SerialLine, bus: PrivateBus, client: RawClient
) -> None:
    car, receiver = car_at(72.0), quick()
    line.play(receiver, car)
    async with CarOnTheBus(bus.address, car) as owner:
        await started(reader, client)

        async def ready() -> bool:
            return bool((await prop(client, "DeadReckoning"))["Ready"].value)

        await eventually(ready)
        assert owner._task is not None
        owner._task.cancel()
        owner.say(STALE)

        async def unready() -> bool:
            return not await ready()

        await eventually(unready)
        receiver.faults.no_sky = True
        await quality_is(client, HERE + "Latitude", UNAVAILABLE)


# ---- gpsd's clients --------------------------------------------------------------------------------------


class GpsdPort:
    """A listening socket, passed as systemd passes it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def start(self, reader: Reader) -> None:
        command = 'exec 3<&"$1"; LISTEN_FDS=1 LISTEN_PID=$$ exec "$2" -m smartcockpit.daemons.gnss'
        fd = self.listener.fileno()
        reader.start(["/bin/bash", "-c", command, "sh", str(fd), sys.executable], pass_fds=(fd,))


@pytest.fixture
def gpsd() -> Iterator[GpsdPort]:
    made = GpsdPort()
    yield made
    made.listener.close()


async def lines(port: int, *requests: str) -> AsyncIterator[dict[str, Any]]:
    stream, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write("".join(request + "\n" for request in requests).encode())
        while line := await asyncio.wait_for(stream.readline(), PATIENCE_S):
            yield json.loads(line)
    finally:
        writer.close()


async def classes(port: int, wanted: int, *requests: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with contextlib.aclosing(lines(port, *requests)) as stream:
        async for report in stream:
            found.append(report)
            if len(found) == wanted:
                break
    return found


async def test_gpsds_clients_are_answered(
    reader: Reader, line: SerialLine, client: RawClient, gpsd: GpsdPort
) -> None:
    line.play(quick(), car_at())
    gpsd.start(reader)
    await named(client)
    found = await classes(gpsd.port, 3, '?WATCH={"enable":true,"json":true};')
    assert [report["class"] for report in found] == ["VERSION", "DEVICES", "WATCH"]
    await receiver_is(client, "fix")
    async with contextlib.aclosing(lines(gpsd.port, '?WATCH={"enable":true,"json":true};')) as stream:
        seen = set()
        async for report in stream:
            seen.add(report["class"])
            if report["class"] == "TPV" and report["mode"] == 3 and "SKY" in seen:
                break
    assert report["lat"] == pytest.approx(48.3984, abs=1e-3)
    found = await classes(gpsd.port, 4, "?POLL;", "?DEVICES;?NONSENSE;")
    poll, devices, error = found[1:]
    assert poll["tpv"][0]["mode"] == 3
    assert devices["devices"][0]["bps"] == 38400
    assert error["class"] == "ERROR"


async def test_gpsds_clients_may_send_anything_and_leave_at_any_time(
    reader: Reader, line: SerialLine, client: RawClient, gpsd: GpsdPort
) -> None:
    line.play(quick(), car_at())
    gpsd.start(reader)
    await named(client)
    for junk in (
        b"",
        b"\xff" * 5000,
        b"?WATCH={\n",
        b"?WATCH=[1]\n?WATCH=" + b"[" * 900 + b"\n",
        b"?" * 2000,
    ):
        with socket.create_connection(("127.0.0.1", gpsd.port)) as sock:
            sock.sendall(junk)
            await asyncio.sleep(0.05)
    watchers = [socket.create_connection(("127.0.0.1", gpsd.port)) for _ in range(5)]
    for sock in watchers:
        sock.sendall(b'?WATCH={"enable":true,"json":true};\n')
        sock.close()
    await receiver_is(client, "fix")
    found = await classes(gpsd.port, 2, "?DEVICES;")
    assert found[1]["class"] == "DEVICES"
    code, err = reader.stop()
    assert (code, "Traceback" in err) == (0, False), err


@pytest.mark.parametrize("tool", ["gpspipe", "cgps"])
async def test_debians_own_clients_of_gpsd_work(
    tool: str, reader: Reader, line: SerialLine, client: RawClient, gpsd: GpsdPort
) -> None:
    path, environment = program(tool)
    line.play(quick(), car_at())
    gpsd.start(reader)
    await named(client)
    await receiver_is(client, "fix")
    command = {
        "gpspipe": [path, "-w", "-n", "12", f"127.0.0.1:{gpsd.port}"],
        "cgps": ["timeout", "2.5", "script", "-qfc", f"{path} -s 127.0.0.1:{gpsd.port}", "/dev/null"],
    }[tool]
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment, "TERM": "xterm", "LINES": "40", "COLUMNS": "100"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    text = out.decode(errors="replace")
    if tool == "gpspipe":
        reports = [json.loads(row) for row in text.splitlines() if row.startswith("{")]
        assert {"VERSION", "DEVICES", "WATCH", "TPV"} <= {report["class"] for report in reports}
        assert any(report.get("mode") == 3 and "lat" in report for report in reports), text
    else:
        assert "48.39" in text
        assert "3D" in text
