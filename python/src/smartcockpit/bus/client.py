# SPDX-License-Identifier: Apache-2.0
"""Typed clients of our own interfaces, built on the declared classes: names and signatures come from
there."""

from __future__ import annotations

import builtins
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from smartcockpit.bus.codec import to_variant
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.declare import spec_of
from smartcockpit.bus.errors import AccessDeniedError, NotOfferedError
from smartcockpit.bus.interfaces.canbridge1 import BusCounters, BusStatus, CanBridge1
from smartcockpit.bus.interfaces.gnss1 import Calibration, Gnss1, GnssCounters, ReceiverStatus, SatelliteRow
from smartcockpit.bus.interfaces.signals1 import Description, Signals1
from smartcockpit.bus.names import DBUS_INTERFACE, DBUS_NAME, DBUS_PATH, PREFIX, PROPERTIES
from smartcockpit.bus.owners import Catalogue, believed
from smartcockpit.bus.reading import Reading
from smartcockpit.bus.signal_service import PATHS_PER_GET
from smartcockpit.core.errors import UnavailableError, UnknownSignalError
from smartcockpit.core.named import NamedTuple
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.signals import Value

__all__ = [
    "CanBridgeClient",
    "CanBridgeState",
    "GnssClient",
    "GnssState",
    "Reading",
    "SignalsClient",
    "properties",
]

_SIGNALS = spec_of(Signals1)
_CANBRIDGE = spec_of(CanBridge1)
_GNSS = spec_of(Gnss1)


class SignalsClient:
    """All signals on the bus, whoever owns them. Catalogues are remembered until their owner restarts.

    `owners` (well-known names) restricts it to these; of several owners of one signal only the one that
    `smartcockpit.bus.owners` prefers is looked at.
    """

    def __init__(self, connection: BusConnection, owners: Sequence[str] = ()) -> None:
        self._connection = connection
        self._only = tuple(owners)
        self._catalogues: dict[str, Catalogue | None] = {}
        self._link: object = None
        """What the catalogues were read over: a bus daemon that starts anew gives unique names out again."""

    async def owners(self) -> builtins.list[str]:
        """Return the well-known names below org.smartcockpit. that offer Signals1, sorted."""
        return [catalogue.owner for catalogue in await self.catalogues()]

    async def catalogues(self) -> builtins.list[Catalogue]:
        """Return what each owner offers; one that does not answer counts as absent."""
        if self._link is not (link := self._connection.live):
            self._link, self._catalogues = link, {}
        (names,) = await self._ask_bus("ListNames")
        present: dict[str, Catalogue | None] = {}
        for owner in sorted(name for name in names if name.startswith(PREFIX + ".")):
            if self._only and owner not in self._only:
                continue
            try:
                (unique,) = await self._ask_bus("GetNameOwner", owner)
                if unique not in present:
                    present[unique] = await self._catalogue(owner, unique)
            except UnavailableError:
                continue  # gone since, or hangs
        self._catalogues = present if link is self._connection.live else {}
        return believed(catalogue for catalogue in present.values() if catalogue is not None)

    async def _catalogue(self, owner: str, unique: str) -> Catalogue | None:
        """Return the catalogue of `owner`, None when it has no signals or none for us."""
        if unique in self._catalogues:
            return self._catalogues[unique]
        try:
            (rows,) = await self._connection.call_declared(
                unique, _SIGNALS.methods["List"], _SIGNALS.path, "", timeout_s=10.0
            )
        except (NotOfferedError, AccessDeniedError):
            return None
        return Catalogue(owner, unique, {row[0]: Description(*row) for row in rows})

    async def _ask_bus(self, member: str, *args: str) -> builtins.list[Any]:
        return await self._connection.call(
            DBUS_NAME, DBUS_PATH, DBUS_INTERFACE, member, "s" * len(args), args
        )

    async def list(self, prefix: str = "") -> builtins.list[Description]:
        """Describe all signals at or below `prefix`, owner by owner."""
        return [
            description
            for catalogue in await self.catalogues()
            for path, description in catalogue.signals.items()
            if not prefix or path == prefix or path.startswith(prefix + ".")
        ]

    async def get(self, paths: Sequence[str]) -> builtins.list[Reading]:
        """Return readings in the order of `paths`; raises `UnknownSignalError` with the nearest path."""
        by_owner = await self._by_owner(paths)
        found: dict[str, Reading] = {}
        for catalogue, wanted in by_owner:
            found.update((r.path, r) for r in await self.read(catalogue, wanted))
        return [found[path] for path in paths]

    async def read(self, catalogue: Catalogue, paths: Sequence[str]) -> builtins.list[Reading]:
        """Return readings of one owner, in portions that it accepts."""
        readings = []
        for start in range(0, len(paths), PATHS_PER_GET):
            portion = [*paths[start : start + PATHS_PER_GET]]
            get = _SIGNALS.methods["Get"]
            (rows,) = await self._connection.call_declared(catalogue.unique, get, _SIGNALS.path, portion)
            readings += [Reading.from_wire(row, catalogue.owner) for row in rows]
        return readings

    async def set(self, values: Mapping[str, Value]) -> dict[str, str]:
        """Ask for new values; return per path "" or the reason of refusal."""
        refusals: dict[str, str] = {}
        for catalogue, wanted in await self._by_owner(list(values)):
            typed = {p: to_variant(catalogue.signals[p].signature, values[p]) for p in wanted}
            method = _SIGNALS.methods["Set"]
            (answer,) = await self._connection.call_declared(catalogue.unique, method, _SIGNALS.path, typed)
            refusals.update(answer)
        return refusals

    async def _by_owner(self, paths: Sequence[str]) -> builtins.list[tuple[Catalogue, builtins.list[str]]]:
        catalogues = await self.catalogues()
        owner_of = {path: n for n, catalogue in enumerate(catalogues) for path in catalogue.signals}
        grouped: dict[int, builtins.list[str]] = {}
        for path in dict.fromkeys(paths):
            if path not in owner_of:
                hint = did_you_mean(path, owner_of, "list what there is with: cockpitctl signals list")
                raise UnknownSignalError(f"unknown signal {path[:256]!r}", hint)
            grouped.setdefault(owner_of[path], []).append(path)
        return [(catalogues[n], wanted) for n, wanted in grouped.items()]

    async def watch(self, prefixes: Sequence[str] = ("",)) -> AsyncIterator[builtins.list[Reading]]:
        """Yield batches of readings of the signals at or below `prefixes`: first all current ones, then
        changes.

        Survives restarts of owners and of the bus daemon: readings of an owner that is gone come as
        `UNAVAILABLE`. A slow reader gets the newest of each signal. Use: `async for batch in
        client.watch(["Vehicle.Cabin"])`.
        """
        from smartcockpit.bus.watch import Watch

        watch = Watch(self._connection, self, prefixes)
        try:
            async for batch in watch.batches():
                yield batch
        finally:
            await watch.close()


