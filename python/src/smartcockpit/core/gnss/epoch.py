# SPDX-License-Identifier: Apache-2.0
"""Puts the sentences of one epoch together to a fix.

Sentences of one epoch bear the same time of day; which ones a receiver sends, and in which order, is its own
choice. So the epoch is told as soon as all kinds have come that made up the last one; when one of them is
lost, with the first sentence of the next epoch or when the line falls silent (`flush`).

Without GST the horizontal error is HDOP times the user equivalent range error (UERE), a rule of thumb.
"""

from __future__ import annotations

from smartcockpit.core.gnss.dates import correct
from smartcockpit.core.gnss.fix import Augmentation, Dimension, Fix
from smartcockpit.core.gnss.nmea import Course, Moment, Position, Record, Spread
from smartcockpit.core.gnss.nmea_sky import Active

UERE_M = {Augmentation.NONE: 4.0, Augmentation.SATELLITE: 2.0, Augmentation.GROUND: 1.0}
VERTICAL_FACTOR = 1.7
"""Satellites are all above us: heights are worse than positions by about this."""
DAY_MS = 86_400_000
DOP_NS = 5_000_000_000
CARRIERS = ("RMC", "GGA", "GNS", "VTG", "GST")
"""Kinds that are worth waiting for; GLL and ZDA add nothing to them."""
NO_DOP = 50.0
"""A dilution above this is the receiver's word for none (99.99)."""


