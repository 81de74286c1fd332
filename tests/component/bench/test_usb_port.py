# SPDX-License-Identifier: Apache-2.0
"""The USB port between a simulated chip and a real socket, whose far end plays QEMU."""

from __future__ import annotations

import asyncio
import struct
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from smartcockpit_bench.usb import redir
from smartcockpit_bench.usb.cp2112 import Cp2112
from smartcockpit_bench.usb.port import UsbPort
from smartcockpit_bench.usb.redir import Control, Kind, Packet, Parser


class Qemu:
    """QEMU's side: one connection at a time."""

    def __init__(self) -> None:
        self.connections: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
        self.writers: list[asyncio.StreamWriter] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        await self.connections.put((reader, writer))

    async def plugged(self) -> Connection:
        async with asyncio.timeout(10):
            connection = Connection(*await self.connections.get())
            connection.writer.write(redir.hello())
            kinds = [(await connection.next()).kind for _ in range(4)]
        assert kinds == [Kind.HELLO, Kind.INTERFACE_INFO, Kind.EP_INFO, Kind.DEVICE_CONNECT]
        return connection


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._parser, self._waiting = Parser(), list[Packet]()

    async def next(self) -> Packet:
        async with asyncio.timeout(10):
            while not self._waiting:
                data = await self.reader.read(4096)
                assert data, "the port closed the connection"
                self._waiting += self._parser.feed(data)
        return self._waiting.pop(0)

    async def ask(self, kind: Kind, body: bytes, number: int = 7) -> Packet:
        self.writer.write(redir.pack(kind, number, body))
        return await self.next()


@pytest_asyncio.fixture
async def qemu() -> AsyncIterator[tuple[Qemu, UsbPort, Cp2112]]:
    with tempfile.TemporaryDirectory(prefix="sc-") as folder:
        path = Path(folder) / "gpio.sock"
        far, chip = Qemu(), Cp2112()
        port = UsbPort(path, chip)
        task = asyncio.create_task(port.run())  # before there is a box to connect to
        server = await asyncio.start_unix_server(far.take, path)
        yield far, port, chip
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for writer in far.writers:
            writer.close()
        server.close()
        await server.wait_closed()


async def test_a_report_travels_to_the_chip_and_back(qemu: tuple[Qemu, UsbPort, Cp2112]) -> None:
    far, _, chip = qemu
    guest = await far.plugged()
    chip.drive(2, False)
    control = Control(0x80, 1, 0xA1, 0, 0x303, 0, 64)
    reply = await guest.ask(Kind.CONTROL_PACKET, redir.write_control(control, b""))
    found, data = redir.read_control(reply.body)
    assert (reply.id, found.status, found.length, data) == (7, 0, 2, bytes([3, 0b1111_1011]))


async def test_what_the_chip_does_not_know_is_a_stall(qemu: tuple[Qemu, UsbPort, Cp2112]) -> None:
    guest = await qemu[0].plugged()
    control = Control(0x80, 6, 0x80, 0, 0x0F00, 0, 64)
    reply = await guest.ask(Kind.CONTROL_PACKET, redir.write_control(control, b""))
    assert redir.read_control(reply.body)[0].status == redir.Status.STALL


async def test_configuration_and_interrupt_endpoint_are_acknowledged(
    qemu: tuple[Qemu, UsbPort, Cp2112],
) -> None:
    guest = await qemu[0].plugged()
    assert (await guest.ask(Kind.SET_CONFIGURATION, b"\1")).body == bytes([0, 1])
    assert (await guest.ask(Kind.START_INTERRUPT_RECEIVING, b"\x81")).body == bytes([0, 0x81])
    done = await guest.ask(Kind.INTERRUPT_PACKET, struct.pack("<BBH", 1, 0, 2) + bytes([0x15, 1]))
    assert done.body == struct.pack("<BBH", 1, 0, 2)
    status = await guest.next()
    assert status.body[4:7] == bytes([0x16, 3, 0])


async def test_pulled_plug_closes_the_connection_and_plugging_makes_a_new_one(
    qemu: tuple[Qemu, UsbPort, Cp2112],
) -> None:
    far, port, _ = qemu
    guest = await far.plugged()
    port.unplug()
    async with asyncio.timeout(10):
        assert await guest.reader.read() == b""
    assert far.connections.empty()
    port.plug()
    await far.plugged()
    assert port.connected


async def test_garbage_ends_the_connection_and_the_next_one_works(qemu: tuple[Qemu, UsbPort, Cp2112]) -> None:
    far, _, _ = qemu
    guest = await far.plugged()
    guest.writer.write(b"\xff" * 64)
    async with asyncio.timeout(10):
        assert await guest.reader.read() == b""
    await far.plugged()
