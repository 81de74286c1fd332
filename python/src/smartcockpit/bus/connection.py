# SPDX-License-Identifier: Apache-2.0
"""One connection to a message bus that survives stalls and restarts of the bus daemon.

Owns the life of the connection: connecting, the bus name, match rules, reconnecting with back-off. What is
offered stands in `objects`, calls are served by `serving`, signals handed out by `subscriptions`, bytes are
`link`'s business.

After a reconnect match rules are added again and the name is requested again, in this order; then the
`on_connected` callbacks run, so that publishers send their full state. Objects are there from the first
moment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Self

from smartcockpit.bus.announce import Announcer
from smartcockpit.bus.codec import Incoming
from smartcockpit.bus.declare import MethodSpec, sinks_of, spec_of
from smartcockpit.bus.errors import AccessDeniedError, InvalidArgumentsError, NameTakenError
from smartcockpit.bus.header import CALL, SIGNAL
from smartcockpit.bus.link import LOST, Link, Target
from smartcockpit.bus.match import MatchRule
from smartcockpit.bus.names import DBUS_INTERFACE, DBUS_NAME, DBUS_PATH
from smartcockpit.bus.serving import Server
from smartcockpit.bus.subscriptions import Handler, Subscription, Subscriptions
from smartcockpit.bus.transport import open_socket
from smartcockpit.core.errors import SmartCockpitError, UnavailableError

_log = logging.getLogger(__name__)

FLUSH_TIMEOUT_S = 0.5
BACK_OFF_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Pauses between attempts to reconnect; the last one repeats."""

_DO_NOT_QUEUE = 4
_OWNER_REPLIES = (1, 4)  # primary owner, already owner (specification, RequestName)


