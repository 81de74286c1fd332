# SPDX-License-Identifier: Apache-2.0
"""What the CAN bridge knows that matters here: battery voltage, the driver's door, and the ignition where
asked.

Only readings that are valid count; anything else is unknown, which never makes the cockpit go off.
"""

from __future__ import annotations

from collections.abc import Callable

from smartcockpit.bus.connection import BusConnection
from smartcockpit.core.signals import SignalQuality, Value

VOLTAGE = "Vehicle.LowVoltageBattery.CurrentVoltage"
DOOR = "Vehicle.Cabin.Door.Row1.DriverSide.IsOpen"
IGNITION = "Vehicle.LowVoltageSystemState"
_IGNITION = {"LOCK": False, "OFF": False, "ACC": True, "ON": True, "START": True}


class CarView:
    """Follows the CAN bridge; `changed` is called after each batch of readings."""

    def __init__(self, connection: BusConnection, changed: Callable[[], None], *, ignition: bool) -> None:
        self._connection = connection
        self._paths = (VOLTAGE, DOOR, IGNITION) if ignition else (VOLTAGE, DOOR)
        self._changed = changed
        self._known: dict[str, Value] = {}

    async def follow(self) -> None:
        """Follow until cancelled, across restarts of bridge and bus."""
        # Not before we are ready: the car may be silent for long, our lines are not.
        from smartcockpit.bus.client import SignalsClient
        from smartcockpit.bus.owners import CAN_BRIDGE

        client = SignalsClient(self._connection, owners=[CAN_BRIDGE])
        async for batch in client.watch(self._paths):
            for reading in batch:
                if reading.quality is SignalQuality.VALID:
                    self._known[reading.path] = reading.value
                else:
                    self._known.pop(reading.path, None)
            self._changed()

    @property
    def voltage_v(self) -> float | None:
        """Battery voltage, None when unknown."""
        value = self._known.get(VOLTAGE)
        return float(value) if isinstance(value, int | float) else None

    @property
    def driver_door_open(self) -> bool | None:
        """Whether the driver's door is open, None when unknown."""
        value = self._known.get(DOOR)
        return value if isinstance(value, bool) else None

    @property
    def ignition(self) -> bool | None:
        """Whether the ignition is on (accessory position included), None when unknown."""
        return _IGNITION.get(str(self._known.get(IGNITION)))
