# SPDX-License-Identifier: Apache-2.0
"""Where the car is by its own motion: speed and yaw rate, integrated from the last fix on.

Runs all the time, so that it is ready when the satellites go, and learns from every fix how wrong speedometer
and yaw rate sensor are. Its error is meant to cover the truth, so it grows with what is not known of them:
`SIGMAS` standard deviations, and errors of one sign all the way, for that is what a bias makes.
"""

from __future__ import annotations

import math

from smartcockpit.core.gnss.fix import Fix
from smartcockpit.core.gnss.yaw import LAG_S, SpeedScale, YawFilter
from smartcockpit.core.named import NamedTuple

SIGMAS = 2.5
LEAST_HEADING_ERROR_DEG, LEAST_SCALE_ERROR = 1.0, 0.005
"""The filters are surer of themselves than one should be."""
HEADING_KNOWN_DEG = 12.0
COURSE_MPS = 4.0
"""Slower than this the receiver's course is not used to calibrate."""
GOOD_FIX_M = 25.0
STILL_MPS = 0.05
FRESH_NS = 300_000_000


class Motion(NamedTuple):
    """What the car says of itself; it holds until the next one."""

    speed_mps: float
    """A magnitude."""
    yaw_dps: float
    """Left positive."""
    reverse: bool = False


class DeadReckoning:
    """Tell it `motion` and `anchor`; it says how far the car is from the anchor, and how sure that is."""

    def __init__(self) -> None:
        self.yaw = YawFilter()
        self.speed = SpeedScale()
        self.north_m = self.east_m = 0.0
        self.motion: Motion | None = None
        self._at_ns = self._motion_ns = 0
        self._change_mps2 = 0.0
        self._start_error_m = 0.0
        self._along_m = self._across_m = 0.0
        self._whole = False
        self._still = 0

    @property
    def usable(self) -> bool:
        """True while the way from the anchor to here is known without a gap."""
        if self.motion is None or not self._whole:
            return False
        return self.is_still or self.yaw.heading_error_deg < HEADING_KNOWN_DEG

    @property
    def is_still(self) -> bool:
        """True when the car stands and has not moved since the anchor."""
        moved = self._along_m > 0.0
        return self.motion is not None and self.motion.speed_mps < STILL_MPS and not moved

    @property
    def error_m(self) -> float:
        """Return the radius around the position that holds the truth, about 98 times in 100."""
        return self._start_error_m + math.hypot(self._along_m, self._across_m)

    @property
    def course_deg(self) -> float:
        """Return the direction of travel."""
        reverse = self.motion is not None and self.motion.reverse
        return (self.yaw.heading_deg + 180.0) % 360.0 if reverse else self.yaw.heading_deg

    def take_motion(self, motion: Motion | None, at_ns: int) -> None:
        """The car moves like `motion` from `at_ns` on, which may be a little past; None: it does not say."""
        self.advance(at_ns)
        if motion is None:
            self._whole = False
        elif self.motion is not None and at_ns > self._motion_ns:
            passed_s = max(0.02, (at_ns - self._motion_ns) / 1e9)
            change = (motion.speed_mps - self.motion.speed_mps) / passed_s
            self._change_mps2 += (change - self._change_mps2) * min(1.0, passed_s / 0.3)
        self.motion, self._motion_ns = motion, at_ns

    def advance(self, now_ns: int) -> None:
        """Go on to `now_ns` with the motion that holds."""
        dt_s = (now_ns - self._at_ns) / 1e9
        if dt_s <= 0.0:
            return
        self._at_ns = now_ns
        motion = self.motion
        if motion is None:
            self.yaw.predict(0.0, min(dt_s, 1.0))
            return
        before = self.yaw.heading_deg
        if motion.speed_mps < STILL_MPS:
            self._still += 1
            if self._still % 8 == 0:  # the sensor's noise takes time to be another
                self.yaw.standstill(motion.yaw_dps)
            return
        self._still = 0
        self.yaw.predict(motion.yaw_dps, dt_s)
        turn = (self.yaw.heading_deg - before + 180.0) % 360.0 - 180.0
        middle = math.radians(before + turn / 2.0)
        way = self.speed.value * motion.speed_mps * dt_s
        signed = -way if motion.reverse else way
        self.north_m += signed * math.cos(middle)
        self.east_m += signed * math.sin(middle)
        self._along_m += SIGMAS * max(self.speed.error, LEAST_SCALE_ERROR) * way
        heading_error = max(self.yaw.heading_error_deg, LEAST_HEADING_ERROR_DEG)
        self._across_m += way * math.sin(math.radians(min(90.0, SIGMAS * heading_error)))

    def anchor(self, error_m: float, now_ns: int) -> None:
        """Start anew from here, which is known to `error_m`."""
        self.advance(now_ns)
        self.north_m = self.east_m = self._along_m = self._across_m = 0.0
        self._start_error_m = error_m
        self._whole = self.motion is not None

    def calibrate(self, fix: Fix) -> None:
        """Learn from a fix of satellites."""
        motion, ground = self.motion, fix.speed_mps
        if motion is None or ground is None or (fix.horizontal_error_m or GOOD_FIX_M) > GOOD_FIX_M:
            return
        if ground < COURSE_MPS or motion.speed_mps < COURSE_MPS:
            return
        if self._at_ns - self._motion_ns > FRESH_NS:
            return  # what the car says and what the receiver says are of different moments
        error_mps = max(0.15, fix.speed_error_mps or 0.0) + LAG_S * abs(self._change_mps2)
        self.speed.take(ground, motion.speed_mps, error_mps)
        if fix.course_deg is not None:
            heading = fix.course_deg + (180.0 if motion.reverse else 0.0)
            least = math.degrees(0.15 / ground)
            self.yaw.course(heading, max(0.5, least, fix.course_error_deg or 0.0), motion.yaw_dps)