class BusConnection:
    """A connection to the bus at `address`: "system", "session" or a D-Bus address.

    `name` is the well-known name to own, None for a client. Use it as `async with BusConnection(…) as bus`,
    or call `connect` and `close`.
    """

    def __init__(self, address: str = "system", name: str | None = None) -> None:
        self._address = address
        self._name = name
        self._link: Link | None = None
        self._ready = False
        self._server = Server()
        self._subscriptions = Subscriptions()
        self._on_connected: list[Callable[[], None]] = []
        self._on_drained: list[Callable[[], None]] = []
        self._keeper: asyncio.Task[None] | None = None

    # ---- life --------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """Connect and take the name.

        Raises `UnavailableError` (no bus, no answer), `NameTakenError` or `AccessDeniedError`, each with a
        remedy.
        """
        link = await self._establish()
        self._keeper = asyncio.create_task(self._keep(link), name=f"bus connection {self._name or ''}")

    async def run(self) -> None:
        """Wait until `close`; raises what the keeper of the connection died of."""
        assert self._keeper is not None, "connect first"
        try:
            await asyncio.shield(self._keeper)
        except asyncio.CancelledError:
            if not self._keeper.cancelled():
                raise

    async def close(self) -> None:
        """Write out what waits, for at most `FLUSH_TIMEOUT_S`, then disconnect."""
        if self._link is not None and not self._link.ended.is_set():
            try:
                async with asyncio.timeout(FLUSH_TIMEOUT_S):
                    await self._link.writer.drain()
            except TimeoutError:
                _log.warning("the bus does not read; %d bytes were not sent", self._link.writer.queued)
        await self._server.close()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._ready = False
        if self._link is not None:
            self._link.end("closed")

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def connected(self) -> bool:
        """True while name, objects and matches stand."""
        return self.live is not None

    @property
    def unique_name(self) -> str:
        """Return our unique name, "" without a connection."""
        return self._link.unique_name if self._link is not None and self._ready else ""

    @property
    def live(self) -> Link | None:
        """Return the link for those in this package who write packed messages, None while there is none."""
        link = self._link
        return link if link is not None and self._ready and not link.ended.is_set() else None

    def on_connected(self, callback: Callable[[], None], *, remove: bool = False) -> None:
        """Have `callback` called after each (re)connect, at once if connected already; `remove` undoes it."""
        if remove:
            if callback in self._on_connected:
                self._on_connected.remove(callback)
            return
        self._on_connected.append(callback)
        if self._ready:
            callback()

    def on_drained(self, callback: Callable[[], None]) -> None:
        """Have `callback` called when a congested writer has room again."""
        self._on_drained.append(callback)

    async def _establish(self) -> Link:
        link = Link(await open_socket(self._address), self._received, self._drained)
        self._link = link
        try:
            reply = await self._ask_bus(link, "Hello")
            link.unique_name = reply[0]
            for rule in self._subscriptions.rules():
                await self._ask_bus(link, "AddMatch", "s", str(rule))
            if self._name is not None:
                await self._take_name(link, self._name)
        except BaseException:
            link.end("could not be set up")
            raise
        if link.ended.is_set():
            raise LOST
        self._ready = True
        for callback in self._on_connected:
            callback()
        return link

    async def _take_name(self, link: Link, name: str) -> None:
        try:
            (code,) = await self._ask_bus(link, "RequestName", "su", name, _DO_NOT_QUEUE)
        except AccessDeniedError as error:
            raise AccessDeniedError(
                f"the bus policy does not let this user own {name}",
                "run it by its unit, as its own user; the policy is in /usr/share/dbus-1/system.d",
            ) from error
        if code not in _OWNER_REPLIES:
            (pid,) = await self._ask_bus(link, "GetConnectionUnixProcessID", "s", name)
            raise NameTakenError(
                f"the bus name {name} belongs to process {pid}", f"stop that one first: ps -fp {pid}"
            )

    async def _keep(self, link: Link) -> None:
        """Wait for the end of `link`, make the next one, for ever."""
        while True:
            await link.ended.wait()
            self._ready = False
            _log.warning("lost the bus (%s), reconnecting", link.reason)
            link = await self._reconnect()
            _log.info("back on the bus as %s", self._name or link.unique_name)

    async def _reconnect(self) -> Link:
        attempt = 0
        told = ""
        while True:
            await asyncio.sleep(BACK_OFF_S[min(attempt, len(BACK_OFF_S) - 1)])
            attempt += 1
            try:
                return await self._establish()
            except (SmartCockpitError, ValueError) as error:
                if str(error) != told:
                    told = str(error)
                    _log.warning("no way back to the bus yet: %s", told)

    async def _ask_bus(self, link: Link, member: str, signature: str = "", *args: Any) -> list[Any]:
        target = Target(DBUS_NAME, DBUS_PATH, DBUS_INTERFACE, member)
        return (await link.call(target, signature, args, 5.0)).args()

    def _drained(self) -> None:
        for callback in self._on_drained:
            callback()

    # ---- offering ----------------------------------------------------------------------------------------

    def export(self, obj: Any, path: str = "") -> None:
        """Offer `obj`, of a declared class, at `path` (default: its interface's own), now and after
        reconnects."""
        path = path or spec_of(obj).path
        self._server.objects.add(path, obj)
        sinks_of(obj).append(Announcer(self, path, obj))

    def _received(self, message: Incoming) -> None:
        link = self._link
        if message.kind == SIGNAL:
            self._subscriptions.deliver(message)
        elif message.kind == CALL and link is not None and not link.ended.is_set():
            self._server.take(link, message)

    # ---- asking ------------------------------------------------------------------------------------------

    async def call(  # noqa: PLR0917 - the four parts of an address, always in this order
        self,
        destination: str,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        args: tuple[Any, ...] = (),
        *,
        timeout_s: float = 5.0,
    ) -> list[Any]:
        """Call a method and return the reply's arguments as plain values; `args` fit `signature`.

        Raises the kinds of `smartcockpit.bus.errors`; `UnavailableError` while there is no connection.
        """
        target = Target(destination, path, interface, member)
        return (await self._call(target, signature, args, timeout_s)).args()

    async def call_for_descriptor(  # noqa: PLR0917 - as `call`
        self,
        destination: str,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        args: tuple[Any, ...] = (),
        *,
        timeout_s: float = 5.0,
    ) -> int:
        """Call a method that returns a descriptor (`h`), which is the caller's to close; raises as `call`."""
        if self._link is None or not self._ready:
            raise UnavailableError("not connected to the bus", "it is tried again all the time")
        target = Target(destination, path, interface, member)
        return await self._link.call_for_descriptor(target, signature, args, timeout_s)

    async def call_declared(
        self, destination: str, method: MethodSpec, path: str, *args: Any, timeout_s: float = 5.0
    ) -> list[Any]:
        """Call a method of a declared interface; a reply of another signature is `InvalidArgumentsError`."""
        target = Target(destination, path, method.interface, method.name)
        reply = await self._call(target, method.in_signature, args, timeout_s)
        if reply.signature != method.out_signature:
            raise InvalidArgumentsError(
                f"{destination} answered {method.name} with {reply.signature!r} "
                f"instead of {method.out_signature!r}",
                "service and client are of different releases; update both",
            )
        return reply.args()

    async def _call(
        self, target: Target, signature: str, args: tuple[Any, ...], timeout_s: float
    ) -> Incoming:
        if self._link is None or not self._ready:
            raise UnavailableError("not connected to the bus", "it is tried again all the time")
        return await self._link.call(target, signature, args, timeout_s)

    async def subscribe(self, rule: MatchRule, handler: Handler) -> Subscription:
        """Have `handler` called with each signal that matches `rule`; added again after a reconnect.

        A handler must not raise: what it raises is logged.
        """
        subscription = Subscription(self._unsubscribe, rule, handler)
        is_new = self._subscriptions.add(subscription)
        if is_new and self._link is not None and self._ready:
            try:
                await self._ask_bus(self._link, "AddMatch", "s", str(rule))
            except BaseException:
                self._subscriptions.remove(subscription)
                raise
        return subscription

    async def _unsubscribe(self, subscription: Subscription) -> None:
        was_last = self._subscriptions.remove(subscription)
        if not was_last or self._link is None or not self._ready:
            return
        try:
            await self._ask_bus(self._link, "RemoveMatch", "s", str(subscription.rule))
        except SmartCockpitError as error:
            _log.debug("match rule was gone already: %s", error)
