# SPDX-License-Identifier: Apache-2.0
"""What the simulated receiver believes at one epoch, in its own words; None of it when it has no fix."""

from __future__ import annotations

from dataclasses import dataclass, field

from smartcockpit_bench.gnss.sky import Seen


@dataclass(frozen=True, slots=True)
class Solution:
    """Position, velocity and time with their claimed errors; angles in degrees."""

    utc_s: float
    """As the receiver gives it: rolled over when its firmware is old."""
    fixed: bool
    time_known: bool
    latitude_deg: float = 0.0
    longitude_deg: float = 0.0
    sea_level_m: float = 0.0
    separation_m: float = 46.9
    speed_mps: float = 0.0
    course_deg: float = 0.0
    horizontal_error_m: float = 99.0
    vertical_error_m: float = 99.0
    hdop: float = 99.99
    pdop: float = 99.99
    satellites: list[Seen] = field(default_factory=list)

    @property
    def used(self) -> list[Seen]:
        """Satellites in the solution."""
        return [s for s in self.satellites if s.used] if self.fixed else []
