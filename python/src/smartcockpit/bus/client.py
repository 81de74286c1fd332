# SPDX-License-Identifier: Apache-2.0
"""Typed clients of our own interfaces. (Signatures; body follows.)"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.interfaces.canbridge1 import BusCounters, BusStatus
from smartcockpit.bus.interfaces.signals1 import Description
from smartcockpit.core.signals import SignalQuality, Value


class Reading(NamedTuple):
    """One reading as a client sees it."""

    path: str
    value: Value
    quality: SignalQuality
    time_us: int
    """Time of the source, µs CLOCK_REALTIME; 0: never received."""
    owner: str
    """Well-known name of the service."""


class SignalsClient:
    """All signals on the bus, whoever owns them."""

    def __init__(self, connection: BusConnection) -> None: ...

    async def owners(self) -> list[str]:
        """Return the well-known names below org.smartcockpit. that offer Signals1."""
        raise NotImplementedError

    async def list(self, prefix: str = "") -> Sequence[Description]:
        """Describe all signals at or below `prefix`."""
        raise NotImplementedError

    async def get(self, paths: Sequence[str]) -> Sequence[Reading]:
        """Return readings in the order of `paths`; raises `UnknownSignalError` with the nearest path."""
        raise NotImplementedError

    async def set(self, values: Mapping[str, Value]) -> dict[str, str]:
        """Ask for new values; per path "" or the reason of refusal."""
        raise NotImplementedError

    def watch(self, prefixes: Sequence[str] = ("",)) -> AsyncIterator[Sequence[Reading]]:
        """Yield batches of readings of the signals at or below `prefixes`: first all current ones, then
        changes.

        Survives restarts of owners and of the bus daemon: readings of an owner that is gone come as
        `UNAVAILABLE`. A slow reader gets the newest of each signal. Use: `async for batch in
        client.watch(["Vehicle.Cabin"])`.
        """
        raise NotImplementedError


class CanBridgeState(NamedTuple):
    """All properties of org.smartcockpit.CanBridge1."""

    version: str
    vehicle: str
    buses: dict[str, BusStatus]
    counters: dict[str, BusCounters]
    load: dict[str, float]


class CanBridgeClient:
    """org.smartcockpit.CanBridge1."""

    def __init__(self, connection: BusConnection) -> None: ...

    async def state(self) -> CanBridgeState:
        """Read all properties at once."""
        raise NotImplementedError


async def properties(
    connection: BusConnection, destination: str, path: str, interface: str
) -> dict[str, Any]:
    """Read all properties of an interface as plain values."""
    raise NotImplementedError
