# SPDX-License-Identifier: Apache-2.0
"""The simulated receiver is one to foreign parsers, errs like one, and its cable loses rather than waits."""

from __future__ import annotations

import asyncio
import io
import math
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from pynmeagps import NMEAReader
from pyubx2 import UBXReader
from smartcockpit_bench.car.model import Car
from smartcockpit_bench.car.state import CarState
from smartcockpit_bench.gnss import ubx
from smartcockpit_bench.gnss.feed import feed
from smartcockpit_bench.gnss.receiver import SimulatedReceiver

START_S = 1_772_366_400.0


def test_foreign_parsers_read_every_sentence_and_frame() -> None:
    receiver, car = SimulatedReceiver(first_fix_s=2), Car().advance(30)
    receiver._settings |= {0x2091_0007: 1, 0x2091_0016: 1}
    for i in range(5):
        data = receiver.epoch(car, START_S + i)
        sentences = [parsed for _, parsed in NMEAReader(io.BytesIO(data), nmeaonly=False, quitonerror=2)]
        assert {s.msgID for s in sentences} == {"RMC", "VTG", "GGA", "GLL", "GSA", "GSV"}
        frames = [parsed.identity for _, parsed in UBXReader(io.BytesIO(data), protfilter=2, quitonerror=2)]
        assert frames == ["NAV-PVT", "NAV-SAT"]


def test_it_errs_as_much_as_it_claims() -> None:
    receiver, car = SimulatedReceiver(first_fix_s=0), CarState()
    errors = []
    for i in range(2000):
        found = receiver.solve(car, START_S + i * 5)
        north = (found.latitude_deg - car.motion.latitude_deg) * 111_195
        east = (found.longitude_deg - car.motion.longitude_deg) * 111_195 * math.cos(math.radians(48.4))
        errors.append(math.hypot(north, east))
    share = sum(error <= found.horizontal_error_m for error in errors) / len(errors)
    assert 0.6 < share < 0.95
    assert 0.5 < statistics.median(errors) < 2.0


def test_the_same_seed_gives_the_same_bytes() -> None:
    one, other = SimulatedReceiver(seed=3), SimulatedReceiver(seed=3)
    assert [one.epoch(CarState(), START_S + i) for i in range(6)] == [
        other.epoch(CarState(), START_S + i) for i in range(6)
    ]


def test_first_fix_and_return_from_a_tunnel_take_their_time() -> None:
    receiver, car = SimulatedReceiver(first_fix_s=3), CarState()
    fixed = []
    for i in range(10):
        car.surroundings.sky_open = i not in (5, 6)
        fixed.append(receiver.solve(car, START_S + i * 0.6).fixed)
    assert fixed == [False] * 5 + [False, False, False, True, True]


def test_a_power_cycle_forgets_the_settings() -> None:
    receiver = SimulatedReceiver()
    receiver.take(ubx.frame(0x06, 0x8A, bytes(4) + b"\x01\x00\x21\x30\xc8\x00"))
    assert receiver.period_s == 0.2
    receiver.power_cycle()
    assert receiver.period_s == 1.0


async def test_the_cable_carries_both_ways_and_comes_back() -> None:
    with tempfile.TemporaryDirectory(prefix="sc-") as name:
        path = Path(name, "gnss.sock")
        taken: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        server = await asyncio.start_unix_server(lambda r, w: taken.put_nowait((r, w)), str(path))
        task = asyncio.create_task(feed(path, Car()))
        try:
            for _ in range(2):
                reader, writer = await asyncio.wait_for(taken.get(), 10)
                assert (await asyncio.wait_for(reader.readline(), 10)).startswith(b"$GNRMC")
                writer.write(ubx.frame(0x0A, 0x04))
                heard = b""
                while b"NEO-M9N" not in heard:
                    heard += await asyncio.wait_for(reader.read(4096), 10)
                writer.close()
                await writer.wait_closed()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            server.close()
            await server.wait_closed()


@pytest.mark.parametrize("verb", ["simulate", "replay"])
def test_the_hosts_tool_speaks_on_a_pseudo_terminal(verb: str, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "smartcockpit_bench.gnss", verb]
    if verb == "replay":
        from smartcockpit.adapters.gnss_recording import Recorder

        recorder = Recorder(tmp_path / "drive", 1 << 20)
        for i in range(200):
            recorder.take(b"$GNRMC,\r\n", i * 50_000_000, 0)
        recorder.close()
        words.append(str(tmp_path / "drive"))
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        with Path(process.stdout.readline().strip()).open("rb", buffering=0) as line:
            assert b"$GNRMC," in line.read(200) + line.read(200)
    finally:
        process.terminate()
        process.communicate()
