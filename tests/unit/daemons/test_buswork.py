# SPDX-License-Identifier: Apache-2.0
"""One bus at work, on datagrams in place of CAN: what becomes of its signals when it goes deaf."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from smartcockpit.adapters.can_netlink import Link
from smartcockpit.adapters.socketcan import SocketCan
from smartcockpit.adapters.table_file import load_table
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.canbus import BackOff, BusState
from smartcockpit.core.clock import SystemClock
from smartcockpit.core.signals import SignalQuality
from smartcockpit.daemons.canbridge.buswork import BusWork, Reach
from support.mini_vehicle import SPEED, speed_frame, write_table
from support.native import library, native_decoder

UP = Link("can0", 7, up=True, kind="can", state=BusState.ERROR_ACTIVE)
GONE = UP._replace(present=False)
BUS_OFF = struct.pack("=IB3x8s", 0x2000_0040, 8, bytes(8))


def open_pair(data: socket.socket, errors: socket.socket) -> SocketCan:
    return SocketCan.from_socket(data, errors, library=library())


class Bench:
    """The chassis bus of the mini vehicle; `send` and `report` are its far ends of data and error frames."""

    def __init__(self, folder: Path) -> None:
        table = load_table(write_table(folder / "mini.py"))
        ours, self._far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        errors, self._far_errors = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.board = SignalBoard(table.signals)
        self.work = BusWork(
            table, 0, Reach("can0", lambda: open_pair(ours, errors), True, lambda: None),
            board=self.board, publish=self.board.apply, on_change=lambda: None, clock=SystemClock(),
            gather_s=0.2, back_off=BackOff(60_000), make_decoder=lambda: native_decoder(table, 0),
        )  # fmt: skip
        self.work.link_news(UP)

    @property
    def speed(self) -> tuple[float, SignalQuality]:
        _, value, quality, _ = self.board.read(SPEED)
        assert isinstance(value, float)
        return value, SignalQuality(quality)

    def send(self, speed_kmh: float) -> None:
        self._far.send(speed_frame(speed_kmh))

    def report(self, frame: bytes) -> None:
        self._far_errors.send(frame)

    async def shows(self, speed_kmh: float, quality: SignalQuality) -> None:
        async with asyncio.timeout(5):
            while self.speed != (speed_kmh, quality):
                await asyncio.sleep(0.005)

    async def becomes(self, state: BusState) -> None:
        async with asyncio.timeout(5):
            while self.work.monitor.state is not state:
                await asyncio.sleep(0.005)

    def close(self) -> None:
        self.work.close()
        self._far.close()
        self._far_errors.close()


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


async def test_interface_that_goes_during_bus_off_leaves_nothing_valid(bench: Bench) -> None:
    bench.report(BUS_OFF)
    await bench.becomes(BusState.BUS_OFF)
    bench.send(5)  # a virtual wire carries frames all the same
    await bench.shows(5.0, SignalQuality.VALID)
    bench.work.link_news(GONE)
    assert bench.speed == (5.0, SignalQuality.UNAVAILABLE)


async def test_frames_from_before_bus_off_are_not_valid_after_it(bench: Bench) -> None:
    """Data and error frames wait in two sockets; under load those with data are read later."""
    bench.send(1)
    await bench.shows(1.0, SignalQuality.VALID)
    bench.send(2)
    await bench.shows(2.0, SignalQuality.VALID)
    bench.send(3)
    bench.report(BUS_OFF)
    await bench.becomes(BusState.BUS_OFF)
    await bench.shows(3.0, SignalQuality.UNAVAILABLE)


async def test_frames_from_before_bus_off_are_not_valid_when_the_kernel_tells_first(bench: Bench) -> None:
    bench.send(1)
    bench.work.link_news(UP._replace(state=BusState.BUS_OFF))
    await bench.shows(1.0, SignalQuality.UNAVAILABLE)
