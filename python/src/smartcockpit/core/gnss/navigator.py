# SPDX-License-Identifier: Apache-2.0
"""Decides where the car is: by satellites while they are there, by its own motion where they are not.

The way between the two is smooth where that is honest. When satellites come back the difference is taken out
over some seconds and its rest is part of the error; when it is larger than the estimate claimed to be
wrong, the position jumps. A fix that no car could have reached is refused until several agree.
"""

from __future__ import annotations

import math
from enum import StrEnum

from smartcockpit.core.gnss.deadreckoning import DeadReckoning, Motion
from smartcockpit.core.gnss.fix import Fix
from smartcockpit.core.gnss.geodesy import between, moved
from smartcockpit.core.gnss.heading import CourseGate
from smartcockpit.core.named import NamedTuple

UNKNOWN_ERROR_M = 15.0
"""For a receiver that gives neither an error nor a dilution."""
SMOOTH_S = 1.5
AGREEING = 5
"""So many fixes in a row that agree with each other are believed, jump or not."""
REACH_MPS = 70.0
OVERDUE_INTERVALS, OVERDUE_NS = 1.5, 250_000_000
FORGET_NS = 120_000_000_000
"""A last position older than this says nothing about where the car can be: ferries, lorries."""


class Source(StrEnum):
    """What a position rests on."""

    NONE = "none"
    SATELLITES = "satellites"
    ESTIMATED = "estimated"
    STALE = "stale"
    """The last one; its successor is overdue."""
    LOST = "lost"
    """Overdue for so long that the last one means nothing."""


class Place(NamedTuple):
    """Where the car is. Latitude and longitude are fillers with source NONE."""

    source: Source = Source.NONE
    latitude_deg: float = 0.0
    longitude_deg: float = 0.0
    error_m: float = 0.0
    """Horizontal. By satellites: the receiver's own claim (about one standard deviation). Estimated: a radius
    that holds the truth about 98 times in 100."""
    course_deg: float | None = None
    course_holds: bool = False
    """False: the last one that meant something."""


class Limits(NamedTuple):
    """How long and how far one goes on without satellites."""

    estimate_error_m: float = 250.0
    lost_after_ns: int = 10_000_000_000


