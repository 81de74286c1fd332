# SPDX-License-Identifier: Apache-2.0
"""Telling when a client that holds something has left the bus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from smartcockpit.bus.codec import Incoming
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.match import MatchRule
from smartcockpit.bus.names import DBUS_INTERFACE, DBUS_NAME, DBUS_PATH
from smartcockpit.bus.subscriptions import Subscription
from smartcockpit.core.errors import SmartCockpitError

PATIENCE_S = 10.0


class Presence:
    """Watches unique names; `on_gone` is called once for each that leaves, for all when the bus is lost."""

    def __init__(self, connection: BusConnection, on_gone: Callable[[str], None]) -> None:
        self._connection, self._on_gone = connection, on_gone
        self._watched: dict[str, Subscription | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        connection.on_connected(self._start_over)

    def watch(self, name: str) -> None:
        """Watch `name`; does nothing when it is watched already."""
        if name and name not in self._watched:
            self._watched[name] = None
            self._run(self._subscribe(name))

    def forget(self, name: str) -> None:
        """Stop watching `name`."""
        if name in self._watched:
            subscription = self._watched.pop(name)
            if subscription is not None:
                self._run(subscription.close())

    async def close(self) -> None:
        """Stop all."""
        self._connection.on_connected(self._start_over, remove=True)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _run(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _subscribe(self, name: str) -> None:
        rule = MatchRule(DBUS_INTERFACE, "NameOwnerChanged", sender=DBUS_NAME, arg0=name)
        try:
            subscription = await self._connection.subscribe(rule, self._changed)
            if name not in self._watched:
                await subscription.close()
                return
            self._watched[name] = subscription
            # It may have left before the rule stood.
            target = (DBUS_NAME, DBUS_PATH, DBUS_INTERFACE, "NameHasOwner")
            (present,) = await self._connection.call(*target, "s", (name,), timeout_s=PATIENCE_S)
        except SmartCockpitError:
            present = False  # the bus is gone, and with it everybody's unique name
        if not present:
            self._gone(name)

    def _changed(self, message: Incoming) -> None:
        name, _, now = message.args()
        if not now:
            self._gone(name)

    def _gone(self, name: str) -> None:
        if name in self._watched:
            self.forget(name)
            self._on_gone(name)

    def _start_over(self) -> None:
        """On a new connection nobody has the unique name that we know."""
        for name in list(self._watched):
            self._watched[name] = None
            self._gone(name)
