# SPDX-License-Identifier: Apache-2.0
"""Speed, yaw rate and reverse gear of the car, followed on D-Bus, whoever owns them.

Only changes are announced, so a car at an even speed is silent; so is an owner that hangs. While we depend on
it, `confirm` asks when nothing has changed for a second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from smartcockpit.bus.client import SignalsClient
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.reading import Reading
from smartcockpit.core.clock import Clock
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.core.gnss.deadreckoning import Motion
from smartcockpit.core.signals import SignalQuality

log = logging.getLogger(__name__)
SPEED, YAW = "Vehicle.Speed", "Vehicle.AngularVelocity.Yaw"
GEAR = "Vehicle.Powertrain.Transmission.CurrentGear"
RETRY_S = 1.0
CONFIRM_NS = 1_000_000_000
OLD_US = 1_500_000


class CarMotion:
    """`take` gets what the car says, None when it does not say enough."""

    def __init__(
        self, connection: BusConnection, clock: Clock, take: Callable[[Motion | None, int], None]
    ) -> None:
        self._client = SignalsClient(connection)
        self._clock, self._take = clock, take
        self._readings: dict[str, Reading] = {}
        self._heard_ns = 0
        self._asking: asyncio.Task[None] | None = None

    async def follow(self) -> None:
        """Follow until cancelled; a bus in trouble is waited for."""
        while True:
            try:
                async for batch in self._client.watch([SPEED, YAW, GEAR]):
                    self._heard_ns = self._clock.monotonic_ns()
                    self._news(batch)
            except SmartCockpitError as error:
                log.debug("the car's motion cannot be followed now: %s", error)
                self._take(None, self._clock.monotonic_ns())
                await asyncio.sleep(RETRY_S)

    def confirm(self, now_ns: int) -> None:
        """Have it confirmed that the car still says what it said, unless that was heard just now."""
        if now_ns - self._heard_ns > CONFIRM_NS and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._ask(), name="confirm the car's motion")

    def close(self) -> None:
        """Stop asking."""
        if self._asking is not None:
            self._asking.cancel()

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(1.0):
                found = await self._client.get([SPEED, YAW])
        except (SmartCockpitError, TimeoutError) as error:
            log.debug("the car's motion cannot be confirmed: %s", error)
            self._take(None, self._clock.monotonic_ns())
            return
        self._heard_ns = self._clock.monotonic_ns()
        limit_us = self._clock.realtime_us() - OLD_US
        old = SignalQuality.STALE
        self._news([r._replace(quality=old) if r.time_us < limit_us else r for r in found])

    def _news(self, readings: Sequence[Reading]) -> None:
        """Tell what holds since the newest of `readings` was measured: on a busy machine that is a while."""
        self._readings.update((reading.path, reading) for reading in readings)
        now_us, now_ns = self._clock.realtime_us(), self._clock.monotonic_ns()
        late_us = max(0, now_us - max((r.time_us for r in readings if r.time_us), default=now_us))
        motion = motion_of(self._readings) if late_us < OLD_US else None
        self._take(motion, now_ns - late_us * 1000)


def motion_of(readings: dict[str, Reading]) -> Motion | None:
    """Return the motion that valid readings make up; without a gear the car goes forward."""
    speed, yaw = (_number(readings.get(path)) for path in (SPEED, YAW))
    if speed is None or yaw is None or speed < 0.0:
        return None
    gear = _number(readings.get(GEAR))
    return Motion(speed / 3.6, yaw, gear is not None and gear < 0)


def _number(reading: Reading | None) -> float | None:
    if reading is None or reading.quality is not SignalQuality.VALID:
        return None
    value = reading.value
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