class Navigator:
    """`take_fix` for every epoch, `take_motion` for the car's news, `tick` ten times a second."""

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008 - immutable
        self._limits = limits
        self.reckoning = DeadReckoning()
        self.place = Place()
        self.jumps = 0
        self._gate = CourseGate()
        self._anchor = (0.0, 0.0)
        self._fix_ns = self._stale_ns = 0
        self._interval_ns = 1_000_000_000
        self._has_fix = False
        self._offset = (0.0, 0.0)
        self._suspect: tuple[int, Fix] | None = None

    def take_motion(self, motion: Motion | None, at_ns: int) -> None:
        """The car moves like this from `at_ns` on; None: it does not say."""
        self.reckoning.take_motion(motion, at_ns)

    def take_fix(self, fix: Fix, now_ns: int) -> Place:
        """Take a plausible epoch, with or without a position."""
        self.reckoning.advance(now_ns)
        if not fix.has_position or self._is_jump(fix, now_ns):
            self._has_fix = False
            return self.tick(now_ns)
        error_m = UNKNOWN_ERROR_M if fix.horizontal_error_m is None else fix.horizontal_error_m
        if self.place.source is Source.ESTIMATED and error_m > max(25.0, self.place.error_m):
            return self.tick(now_ns)  # the first fixes after a tunnel are worse than we are without them
        self._smooth(fix, error_m, now_ns)
        rest_m = math.hypot(*self._offset)
        self._anchor = moved(fix.latitude_deg, fix.longitude_deg, *self._offset)
        if not fix.by_motion:
            self.reckoning.calibrate(fix)
        self.reckoning.anchor(2.0 * error_m + rest_m, now_ns)
        if self._has_fix:
            passed = min(2_000_000_000, max(50_000_000, now_ns - self._fix_ns))
            self._interval_ns += (passed - self._interval_ns) // 4
        self._has_fix, self._fix_ns = True, now_ns
        self._gate.take(fix)
        source = Source.ESTIMATED if fix.by_motion else Source.SATELLITES
        return self._tell(Place(source, *self._anchor, error_m + rest_m, *self._course()))

    def gone(self, now_ns: int) -> Place:
        """The receiver is not there any more: no need to wait for its next fix."""
        self._has_fix = False
        place = self.tick(now_ns)
        if place.source in (Source.SATELLITES, Source.STALE):
            place = self._tell(place._replace(source=Source.LOST, course_holds=False))
        return place

    def tick(self, now_ns: int) -> Place:
        """Look at the clock; return where the car is now."""
        self.reckoning.advance(now_ns)
        place, age_ns = self.place, now_ns - self._fix_ns
        is_fresh = age_ns <= OVERDUE_INTERVALS * self._interval_ns + OVERDUE_NS
        if place.source in (Source.NONE, Source.LOST) or (self._has_fix and is_fresh):
            return place
        self._has_fix = False
        reckoning = self.reckoning
        sure = reckoning.usable and reckoning.error_m <= self._limits.estimate_error_m
        if sure and place.source is not Source.STALE:
            where = moved(*self._anchor, reckoning.north_m, reckoning.east_m)
            return self._tell(Place(Source.ESTIMATED, *where, reckoning.error_m, *self._estimated_course()))
        if is_fresh and place.source is Source.SATELLITES:
            return place
        self._gate.open = False
        if place.source is not Source.STALE:
            self._stale_ns = now_ns
        source = Source.LOST if now_ns - self._stale_ns > self._limits.lost_after_ns else Source.STALE
        return self._tell(place._replace(source=source, course_holds=False))

    def _tell(self, place: Place) -> Place:
        self.place = place
        return place

    def _course(self) -> tuple[float | None, bool]:
        return self._gate.course_deg, self._gate.open

    def _estimated_course(self) -> tuple[float | None, bool]:
        if self.reckoning.is_still:
            return self._gate.course_deg, False
        self._gate.course_deg = self.reckoning.course_deg
        return self.reckoning.course_deg, True

    def _smooth(self, fix: Fix, error_m: float, now_ns: int) -> None:
        """Keep the difference to where we thought to be, and let it fade with each fix."""
        if self.place.source is Source.ESTIMATED and not fix.by_motion:
            here = moved(*self._anchor, self.reckoning.north_m, self.reckoning.east_m)
            gap = between((fix.latitude_deg, fix.longitude_deg), here)
            honest = math.hypot(*gap) <= self.place.error_m + 3.0 * error_m
            self._offset = gap if honest else (0.0, 0.0)
        else:
            fade = math.exp(-(now_ns - self._fix_ns) / 1e9 / SMOOTH_S)
            self._offset = (self._offset[0] * fade, self._offset[1] * fade)

    def _is_jump(self, fix: Fix, now_ns: int) -> bool:
        """Whether the car cannot have come to this fix; several that agree are believed after all."""
        if self.place.source is Source.NONE or now_ns - self._fix_ns > FORGET_NS:
            self._suspect = None
            return False
        error_m = UNKNOWN_ERROR_M if fix.horizontal_error_m is None else fix.horizontal_error_m
        reckoning = self.reckoning
        if reckoning.usable:
            here, slack = moved(*self._anchor, reckoning.north_m, reckoning.east_m), 3.0 * reckoning.error_m
        else:
            slack = REACH_MPS * (now_ns - self._fix_ns) / 1e9 + 3.0 * self.place.error_m
            here = self._anchor
        target = (fix.latitude_deg, fix.longitude_deg)
        if math.hypot(*between(here, target)) <= slack + 3.0 * error_m + 50.0:
            self._suspect = None
            return False
        count = 1
        if self._suspect is not None:
            before = self._suspect[1]
            step = math.hypot(*between((before.latitude_deg, before.longitude_deg), target))
            reach = REACH_MPS * (fix.at_ns - before.at_ns) / 1e9 + 3.0 * error_m
            count = self._suspect[0] + 1 if step <= reach else 1
        self._suspect = (count, fix)
        if count < AGREEING:
            self.jumps += 1
            return True
        self._suspect, self._offset = None, (0.0, 0.0)
        self.place = self.place._replace(source=Source.STALE)
        return False
