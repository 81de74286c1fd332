# SPDX-License-Identifier: Apache-2.0
"""The satellites above the simulated car: where they stand and how strong they are, as a function of time."""

from __future__ import annotations

import math
from dataclasses import dataclass

PERIOD_S = 43_080.0
"""Half a sidereal day, as GPS has it; the others are near enough."""
MASK_DEG = 5.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One satellite above the horizon; `system` is u-blox' gnssId, `number` counts within it."""

    system: int
    number: int
    elevation_deg: float
    azimuth_deg: float
    cn0_dbhz: float

    @property
    def used(self) -> bool:
        """Whether the receiver takes it into the solution."""
        return self.elevation_deg >= MASK_DEG + 5.0 and self.cn0_dbhz >= 25.0


FLEET = tuple(
    [(0, n) for n in range(1, 32, 2)] + [(6, n) for n in range(1, 24, 3)]
    + [(2, n) for n in range(1, 36, 3)] + [(3, n) for n in range(6, 45, 4)]
)  # fmt: skip
"""GPS, GLONASS, Galileo, BeiDou: about half of them are up at a time."""


def above(utc_s: float) -> list[Seen]:
    """Return the satellites above the horizon; they rise and set as the hours go by."""
    found = []
    for system, number in FLEET:
        turn = utc_s / PERIOD_S + number * 0.381 + system * 0.17
        elevation = 85.0 * math.sin(2.0 * math.pi * turn)
        if elevation > 0.0:
            azimuth = (number * 137.0 + system * 61.0 + 90.0 * turn) % 360.0
            strength = 28.0 + 20.0 * math.sin(math.radians(elevation)) + 1.5 * math.sin(utc_s / 7.0 + number)
            found.append(Seen(system, number, elevation, azimuth, strength))
    return found


def dilution(satellites: list[Seen]) -> tuple[float, float]:
    """Return plausible HDOP and PDOP: more satellites, better geometry."""
    used = max(4, sum(s.used for s in satellites))
    hdop = 0.55 + 4.0 / used
    return round(hdop, 2), round(hdop * 1.8, 2)
