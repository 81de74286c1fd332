# SPDX-License-Identifier: Apache-2.0
"""One living connection: socket, reader, writer, serials, and the calls that wait for replies.

Ends for good when the socket does; `smartcockpit.bus.connection` makes the next one.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

from smartcockpit.bus.codec import Incoming, Outgoing, message
from smartcockpit.bus.errors import CallTimeoutError, from_dbus
from smartcockpit.bus.framing import Framer
from smartcockpit.bus.header import CALL, DESTINATION, ERROR, INTERFACE, MEMBER, PATH, RETURN
from smartcockpit.bus.receive import Receiver, close_all
from smartcockpit.bus.writer import Writer
from smartcockpit.core.errors import LimitError, UnavailableError
from smartcockpit.core.named import NamedTuple

_CHUNK = 64 * 1024
_CHUNKS_PER_WAKE_UP = 8

LOST = UnavailableError("the connection to the bus was lost", "it is made anew; try again")


class Target(NamedTuple):
    """Whom a call is for."""

    destination: str
    path: str
    interface: str
    member: str


class Link:
    """Reads from and writes to `sock`, which it owns.

    `received` gets calls and signals, `drained` is the writer's. `ended` is set when the connection is
    gone, `reason` says why.
    """

    def __init__(
        self, sock: socket.socket, received: Callable[[Incoming], None], drained: Callable[[], None]
    ) -> None:
        self._sock = sock
        self._received = received
        self._drained = drained
        self._loop = asyncio.get_running_loop()
        self._framer = Framer()
        self._receiver = Receiver(sock)
        self._descriptors: dict[int, list[int]] = {}
        """Those of the replies that wait to be taken, by serial of the call."""
        self._pending: dict[int, asyncio.Future[Incoming]] = {}
        self._inbox: deque[Incoming] = deque()
        self._reading = False
        self.serial = 0
        self.unique_name = ""
        self.ended = asyncio.Event()
        self.reason = ""
        self.writer = Writer(sock, lambda error: self.end(str(error)), self._writer_drained)
        self._resume()

    def next_serial(self) -> int:
        """Return a serial that is not zero (specification, "Message format")."""
        self.serial = self.serial % 0xFFFF_FFFF + 1
        return self.serial

    def send(self, outgoing: Outgoing) -> int:
        """Write with the next serial, which is returned, and with the descriptors that go with it."""
        serial = self.next_serial()
        self.writer.write(outgoing.pack(serial), outgoing.fds)
        if self.writer.congested:
            self._pause()
        return serial

    async def call(self, target: Target, signature: str, args: tuple[Any, ...], timeout_s: float) -> Incoming:
        """Call `target` and return the reply; raises what it says, `ValueError` when `args` do not fit."""
        reply, fds = await self._call(target, signature, args, timeout_s)
        close_all(fds)
        return reply

    async def call_for_descriptor(
        self, target: Target, signature: str, args: tuple[Any, ...], timeout_s: float
    ) -> int:
        """Call `target`, whose reply is one descriptor, and return that; it is the caller's to close.

        Raises as `call` does, and `UnavailableError` for a reply without one.
        """
        self._receiver.waiting += 1
        try:
            reply, fds = await self._call(target, signature, args, timeout_s)
        finally:
            self._receiver.waiting -= 1
        if reply.signature != "h" or len(fds) != 1:
            close_all(fds)
            raise UnavailableError(
                f"{target.destination} answered {target.member} without a descriptor",
                "service and client are of different releases; update both",
            )
        return fds[0]

    async def _call(
        self, target: Target, signature: str, args: tuple[Any, ...], timeout_s: float
    ) -> tuple[Incoming, list[int]]:
        destination, path, interface, member = target
        if self.ended.is_set():
            raise LOST
        fields = {PATH: path, INTERFACE: interface, MEMBER: member, DESTINATION: destination}
        serial = self.send(message(CALL, fields, signature, args))
        future: asyncio.Future[Incoming] = self._loop.create_future()
        self._pending[serial] = future
        reply: Incoming | None = None
        try:
            async with asyncio.timeout(timeout_s):
                reply = await future
        except TimeoutError:
            raise CallTimeoutError(
                f"{destination} did not answer {member} within {timeout_s:g} s",
                f"it may hang: busctl status {destination}",
            ) from None
        finally:
            self._pending.pop(serial, None)
            fds = self._descriptors.pop(serial, [])
            if reply is None or reply.too_large or reply.kind == ERROR:
                close_all(fds)
        if reply.too_large:
            raise LimitError(f"the reply of {destination} to {member} has {reply.too_large} bytes")
        if reply.kind == ERROR:
            raise from_dbus(reply.error_name, reply.args())
        return reply, fds

    def _read(self) -> None:
        for _ in range(_CHUNKS_PER_WAKE_UP):
            try:
                data = self._receiver.read(_CHUNK)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                self.end(str(error))
                return
            if not data:
                self.end("the bus closed it")
                return
            try:
                messages = self._framer.feed(data)
            except ValueError as error:
                self.end(str(error))
                return
            for incoming in messages:
                self._take(incoming)
            self._work()
            if len(data) < _CHUNK or not self._reading:
                return

    def _take(self, incoming: Incoming) -> None:
        fds = self._receiver.take(incoming.fds) if incoming.fds else []
        if incoming.kind in {RETURN, ERROR}:
            future = self._pending.get(incoming.reply_serial)
            if future is not None and not future.done():
                if fds:
                    self._descriptors[incoming.reply_serial], fds = fds, []
                future.set_result(incoming)
        else:
            self._inbox.append(incoming)
        close_all(fds)

    def _work(self) -> None:
        """Hand on calls and signals, until the writer is congested; what stays is one read's worth."""
        while self._inbox and self._reading:
            self._received(self._inbox.popleft())

    def _pause(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._sock)

    def _resume(self) -> None:
        if not self._reading and not self.ended.is_set():
            self._reading = True
            self._loop.add_reader(self._sock, self._read)
            self._loop.call_soon(self._work)

    def _writer_drained(self) -> None:
        self._resume()
        self._drained()

    def end(self, reason: str) -> None:
        """Close the socket and fail the calls that wait; the first reason counts."""
        if self.ended.is_set():
            return
        self.reason = reason
        self.ended.set()
        self.writer.close()
        self._pause()
        self._receiver.close()
        self._sock.close()
        for future in self._pending.values():
            if not future.done():
                future.set_exception(LOST)
