# SPDX-License-Identifier: Apache-2.0
"""Both ends of the wire together: the host's client and the guest's program over a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from smartcockpit.core.errors import UnavailableError
from smartcockpit_bench.car.source import CarSource
from smartcockpit_bench.frame import Frame
from smartcockpit_bench.guest import canwire
from smartcockpit_bench.simulate import simulate
from smartcockpit_bench.wire import CarWire

DEMO = Path(__file__).resolve().parents[3] / "dbc" / "demo"


class Sink(canwire.Interface):
    """A CAN interface that keeps what it is given."""

    def __init__(self) -> None:
        super().__init__("fake0")
        self.frames: list[bytes] = []

    def send(self, frame: bytes) -> bool:
        self.frames.append(frame)
        return True


class Guest:
    """The guest's canwire behind a unix socket, as QEMU puts it there."""

    def __init__(self, path: Path) -> None:
        self.sink = Sink()
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        self._connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.listening = threading.Event()

    def start(self) -> None:
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._connection = connection
            self.listening.wait()
            faces = {"can0": self.sink, "can1": self.sink}
            # A socket whose peer is gone reads empty for ever, where a port says that it hung up.
            with connection, contextlib.suppress(OSError):
                connection.setblocking(False)
                canwire.converse(connection.fileno(), lambda answer, faces=faces: canwire.Wire(faces, answer))

    def hang_up(self) -> None:
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.listening.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # wakes `accept`, which closing would not
        self.hang_up()
        if self._connection is not None:
            self._connection.close()
        self._thread.join(5)
        self._server.close()


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[Guest]:
    guest = Guest(tmp_path / "car")
    guest.start()
    yield guest
    guest.close()


async def test_frames_arrive_in_order_and_are_confirmed(guest: Guest, tmp_path: Path) -> None:
    guest.listening.set()
    async with CarWire(tmp_path / "car") as wire:
        await wire.send_all(Frame("can0", 0x100, number.to_bytes(4)) for number in range(5000))
        assert await wire.flush() == 5000
    numbers = [int.from_bytes(frame[8:12]) for frame in guest.sink.frames]
    assert numbers == list(range(5000))


async def test_nothing_is_sent_before_the_guest_listens(guest: Guest, tmp_path: Path) -> None:
    async with CarWire(tmp_path / "car") as wire:
        with pytest.raises(UnavailableError, match="does not listen"):
            await wire.wait_ready(0.3)
        assert not wire.send([Frame("can0", 1)])
        assert wire.counters.dropped == 1
        guest.listening.set()
        await wire.wait_ready(5)
        assert wire.send([Frame("can0", 2)])
        assert await wire.flush() == 1


async def test_garbage_is_reported_back(guest: Guest, tmp_path: Path) -> None:
    guest.listening.set()
    async with CarWire(tmp_path / "car") as wire:
        await wire.send_text(["what is this", "can0 123#11"])
        assert await wire.flush() == 1
        assert list(wire.complaints) == ["'what is this'"]


async def test_missing_socket_and_guest_that_hangs_up_are_outlived(tmp_path: Path) -> None:
    async with CarWire(tmp_path / "car") as wire:
        await asyncio.sleep(0.3)
        guest = Guest(tmp_path / "car")
        guest.start()
        guest.listening.set()
        try:
            await wire.wait_ready(5)
        finally:
            guest.close()


async def test_simulated_car_drives_in_real_time(guest: Guest, tmp_path: Path) -> None:
    guest.listening.set()
    source = CarSource.of(DEMO)
    async with CarWire(tmp_path / "car") as wire:
        task = asyncio.create_task(simulate(source, wire))
        await wire.wait_ready(5)
        await asyncio.sleep(2.0)
        task.cancel()
        sent = await wire.flush()
    # 344 frames a second; a busy machine may let the car's time slip, never the other way round.
    assert 100 < sent < 344 * 2.6
    assert wire.counters.dropped == 0
