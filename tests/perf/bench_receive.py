# SPDX-License-Identifier: Apache-2.0
"""Receive, decode, changed values, from a socket, beside python-can + cantools on the same frames in one run.

The socket is loopback UDP that carries the kernel's frame structures with kernel time stamps (the development
machine has no CAN); sending is not counted. UDP, because what the kernel does to hand over a frame is then
what AF_CAN does (net/can/raw.c, raw_recvmsg: take it off the queue, copy it, its time stamp, free it), while
AF_UNIX adds a lock of its own and the waking of writers: half as much again. Both sides run in an asyncio
loop, as a daemon that also speaks D-Bus must: ours drains batches, the peer is python-can's `Notifier`,
`database.decode_message` and a comparison of each value with the last one.

Columns: "system call" is what recvmmsg alone costs us, no decoder gets below that; "ours" is the C library,
"in Python" the back-end without it; "recv loop" is the peer in a bare loop around `SocketcanBus.recv`. "values"
says how many changed values per frame ours hands over, of how many there were: of those that a signal had within
one batch only the newest, as the publisher keeps no more. CPU time of this thread; rounds alternate, the table
shows the least disturbed one of each.

    python tests/perf/bench_receive.py
"""

from __future__ import annotations

import asyncio
import random
import socket
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
from smartcockpit.adapters.canreceive import Library
from smartcockpit.adapters.recvmmsg import SO_TIMESTAMPNS
from smartcockpit.adapters.socketcan import SocketCan
from smartcockpit.core.decode import Decoder
from smartcockpit.core.table import VehicleTable
from smartcockpit.vehicle.database import load_cantools
from support.native import library, native_decoder

ROOT = Path(__file__).resolve().parents[2]
TARGETS = tomllib.loads((ROOT / "tests/perf/budgets.toml").read_text())["receive"]
FRAMES, CHUNK, ROUNDS = 4096, 256, 31


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


class Contender:
    """One way to receive, at the end of a socket pair of its own."""

    def __init__(self) -> None:
        self.near = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.near.bind(("127.0.0.1", 0))
        self.near.setblocking(False)
        self.near.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.near.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.far.connect(self.near.getsockname())
        self.count = self.values = 0
        self._goal = 0
        self._there: asyncio.Future[None] | None = None

    def took(self, frames: int) -> None:
        """Note frames that have been received and decoded."""
        self.count += frames
        if self.count >= self._goal and self._there is not None and not self._there.done():
            self._there.set_result(None)

    def drain(self) -> None:
        """Take all that waits; for those that need no loop."""

    async def cost_us(self, frames: Sequence[bytes]) -> float:
        """Return µs per frame of one pass, in chunks that wait when the contender wakes up."""
        spent, before = 0, self.count
        for start in range(0, len(frames), CHUNK):
            for frame in frames[start : start + CHUNK]:
                self.far.send(frame)
            self._goal = self.count + CHUNK
            self._there = asyncio.get_running_loop().create_future()
            async with asyncio.timeout(10):
                begin = time.thread_time_ns()
                self.drain()
                await self._there
                spent += time.thread_time_ns() - begin
        assert self.count - before == len(frames), f"{self.count - before} of {len(frames)} frames arrived"
        return spent / 1000 / len(frames)

    def close(self) -> None:
        """Leave the loop."""
        asyncio.get_running_loop().remove_reader(self.near.fileno())
        self.near.close()
        self.far.close()


class SystemCall(Contender):
    """The batched system call and nothing else."""

    def __init__(self, fd: bool) -> None:
        super().__init__()
        self._source = SocketCan.from_socket(self.near, fd_frames=fd, library=library())

    def drain(self) -> None:
        while (batch := self._source.receive()) is not None:
            self.took(batch.count)
            if not batch.full:
                break


class Ours(Contender):
    """The daemon's path: batches into the decoder, changed values out."""

    def __init__(self, table: VehicleTable, fd: bool, lib: Library | None) -> None:
        super().__init__()
        self._source = SocketCan.from_socket(self.near, fd_frames=fd, library=lib)
        self._decoder = Decoder(table, 0) if lib is None else native_decoder(table, 0)
        asyncio.get_running_loop().add_reader(self.near.fileno(), self._on_readable)

    def _on_readable(self) -> None:
        count = 0
        for _ in range(16):
            batch = self._source.receive()
            if batch is None:
                break
            self.values += len(self._decoder.feed(batch, time.monotonic_ns()))
            count += batch.count
            if not batch.full:
                break
        self.took(count)


class Peer(Contender):
    """cantools' values, compared with the last value of each signal."""

    def __init__(self, database: Any) -> None:
        super().__init__()
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
        self.values += len(changed)
        self.took(1)


class RecvLoop(Peer):
    """The peer without asyncio."""

    def __init__(self, database: Any) -> None:
        super().__init__(database)
        self._bus = StandIn(self.near)

    def drain(self) -> None:
        while (message := self._bus.recv(0)) is not None:
            self.take(message)


class Notifier(Peer):
    """The peer as an asyncio program has it."""

    def __init__(self, database: Any) -> None:
        super().__init__(database)
        can.Notifier(StandIn(self.near), [self.take], loop=asyncio.get_running_loop())


async def compare(
    frames: Sequence[bytes], contenders: Sequence[Callable[[], Contender]]
) -> list[tuple[float, float]]:
    """Return (µs per frame, values per frame) of each contender."""
    made = [make() for make in contenders]
    costs: list[list[float]] = [[] for _ in made]
    for _ in range(ROUNDS):
        for contender, found in zip(made, costs, strict=True):
            found.append(await contender.cost_us(frames))
    for contender in made:
        contender.close()
    return [(min(found), c.values / c.count) for found, c in zip(costs, made, strict=True)]


def measure(name: str, path: Path, length: int) -> list[list[object]]:
    """Return the table's rows for the messages of `length` bytes of the database at `path`."""
    table, _ = table_of(path, length)
    database, fd = load_cantools(path), length > 8
    rows: list[list[object]] = []
    for kind, unchanged in (("all_changing", 0.0), ("mostly_unchanged", 0.8)):
        found = asyncio.run(
            compare(
                frames_of(table, length, unchanged),
                (
                    lambda: SystemCall(fd),
                    lambda: Ours(table, fd, library()),
                    lambda: Ours(table, fd, None),
                    lambda: RecvLoop(database),
                    lambda: Notifier(database),
                ),
            )
        )
        (_, (own, values), *_, (theirs, changed)), target = found, TARGETS[kind]
        verdict = f">= {target:g} {'ok' if theirs / own >= target else 'MISSED'}"
        title = f"{name}, {kind.replace('_', ' ')}"
        cells = [f"{cost:.2f}" for cost, _ in found]
        rows.append([title, *cells, f"{values:.1f} of {changed:.1f}", f"{theirs / own:.1f}", verdict])
    return rows


def main() -> int:
    """Print the table; exit 1 when a target is missed."""
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder:
        rows += measure("synthetic classic 8 B", synthetic(Path(folder), False), 8)
        rows += measure("synthetic FD 64 B", synthetic(Path(folder), True), 64)
    rows += measure("demo classic 8 B", ROOT / "dbc/demo/powertrain.dbc", 8)
    columns = (
        "what", "system call", "ours", "in Python", "recv loop", "Notifier", "values", "ratio", "target",
    )  # fmt: skip
    print_table(
        f"receive, decode, changed values: CPU µs per frame; peer python-can {can.__version__} + cantools",
        columns,
        rows,
    )
    return int(any("MISSED" in str(cells[-1]) for cells in rows))


if __name__ == "__main__":
    sys.exit(main())
