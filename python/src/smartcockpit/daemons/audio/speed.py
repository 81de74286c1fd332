# SPDX-License-Identifier: Apache-2.0
"""Follows Vehicle.Speed, whoever publishes it; a speed that is not fresh is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from smartcockpit.bus.connection import BusConnection
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.core.signals import SignalQuality

SPEED = "Vehicle.Speed"
STEP_KMH = 2.0
"""Smaller changes are nothing to hear."""
RETRY_S = 2.0


async def follow_speed(connection: BusConnection, tell: Callable[[float | None], None]) -> None:
    """Call `tell` with the speed in km/h, None while it is not known, for ever."""
    from smartcockpit.bus.client import SignalsClient  # not needed before we are ready

    told: float | None = None
    client = SignalsClient(connection)
    while True:
        try:
            async for batch in client.watch([SPEED]):
                for reading in batch:
                    usable = reading.quality is SignalQuality.VALID and isinstance(reading.value, int | float)
                    speed = float(reading.value) if usable else None  # type: ignore[arg-type]
                    if (speed is None) is not (told is None) or abs((speed or 0) - (told or 0)) >= STEP_KMH:
                        told = speed
                        tell(speed)
        except SmartCockpitError:
            if told is not None:
                told = None
                tell(None)
        await asyncio.sleep(RETRY_S)
