# SPDX-License-Identifier: Apache-2.0
"""One connection to a message bus that survives stalls and restarts of the bus daemon. (Signatures; body
follows.)"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from smartcockpit.bus.declare import MethodSpec
from smartcockpit.bus.match import MatchRule


class Signal:
    """A received signal."""

    sender: str
    path: str
    interface: str
    member: str

    def args(self) -> list[Any]:
        """Return the arguments as plain Python values (structs are tuples, variants their values)."""
        raise NotImplementedError


class Subscription:
    """A running subscription."""

    async def close(self) -> None:
        """End it."""


class BusConnection:
    """`address`: "system", "session" or a D-Bus address; `name`: well-known name to own, or None for a
    client.

    async with BusConnection("system", "org.smartcockpit.X1") as bus: … connects and closes.
    """

    def __init__(self, address: str = "system", name: str | None = None) -> None:
        self.unique_name = ""

    async def connect(self) -> None:
        """Connect, export, take the name. Raises `UnavailableError` (no bus) or `NameTakenError`, both with
        remedy."""

    async def run(self) -> None:
        """Wait until `close`; raises what the keeper of the connection died of."""

    async def close(self) -> None:
        """Flush for at most 0.5 s, then disconnect."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def connected(self) -> bool:
        """True while the bus can be used."""
        return False

    def export(self, obj: Any, path: str = "") -> None:
        """Offer `obj` (of a declared class) at `path`, by default the interface's own; before or after
        `connect`."""

    def on_connected(self, callback: Callable[[], None]) -> None:
        """Have `callback` called after each (re)connect, when names, objects and matches stand."""

    async def call(
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
        """Call a method, return the reply's arguments as plain values; errors are those of
        `smartcockpit.bus.errors`."""
        raise NotImplementedError

    async def call_declared(
        self, destination: str, spec: MethodSpec, path: str, *args: Any, timeout_s: float = 5.0
    ) -> list[Any]:
        """Call a method of a declared interface and check the reply's signature."""
        raise NotImplementedError

    async def subscribe(self, rule: MatchRule, handler: Callable[[Signal], None]) -> Subscription:
        """Have `handler` called for each signal that matches; re-added after a reconnect."""
        raise NotImplementedError
