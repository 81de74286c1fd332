# SPDX-License-Identifier: Apache-2.0
"""logind on a private bus, as far as a power daemon meets it: who blocks a shutdown, and that one begins."""

from __future__ import annotations

from typing import Self

from dbus_next import Message, MessageType, Variant
from dbus_next.aio import MessageBus

MANAGER = "org.freedesktop.login1.Manager"


class FakeLogind:
    """Owns org.freedesktop.login1; `rows` are what ListInhibitors answers (what, who, why, mode, uid, pid)."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus
        self.rows: list[list[object]] = []
        self._goes_down = False
        bus.add_message_handler(self._answer)

    @classmethod
    async def start(cls, address: str) -> Self:
        """Connect to the bus at `address` and take the name."""
        bus = await MessageBus(bus_address=address).connect()
        made = cls(bus)
        await bus.request_name("org.freedesktop.login1")
        return made

    def _answer(self, message: Message) -> Message | None:
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        if message.member == "ListInhibitors":
            return Message.new_method_return(message, "a(ssssuu)", [self.rows])
        if message.body == [MANAGER, "PreparingForShutdown"]:
            return Message.new_method_return(message, "v", [Variant("b", self._goes_down)])
        return None

    def block(self, who: str, why: str) -> None:
        """Have somebody block the shutdown."""
        self.rows.append(["shutdown:sleep", who, why, "block", 0, 1])

    def prepare_for_shutdown(self, begins: bool) -> None:
        """Announce that the system begins to go down, or does not after all."""
        self._goes_down = begins
        path = "/org/freedesktop/login1"
        self._bus.send(Message.new_signal(path, MANAGER, "PrepareForShutdown", "b", [begins]))

    def close(self) -> None:
        """Leave the bus."""
        self._bus.disconnect()
        self._bus._finalize(None)
        self._bus._stream.close()
        self._bus._sock.close()
