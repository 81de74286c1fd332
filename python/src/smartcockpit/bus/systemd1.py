# SPDX-License-Identifier: Apache-2.0
"""What we ask systemd's manager for (org.freedesktop.systemd1(5)). (Signatures; body follows.)"""

from __future__ import annotations

from typing import NamedTuple

from smartcockpit.bus.connection import BusConnection


class UnitState(NamedTuple):
    """State of one service unit."""

    unit: str
    load_state: str
    """loaded, not-found, …"""
    active_state: str
    sub_state: str
    restarts: int
    memory_bytes: int | None
    """None: not known."""
    since_us: int
    """When it entered `active_state`, µs CLOCK_REALTIME; 0: never."""


async def unit_state(connection: BusConnection, unit: str) -> UnitState:
    """Return the state of `unit`, loaded or not; raises `UnavailableError` without systemd."""
    raise NotImplementedError
