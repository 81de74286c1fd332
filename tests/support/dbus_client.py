# SPDX-License-Identifier: Apache-2.0
"""A client that shares no code of ours: stock dbus-next, for looking at what we put on the wire."""

from __future__ import annotations

import asyncio
from typing import Any, Self

from dbus_next import Message, MessageType
from dbus_next.aio import MessageBus


class RawClient:
    """Calls and signals as plain dbus-next messages."""

    def __init__(self, bus: Any) -> None:
        self._bus = bus
        self._signals: asyncio.Queue[Any] = asyncio.Queue()
        bus.add_message_handler(self._take)

    @classmethod
    async def connect(cls, address: str, *, fds: bool = False) -> Self:
        """Connect to the bus at `address`; with `fds` replies may carry file descriptors."""
        return cls(await MessageBus(bus_address=address, negotiate_unix_fd=fds).connect())

    def _take(self, message: Any) -> None:
        if message.message_type is MessageType.SIGNAL:
            self._signals.put_nowait(message)

    @property
    def name(self) -> str:
        """Return the unique name."""
        return str(self._bus.unique_name)

    async def call(
        self, destination: str, path: str, interface: str | None, member: str, signature: str = "", *args: Any
    ) -> Any:
        """Return the reply, which may be an error message."""
        message = Message(
            destination=destination,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=list(args),
        )
        return await asyncio.wait_for(self._bus.call(message), 20)

    async def add_match(self, rule: str) -> None:
        """Subscribe."""
        bus = "org.freedesktop.DBus"
        await self.call(bus, "/org/freedesktop/DBus", bus, "AddMatch", "s", rule)

    async def signal(self, member: str = "Changed") -> Any:
        """Return the next signal `member`; raises `TimeoutError` after 20 s."""
        async with asyncio.timeout(20):
            while True:
                message = await self._signals.get()
                if message.member == member:
                    return message

    def close(self) -> None:
        """Disconnect."""
        self._bus.disconnect()
        self._bus._finalize(None)
        self._bus._stream.close()
        self._bus._sock.close()