class Epoch:
    """Merges records. `take` and `flush` return the fix that became complete, if one did."""

    def __init__(self, floor_us: int) -> None:
        self._floor_us = floor_us
        self._expected: frozenset[str] = frozenset()
        self._kinds: set[str] = set()
        self._positions: dict[str, Position] = {}
        self._course: Course | None = None
        self._spread: Spread | None = None
        self._time_ms: int | None = None
        self._started = (0, 0)
        self._told = False
        self._active: tuple[int, Active] | None = None
        self._day: tuple[int, int] | None = None
        """Last known day, and the time of day (ms) then."""

    def take(self, record: Record, now_ns: int, wall_us: int) -> Fix | None:
        """Take what a sentence says, received at `now_ns` (monotonic) and `wall_us` (CLOCK_REALTIME)."""
        if isinstance(record, Active):
            self._active = (now_ns, record)
            return None
        if isinstance(record, Course):
            self._course = record
            self._kinds.add("VTG")
            return self._tell_if_complete()
        if not isinstance(record, Position | Moment | Spread):
            return None
        finished = None
        repeated = isinstance(record, Position) and record.kind in self._positions
        if repeated or record.time_ms != self._time_ms:
            finished = self.flush()
            self._begin(record.time_ms, now_ns, wall_us)
        if isinstance(record, Position):
            self._positions[record.kind] = record
            self._kinds.add(record.kind)
            if record.day is not None:
                self._day = (record.day, record.time_ms or 0)
        elif isinstance(record, Spread):
            self._spread = record
            self._kinds.add("GST")
        elif record.day is not None:
            self._day = (record.day, record.time_ms or 0)
        return finished or self._tell_if_complete()

    def flush(self) -> Fix | None:
        """End the epoch: return its fix unless that was told already."""
        if self._told or not self._positions:
            return None
        return self._tell()

    def _begin(self, time_ms: int | None, now_ns: int, wall_us: int) -> None:
        carried = frozenset(kind for kind in self._kinds if kind in CARRIERS)
        if self._positions:
            self._expected = carried or frozenset(self._kinds)
        self._kinds, self._positions = set(), {}
        self._course = self._spread = None
        self._time_ms, self._started, self._told = time_ms, (now_ns, wall_us), False

    def _tell_if_complete(self) -> Fix | None:
        complete = bool(self._expected) and self._expected <= self._kinds
        return self._tell() if complete and not self._told and self._positions else None

    def _tell(self) -> Fix:
        self._told = True
        positions = [self._positions[k] for k in ("GNS", "GGA", "RMC", "GLL") if k in self._positions]
        at_ns, wall_us = self._started
        utc_us, weeks = self._utc()
        # All must say that there is a fix: a receiver that has lost it does not say so everywhere at once.
        best = next(
            (p for p in positions if p.latitude_deg is not None and p.longitude_deg is not None), None
        )
        valid = best is not None and all(p.dimension is not Dimension.NONE for p in positions)
        used = max((p.satellites_used or 0 for p in positions), default=0)
        if best is None or not valid:
            return Fix(at_ns, wall_us, utc_us=utc_us, satellites_used=used, corrected_weeks=weeks)
        assert best.latitude_deg is not None
        assert best.longitude_deg is not None
        rmc = self._positions.get("RMC")
        course = self._course or Course(*((rmc.course_deg, rmc.speed_mps) if rmc else (None, None)))
        augmentation = next((p.augmentation for p in positions if p.augmentation), Augmentation.NONE)
        hdop, pdop = self._dilution(positions, at_ns)
        horizontal, vertical = self._errors(hdop, pdop, augmentation)
        return Fix(
            at_ns,
            wall_us,
            self._dimension(positions, at_ns),
            augmentation,
            utc_us,
            None,
            best.latitude_deg,
            best.longitude_deg,
            *self._heights(positions),
            horizontal,
            vertical,
            course.speed_mps,
            None,
            course.course_deg,
            satellites_used=used,
            hdop=hdop,
            pdop=pdop,
            by_motion=any(p.by_motion for p in positions),
            corrected_weeks=weeks,
        )

    @staticmethod
    def _heights(positions: list[Position]) -> tuple[float | None, float | None]:
        """Return the heights above ellipsoid and sea level: GGA gives the latter, and their difference."""
        for p in positions:
            if p.sea_level_m is not None:
                above = None if p.separation_m is None else p.sea_level_m + p.separation_m
                return above, p.sea_level_m
        return None, None

    def _dimension(self, positions: list[Position], at_ns: int) -> Dimension:
        if self._active is not None and at_ns - self._active[0] < DOP_NS and self._active[1].dimension:
            return self._active[1].dimension
        return Dimension.THREE_D if self._heights(positions)[1] is not None else Dimension.TWO_D

    def _dilution(self, positions: list[Position], at_ns: int) -> tuple[float | None, float | None]:
        hdop = next((p.hdop for p in positions if p.hdop is not None), None)
        pdop = None
        if self._active is not None and at_ns - self._active[0] < DOP_NS:
            pdop = self._active[1].pdop
            hdop = self._active[1].hdop if hdop is None else hdop
        hdop = hdop if hdop is not None and 0.0 < hdop < NO_DOP else None
        return hdop, pdop if pdop is not None and 0.0 < pdop < NO_DOP else None

    def _errors(
        self, hdop: float | None, pdop: float | None, augmentation: Augmentation
    ) -> tuple[float | None, float | None]:
        spread = self._spread
        if spread is not None and spread.latitude_m is not None and spread.longitude_m is not None:
            return (spread.latitude_m**2 + spread.longitude_m**2) ** 0.5, spread.altitude_m
        if hdop is None:
            return None, None
        horizontal = hdop * UERE_M[augmentation]
        vdop = (pdop**2 - hdop**2) ** 0.5 if pdop is not None and pdop > hdop else hdop * VERTICAL_FACTOR
        return horizontal, vdop * UERE_M[augmentation]

    def _utc(self) -> tuple[int, int]:
        """Return date and time, roll-over undone, and the weeks that were added; 0 without a date."""
        if self._day is None or self._time_ms is None:
            return 0, 0
        day, at_ms = self._day
        if self._time_ms - at_ms < -DAY_MS // 2:
            day += 1  # midnight has passed and the date has not come yet
        elif self._time_ms - at_ms > DAY_MS // 2:
            day -= 1
        return correct((day * DAY_MS + self._time_ms) * 1000, self._floor_us)