class CanBridgeState(NamedTuple):
    """All properties of org.smartcockpit.CanBridge1."""

    version: str
    vehicle: str
    decoder: str
    buses: dict[str, BusStatus]
    counters: dict[str, BusCounters]
    load: dict[str, float]


class CanBridgeClient:
    """org.smartcockpit.CanBridge1."""

    def __init__(self, connection: BusConnection) -> None:
        self._connection = connection

    async def state(self) -> CanBridgeState:
        """Read all properties at once."""
        found = await properties(self._connection, _CANBRIDGE.name, _CANBRIDGE.path, _CANBRIDGE.name)
        return CanBridgeState(
            found["Version"],
            found["Vehicle"],
            found["Decoder"],
            {name: BusStatus.from_plain(entries) for name, entries in found["Buses"].items()},
            {name: BusCounters.from_plain(entries) for name, entries in found["Counters"].items()},
            found["Load"],
        )


class GnssState(NamedTuple):
    """All properties of org.smartcockpit.Gnss1."""

    version: str
    receiver: ReceiverStatus
    positioning: str
    time_to_first_fix: float
    rate: float
    satellites: list[SatelliteRow]
    counters: GnssCounters
    dead_reckoning: Calibration


class GnssClient:
    """org.smartcockpit.Gnss1."""

    def __init__(self, connection: BusConnection) -> None:
        self._connection = connection

    async def state(self) -> GnssState:
        """Read all properties at once."""
        found = await properties(self._connection, _GNSS.name, _GNSS.path, _GNSS.name)
        return GnssState(
            found["Version"],
            ReceiverStatus.from_plain(found["Receiver"]),
            found["Positioning"],
            found["TimeToFirstFix"],
            found["Rate"],
            [SatelliteRow(*row) for row in found["Satellites"]],
            GnssCounters.from_plain(found["Counters"]),
            Calibration.from_plain(found["DeadReckoning"]),
        )


async def properties(
    connection: BusConnection, destination: str, path: str, interface: str
) -> dict[str, Any]:
    """Read all properties of an interface as plain values."""
    (found,) = await connection.call(destination, path, PROPERTIES, "GetAll", "s", (interface,))
    assert isinstance(found, dict)
    return found
