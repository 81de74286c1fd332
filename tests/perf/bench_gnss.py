# SPDX-License-Identifier: Apache-2.0
"""What reading a GNSS receiver costs: parsing beside pynmeagps and pyubx2, and the way from sentence to D-Bus.

Parsing: epochs of a 10 Hz receiver with 40 satellites in view, all sentences with every epoch (more than any
receiver sends), framed, checked, parsed and merged to fixes; the libraries only frame and parse. The target is
50 times what comes: 2 ms of CPU time an epoch.
Latency: the daemon's process on a pty; from the write of the last byte of an epoch's GGA to the arrival of
`Changed` with the latitude at a subscriber, wall time.

    python tests/perf/bench_gnss.py
"""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from perf.report import cpu_us_per_item, print_table
from pynmeagps import NMEAReader
from pyubx2 import UBXReader
from smartcockpit.core.gnss.navigator import Navigator
from smartcockpit.core.gnss.receiver import Receiver
from smartcockpit_bench.car.state import CarState
from smartcockpit_bench.gnss import nmea, ubx
from smartcockpit_bench.gnss.receiver import SimulatedReceiver
from smartcockpit_bench.gnss.sky import FLEET, Seen
from smartcockpit_bench.gnss.solution import Solution
from support.dbus_client import RawClient
from support.dbus_daemon import PrivateBus
from support.serial_line import SerialLine

RATE_HZ = 10
TARGET = 50.0
LATENCY_MS = 20.0
EPOCHS = 50
ROUNDS = 150
START_S = 1_772_366_400.0


def solution(number: int) -> Solution:
    """Return an epoch with 40 satellites in view."""
    sky = [Seen(s, n, 10.0 + i * 1.9, i * 9.0, 45.0) for i, (s, n) in enumerate(FLEET[:40])]
    sky += [Seen(0, 2 * i + 2, 30.0, 50.0, 40.0) for i in range(40 - len(sky))]
    return Solution(
        START_S + number / RATE_HZ, True, True, 48.4, 10.0, 478.0, speed_mps=20.0, course_deg=90.0,
        horizontal_error_m=1.8, vertical_error_m=3.0, hdop=0.7, pdop=1.2, satellites=sky,
    )  # fmt: skip


def ours(epochs: list[bytes]) -> int:
    """Read `epochs`, with the navigator behind it as in the daemon; return how many they were."""
    receiver, navigator, fixes = Receiver(0), Navigator(), 0
    for i, data in enumerate(epochs):
        for fix in receiver.feed(data, i * 100_000_000, 0):
            navigator.take_fix(fix, fix.at_ns)
            fixes += 1
        receiver.satellites(i * 100_000_000)
    assert fixes >= len(epochs) - 1
    return len(epochs)


def theirs(reader: type, epochs: list[bytes]) -> int:
    """Read `epochs` with a library."""
    for data in epochs:
        for _ in reader(io.BytesIO(data)):
            pass
    return len(epochs)


def parsing() -> bool:
    """Print the cost of parsing; return whether the target is met."""
    kinds = {
        "NMEA, all sentences": (NMEAReader, [nmea.burst(solution(i), with_sky=True) for i in range(EPOCHS)]),
        "UBX, NAV-PVT and NAV-SAT": (
            UBXReader, [ubx.nav_pvt(solution(i)) + ubx.nav_sat(solution(i)) for i in range(EPOCHS)],
        ),
    }  # fmt: skip
    rows, met = [], True
    for name, (library, epochs) in kinds.items():
        mine = cpu_us_per_item(lambda epochs=epochs: ours(epochs))
        peer = cpu_us_per_item(lambda library=library, epochs=epochs: theirs(library, epochs), rounds=3)
        times = 1e6 / RATE_HZ / mine
        met &= times >= TARGET
        rows.append(
            (name, len(epochs[0]), f"{mine:.0f}", f"{peer:.0f}", f"{peer / mine:.1f}", f"{times:.0f}",
             f"{1e6 / RATE_HZ / peer:.0f}", "yes" if times >= TARGET else "NO")
        )  # fmt: skip
    columns = (
        "epoch of 40 satellites",
        "bytes",
        "us",
        "library us",
        "times faster",
        "times 10 Hz",
        "library",
        ">= 50",
    )
    print_table("GNSS parsing, CPU time", columns, rows)
    return met


async def latency(folder: Path, bus: PrivateBus) -> list[float]:
    """Return ms from the last byte of an epoch to `Changed` with its position, `ROUNDS` times."""
    (folder / "gnss.toml").write_text(
        f'device = "{folder}/gnss0"\nbaudrate = 38400\nrate_hz = 0\n[dead_reckoning]\nenabled = false\n'
    )
    device, car, found = SimulatedReceiver(first_fix_s=0), CarState(), []
    async with SerialLine(folder / "gnss0") as line:
        process = subprocess.Popen(
            [sys.executable, "-m", "smartcockpit.daemons.gnss"], stderr=subprocess.DEVNULL,
            env=bus.environment | {"SMARTCOCKPIT_CONFIG_PATH": str(folder), "PYTHONPATH": os.pathsep.join(sys.path)},
        )  # fmt: skip
        try:
            client = await RawClient.connect(bus.address)
            await client.add_match("type='signal',arg0='Vehicle.CurrentLocation'")
            for i in range(ROUNDS + 10):
                data = device.epoch(car, START_S + i)
                start = time.monotonic()
                line.write(data)
                while True:
                    try:
                        message = await asyncio.wait_for(client.signal(), 0.5)
                    except TimeoutError:
                        break  # it has not opened the line yet
                    if any(row[0].endswith("Latitude") and row[2] == 3 for row in message.body[1]):
                        found.append((time.monotonic() - start) * 1000)
                        break
                await asyncio.sleep(0.05)
            client.close()
        finally:
            process.terminate()
            process.wait(5)
    return found[5:]


def main() -> int:
    """Print both tables; exit code 1 when a target is missed."""
    met = parsing()
    with tempfile.TemporaryDirectory(prefix="sc-") as name, PrivateBus(Path(name)) as bus:
        took = sorted(asyncio.run(latency(Path(name), bus)))
    worst = took[int(len(took) * 0.99)]
    columns = ("sentence to subscriber", "p50 ms", "p99 ms", "target", "met")
    row = (
        f"{len(took)} epochs",
        f"{took[len(took) // 2]:.1f}",
        f"{worst:.1f}",
        f"<= {LATENCY_MS:g}",
        "yes" if worst <= LATENCY_MS else "NO",
    )
    print_table("GNSS latency, wall time", columns, [row])
    return 0 if met and worst <= LATENCY_MS else 1


if __name__ == "__main__":
    sys.exit(main())
