# SPDX-License-Identifier: Apache-2.0
"""A typed client of org.smartcockpit.Power1."""

from __future__ import annotations

from smartcockpit.bus.client import properties
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.declare import spec_of
from smartcockpit.bus.interfaces.power1 import InhibitorRow, LineRow, Power1
from smartcockpit.core.named import NamedTuple

_POWER = spec_of(Power1)


class PowerStatus(NamedTuple):
    """All properties of org.smartcockpit.Power1."""

    version: str
    state: str
    reason: str
    ignition: str
    time_to_shutdown: int
    inhibitors: list[InhibitorRow]
    voltage: float
    battery: str
    lines: str
    line_states: list[LineRow]


class PowerClient:
    """org.smartcockpit.Power1."""

    def __init__(self, connection: BusConnection) -> None:
        self._connection = connection

    async def inhibit(self, who: str, why: str) -> int:
        """Hold the shutdown up until the returned descriptor, which is the caller's, is closed."""
        return await self._connection.call_for_descriptor(
            _POWER.name, _POWER.path, _POWER.name, "Inhibit", "sss", ("shutdown", who, why), timeout_s=2.0
        )

    async def status(self) -> PowerStatus:
        """Read all properties at once."""
        found = await properties(self._connection, _POWER.name, _POWER.path, _POWER.name)
        return PowerStatus(
            found["Version"],
            found["State"],
            found["Reason"],
            found["Ignition"],
            found["TimeToShutdown"],
            [InhibitorRow(*row) for row in found["Inhibitors"]],
            found["Voltage"],
            found["Battery"],
            found["Lines"],
            [LineRow(*row) for row in found["LineStates"]],
        )
