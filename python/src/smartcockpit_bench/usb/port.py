# SPDX-License-Identifier: Apache-2.0
"""A USB port of the box: plugs one simulated device into QEMU's `usb-redir` and out again.

Plugged in means connected to the socket; closing it is pulling the plug, which the guest sees as such. A
box that is not there yet, reboots or goes away is waited for. What the other side sends and we do not know
is left unanswered, and counted; a stream that is no usbredir ends the connection, and the next one starts
afresh.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from smartcockpit_bench.usb import redir
from smartcockpit_bench.usb.device import Device, answer
from smartcockpit_bench.usb.redir import Capability, Kind, Packet, Parser, ProtocolError, Status

RETRY_S = 0.2
CHUNK = 64 * 1024


class UsbPort:
    """The port at `path` with `device` in it. `touched` is called after each request that the guest made."""

    def __init__(self, path: Path | str, device: Device, touched: Callable[[], None] | None = None) -> None:
        self._path, self._device, self._touched = path, device, touched
        self._plugged = asyncio.Event()
        self._plugged.set()
        self._connection: asyncio.Task[None] | None = None
        self.connected = False
        """True while QEMU has the device."""
        self.unknown = 0
        """Packets of kinds that a device without bulk and iso endpoints never gets."""

    def unplug(self) -> None:
        """Pull the plug, until `plug`."""
        self._plugged.clear()
        if self._connection is not None:
            self._connection.cancel()

    def plug(self) -> None:
        """Put the device (back) in."""
        self._plugged.set()

    async def run(self) -> None:
        """Serve the guest until cancelled."""
        while True:
            await self._plugged.wait()
            self._connection = asyncio.create_task(self._connect(), name="usb port")
            try:
                await asyncio.wait([self._connection])
            finally:
                self._connection.cancel()
                await asyncio.gather(self._connection, return_exceptions=True)
            await asyncio.sleep(RETRY_S)

    async def _connect(self) -> None:
        with contextlib.suppress(OSError, ProtocolError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_unix_connection(str(self._path))
            try:
                await self._serve(reader, writer)
            finally:
                self.connected = False
                writer.close()
                await writer.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._device.reset()
        parser = Parser()
        writer.write(redir.hello())
        while data := await reader.read(CHUNK):
            for packet in parser.feed(data):
                long_id = bool((parser.peer_capabilities or 0) & 1 << Capability.IDS_64_BITS)
                if packet.kind == Kind.HELLO:
                    writer.write(redir.plug_in(self._device.identity, long_id=long_id))
                    self.connected = True
                for kind, number, body in self._replies(packet):
                    writer.write(redir.pack(kind, number, body, long_id=long_id))
            await writer.drain()
            if self._touched is not None:
                self._touched()

    def _replies(self, packet: Packet) -> list[Packet]:
        """Return what one packet is answered with."""
        kind, number, body = packet
        match kind:
            case Kind.CONTROL_PACKET:
                return [Packet(kind, number, self._control(body))]
            case Kind.INTERRUPT_PACKET:
                return self._interrupt(number, body)
            case Kind.SET_CONFIGURATION | Kind.GET_CONFIGURATION:
                chosen = body[:1] or b"\1"
                return [Packet(Kind.CONFIGURATION_STATUS, number, bytes([Status.SUCCESS]) + chosen)]
            case Kind.SET_ALT_SETTING | Kind.GET_ALT_SETTING:
                chosen = (body + b"\0\0")[:2]
                return [Packet(Kind.ALT_SETTING_STATUS, number, bytes([Status.SUCCESS]) + chosen)]
            case Kind.START_INTERRUPT_RECEIVING | Kind.STOP_INTERRUPT_RECEIVING:
                status = bytes([Status.SUCCESS]) + body[:1]
                return [Packet(Kind.INTERRUPT_RECEIVING_STATUS, number, status)]
            case Kind.RESET:
                self._device.reset()
            case Kind.HELLO | Kind.CANCEL_DATA_PACKET:
                pass  # every transfer is answered at once: there is nothing left to cancel
            case _:
                self.unknown += 1
        return []

    def _control(self, body: bytes) -> bytes:
        control, data = redir.read_control(body)
        found = answer(self._device, control, data)
        length = len(found.data) if control.is_in else len(data)
        status = Status.STALL if found.stalled else Status.SUCCESS
        return redir.write_control(control._replace(status=status, length=length), found.data)

    def _interrupt(self, number: int, body: bytes) -> list[Packet]:
        endpoint, data = redir.read_interrupt(body)
        done = redir.write_interrupt(endpoint, Status.SUCCESS, length=len(data))
        sent = self._device.interrupt(endpoint, data)
        replies = [Packet(Kind.INTERRUPT_PACKET, number, done)]
        address = next((e.address for e in self._device.identity.endpoints if e.address & 0x80), 0x81)
        return replies + [
            Packet(Kind.INTERRUPT_PACKET, 0, redir.write_interrupt(address, Status.SUCCESS, report))
            for report in sent
        ]
