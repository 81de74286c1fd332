# SPDX-License-Identifier: Apache-2.0
"""Receive, decode, changed values, from a socket, beside python-can + cantools on the same frames in one run.

The socket is an AF_UNIX datagram pair that carries the kernel's frame structures with kernel time stamps (the
development machine has no CAN); sending is not counted. Both sides run in an asyncio loop, as a daemon that
also speaks D-Bus must: ours drains batches, the peer is python-can's `Notifier`, `database.decode_message`
and a comparison of each value with the last one. The column "recv loop" is the same peer in a bare loop
around `SocketcanBus.recv`, "system call" what recvmmsg alone costs us: no decoder gets below that. CPU time
of this thread, medians.

    python tests/perf/bench_receive.py
"""

from __future__ import annotations

import asyncio
import random
import socket
import statistics
import struct
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import can
from can.interfaces.socketcan import SocketcanBus
from perf.bench_decode import synthetic, table_of
from perf.report import print_table
from smartcockpit.adapters.frame_source import BATCH
from smartcockpit.adapters.recvmmsg import SO_TIMESTAMPNS
from smartcockpit.adapters.socketcan import SocketCan
from smartcockpit.core.decode import Decoder
from smartcockpit.core.table import VehicleTable
from smartcockpit.vehicle.database import load_cantools

ROOT = Path(__file__).resolve().parents[2]
TARGETS = tomllib.loads((ROOT / "tests/perf/budgets.toml").read_text())["receive"]
FRAMES, CHUNK, ROUNDS = 4096, 256, 7


class StandIn(SocketcanBus):
    """python-can's SocketCAN bus on a socket that is given instead of opened."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.channel = "can0"
        self._filters = None
        self._is_filtered = True
        self._is_shutdown = True


def frames_of(table: VehicleTable, length: int, unchanged: float) -> list[bytes]:
    """Return frames of random messages.

    With probability `unchanged` one repeats the last payload of its id.
    """
    rng, last, frames = random.Random(7), dict[int, bytes](), []
    layout = struct.Struct("=IBB2x64s" if length > 8 else "=IBB2x8s")
    for _ in range(FRAMES):
        can_id = rng.choice(table.messages).can_id
        if can_id not in last or rng.random() >= unchanged:
            last[can_id] = rng.randbytes(length)
        frames.append(layout.pack(can_id, length, 0, last[can_id]))
    return frames


def measured(frames: Sequence[bytes], far: socket.socket, drain: Callable[[], int]) -> float:
    """Return µs per frame of `drain`, which is called whenever a chunk of frames waits."""
    found = []
    for _ in range(ROUNDS):
        spent = done = 0
        for start in range(0, len(frames), CHUNK):
            for frame in frames[start : start + CHUNK]:
                far.send(frame)
            before = time.thread_time_ns()
            done += drain()
            spent += time.thread_time_ns() - before
        assert done == len(frames), f"{done} of {len(frames)} frames arrived"
        found.append(spent / 1000 / done)
    return statistics.median(found)


def in_loop(loop: asyncio.AbstractEventLoop, count: Callable[[], int]) -> Callable[[], int]:
    """Return a drain that lets `loop` work until another chunk has been counted."""

    async def until(goal: int) -> None:
        while count() < goal:
            await asyncio.sleep(0)

    def drain() -> int:
        loop.run_until_complete(until(count() + CHUNK))
        return CHUNK

    return drain


def receive_only(near: socket.socket, fd: bool) -> Callable[[], int]:
    """The batched system call and nothing else."""
    source = SocketCan.from_socket(near, fd_frames=fd)

    def drain() -> int:
        count = 0
        while (batch := source.receive()) is not None:
            count += batch.count
            if batch.count < BATCH:
                break
        return count

    return drain


def ours(
    loop: asyncio.AbstractEventLoop, table: VehicleTable, near: socket.socket, fd: bool
) -> Callable[[], int]:
    """The daemon's path: batches into the decoder, changed values out."""
    source = SocketCan.from_socket(near, fd_frames=fd)
    decoder = Decoder(table, 0)

    def on_readable() -> None:
        for _ in range(16):
            batch = source.receive()
            if batch is None:
                break
            decoder.feed(batch, time.monotonic_ns())
            if batch.count < BATCH:
                break

    loop.add_reader(near.fileno(), on_readable)
    return in_loop(loop, lambda: decoder.tally.frames)


class Peer:
    """cantools' values, compared with the last value of each signal."""

    def __init__(self, database: Any) -> None:
        self.count = 0
        self._decode = database.decode_message
        self._last: dict[tuple[int, str], Any] = {}

    def take(self, message: can.Message) -> None:
        """Take one message of python-can."""
        changed = []
        for name, value in self._decode(message.arbitration_id, message.data).items():
            key = (message.arbitration_id, name)
            if self._last.get(key) != value:
                self._last[key] = value
                changed.append((name, value, message.timestamp))
        self.count += 1


def recv_loop(database: Any, near: socket.socket) -> Callable[[], int]:
    """The peer without asyncio."""
    bus, peer = StandIn(near), Peer(database)

    def drain() -> int:
        before = peer.count
        while (message := bus.recv(0)) is not None:
            peer.take(message)
        return peer.count - before

    return drain


def notifier(loop: asyncio.AbstractEventLoop, database: Any, near: socket.socket) -> Callable[[], int]:
    """The peer as an asyncio program has it."""
    peer = Peer(database)
    can.Notifier(StandIn(near), [peer.take], loop=loop)
    return in_loop(loop, lambda: peer.count)


def measure(name: str, path: Path, length: int) -> list[list[object]]:
    """Return the table's rows for the messages of `length` bytes of the database at `path`."""
    table, _ = table_of(path, length)
    database, fd = load_cantools(path), length > 8
    rows: list[list[object]] = []
    for kind, unchanged in (("all_changing", 0.0), ("mostly_unchanged", 0.8)):
        frames = frames_of(table, length, unchanged)
        figures = []
        for make in (
            lambda _, near: receive_only(near, fd),
            lambda loop, near: ours(loop, table, near, fd),
            lambda _, near: recv_loop(database, near),
            lambda loop, near: notifier(loop, database, near),
        ):
            far, near = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            loop = asyncio.new_event_loop()
            with far, near:
                far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
                near.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
                figures.append(measured(frames, far, make(loop, near)))
                loop.remove_reader(near.fileno())
            loop.close()
        floor, own, bare, theirs = figures
        ratio, target = theirs / own, TARGETS[kind]
        verdict = f">= {target:g} {'ok' if ratio >= target else 'MISSED'}"
        title = f"{name}, {kind.replace('_', ' ')}"
        rows.append([title, *(f"{x:.2f}" for x in (floor, own, bare, theirs)), f"{ratio:.1f}", verdict])
    return rows


def main() -> int:
    """Print the table; exit 1 when a target is missed."""
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder:
        rows += measure("synthetic classic 8 B", synthetic(Path(folder), False), 8)
        rows += measure("synthetic FD 64 B", synthetic(Path(folder), True), 64)
    rows += measure("demo classic 8 B", ROOT / "dbc/demo/powertrain.dbc", 8)
    columns = ("what", "system call", "ours", "recv loop", "Notifier", "ratio", "target")
    print_table(
        f"receive, decode, changed values: CPU µs per frame; peer python-can {can.__version__} + cantools",
        columns,
        rows,
    )
    return int(any("MISSED" in str(cells[-1]) for cells in rows))


if __name__ == "__main__":
    sys.exit(main())
