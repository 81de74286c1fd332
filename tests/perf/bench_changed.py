# SPDX-License-Identifier: Apache-2.0
"""What `Signals1.Changed` costs its sender, beside dbus-next's own signal emission, in one run.

CPU time of the sending process for messages of 1, 10 and 100 values on a private dbus-daemon with one raw
subscriber, each way from the same readings (value, quality, time) to the socket: ours is
`SignalPublisher.publish` with board and coalescer, theirs a `ServiceInterface` signal. Rounds alternate,
the table shows the least disturbed one of each. Target: 10 values at least 10 times as cheap.

    python tests/perf/bench_changed.py
"""

from __future__ import annotations

import asyncio
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from dbus_next import Message, Variant
from dbus_next.aio import MessageBus
from dbus_next.service import ServiceInterface, signal
from perf.report import print_table
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.publisher import SignalPublisher
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.coalesce import TICK_NS
from smartcockpit.core.signals import Datatype, SignalSpec
from support.dbus_daemon import PrivateBus

TARGET = 10.0
VALUES = (1, 10, 100)
MESSAGES = 400
ROUNDS = 15
BURST_VALUES = 200
"""Values between two turns of the loop: with many more at once dbus-next loses the connection."""

INTERFACE, PATH = "org.smartcockpit.Signals1", "/org/smartcockpit/Signals1"


class EveryMessageIsDue:
    """A clock on which a tick has passed each time that one looks."""

    def __init__(self) -> None:
        self._now_ns = 0

    def monotonic_ns(self) -> int:
        self._now_ns += 2 * TICK_NS
        return self._now_ns

    def realtime_us(self) -> int:
        return 0


class Stock(ServiceInterface):  # type: ignore[misc]
    """The signal as a dbus-next service declares it."""

    @signal(name="Changed")  # type: ignore[misc]
    def changed(self, branch: str, updates: list[list[object]]) -> "sa(svyt)":  # type: ignore # noqa: F821, UP037
        return [branch, updates]


def subscribe(address: str) -> socket.socket:
    """Return a subscriber that only reads bytes, in a thread of its own process clock share: none."""
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(address.partition("=")[2])
    sock.sendall(b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n")
    bus = "org.freedesktop.DBus"
    where = {"destination": bus, "path": "/org/freedesktop/DBus", "interface": bus}
    hello = Message(**where, member="Hello", serial=1)
    match = Message(**where, member="AddMatch", signature="s", body=[f"interface='{INTERFACE}'"], serial=2)
    sock.sendall(bytes(hello._marshall() + match._marshall()))

    def drain() -> None:
        while sock.recv(1 << 20):
            pass

    threading.Thread(target=drain, daemon=True).start()
    return sock


async def cost_us(emit: Callable[[int], None], flushed: Callable[[], Awaitable[None]], burst: int) -> float:
    """Return the CPU time of this thread per message in µs."""
    begin = time.thread_time_ns()
    for n in range(MESSAGES):
        emit(n)
        if n % burst == burst - 1:
            await flushed()
    await flushed()
    return (time.thread_time_ns() - begin) / 1e3 / MESSAGES


async def measure(address: str, count: int) -> tuple[float, float]:
    """Return µs per message of `count` values: (dbus-next, ours)."""
    paths = [f"Vehicle.Chassis.Axle.Signal{i}" for i in range(count)]
    stock_bus = await MessageBus(bus_address=address).connect()
    stock = Stock(INTERFACE)
    stock_bus.export(PATH, stock)
    bus = BusConnection(address)
    board = SignalBoard([SignalSpec(path, Datatype.DOUBLE) for path in paths])
    publisher = SignalPublisher(bus, board, EveryMessageIsDue())
    await bus.connect()

    readings = [[(i, n + 0.5, 3, n) for i in range(count)] for n in range(MESSAGES)]

    def emit_stock(n: int) -> None:
        rows = [[paths[i], Variant("d", value), quality, time] for i, value, quality, time in readings[n]]
        stock.changed("Vehicle.Chassis.Axle", rows)

    def emit_ours(n: int) -> None:
        publisher.publish(readings[n])

    async def stock_flushed() -> None:
        while stock_bus._writer.buf is not None or stock_bus._writer.messages.qsize():
            assert not stock_bus._disconnected, "dbus-next lost the connection"
            await asyncio.sleep(0)

    async def ours_flushed() -> None:
        assert bus.live is not None
        await bus.live.writer.drain()

    burst = max(1, BURST_VALUES // (count + 9))
    theirs, ours = [], []
    for _ in range(ROUNDS):
        theirs.append(await cost_us(emit_stock, stock_flushed, burst))
        ours.append(await cost_us(emit_ours, ours_flushed, burst))
    publisher.close()
    await bus.close()
    stock_bus.disconnect()
    return min(theirs), min(ours)


async def run() -> list[tuple[int, float, float]]:
    """Return (values, µs of dbus-next, µs of ours) for each size."""
    with tempfile.TemporaryDirectory() as folder, PrivateBus(Path(folder)) as daemon:
        sock = subscribe(daemon.address)
        rows = [(count, *(await measure(daemon.address, count))) for count in VALUES]
        sock.shutdown(socket.SHUT_RDWR)
        return rows


def main() -> int:
    """Print the table; exit code 1 when the target is missed."""
    rows = asyncio.run(run())
    print_table(
        "Signals1.Changed, µs CPU of the sender per message",
        ("values", "dbus-next", "ours", "ratio"),
        [(count, f"{theirs:.1f}", f"{ours:.2f}", f"{theirs / ours:.1f} x") for count, theirs, ours in rows],
    )
    ratio = next(theirs / ours for count, theirs, ours in rows if count == 10)
    print(f"  target at 10 values: {TARGET:g} x, reached: {ratio:.1f} x")
    return 0 if ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
