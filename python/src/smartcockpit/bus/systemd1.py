# SPDX-License-Identifier: Apache-2.0
"""What we ask systemd's manager for (org.freedesktop.systemd1(5))."""

from __future__ import annotations

from typing import Any

from smartcockpit.bus.client import properties
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.errors import NotOfferedError, RemoteError
from smartcockpit.core.errors import UnavailableError
from smartcockpit.core.named import NamedTuple

SYSTEMD = "org.freedesktop.systemd1"
MANAGER_PATH = "/org/freedesktop/systemd1"

_UNKNOWN = 2**64 - 1
"""What systemd answers for a figure that it does not have."""


class UnitState(NamedTuple):
    """State of one unit."""

    unit: str
    load_state: str
    """loaded, not-found, masked, …"""
    active_state: str
    """active, inactive, failed, activating, deactivating, …"""
    sub_state: str
    """running, dead, auto-restart, …"""
    restarts: int
    memory_bytes: int | None
    """None: not known."""
    since_us: int
    """When it entered `active_state`, µs CLOCK_REALTIME; 0: never."""


async def unit_properties(connection: BusConnection, unit: str) -> dict[str, Any]:
    """Return all properties of `unit` as systemd names them, those of its kind included, loaded or not.

    Raises `UnavailableError` when there is no systemd on this bus, `AccessDeniedError` when it must not be
    asked.
    """
    try:
        (path,) = await connection.call(SYSTEMD, MANAGER_PATH, f"{SYSTEMD}.Manager", "LoadUnit", "s", (unit,))
    except RemoteError as error:
        raise UnavailableError(f"systemd knows no {unit}: {error.message}", error.hint) from error
    found = await properties(connection, SYSTEMD, path, f"{SYSTEMD}.Unit")
    try:
        found |= await properties(connection, SYSTEMD, path, f"{SYSTEMD}.Service")
    except NotOfferedError:  # a target, a socket
        return found
    return found


async def unit_state(connection: BusConnection, unit: str) -> UnitState:
    """Return the state of `unit`, loaded or not; raises as `unit_properties`."""
    found = await unit_properties(connection, unit)
    memory = found.get("MemoryCurrent", _UNKNOWN)
    return UnitState(
        unit,
        found.get("LoadState", ""),
        found.get("ActiveState", ""),
        found.get("SubState", ""),
        found.get("NRestarts", 0),
        None if memory == _UNKNOWN else memory,
        found.get("StateChangeTimestamp", 0),
    )
