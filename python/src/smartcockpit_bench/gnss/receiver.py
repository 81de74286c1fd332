# SPDX-License-Identifier: Apache-2.0
"""The receiver: sees the car and the sky, errs as receivers do, talks, and does what CFG-VALSET says.

As out of the box it speaks NMEA once a second. Deterministic: the same seed, car and times give the same
bytes.
"""

from __future__ import annotations

import math
import random
import struct

from smartcockpit_bench.car.state import REVERSE, CarState
from smartcockpit_bench.gnss import nmea, ubx
from smartcockpit_bench.gnss.faults import GnssFaults
from smartcockpit_bench.gnss.sky import above, dilution
from smartcockpit_bench.gnss.solution import Solution

RATE_MEAS = 0x3021_0001
UBX_OUT, NMEA_OUT = (0x1074_0001, 0x1078_0001), (0x1074_0002, 0x1078_0002)
PVT_OUT, SAT_OUT = (0x2091_0007, 0x2091_0009), (0x2091_0016, 0x2091_0018)
METRES_PER_DEGREE = 111_195.0
WANDER_S = 40.0
"""The slow part of a receiver's error (ionosphere, multipath) changes over this time."""
DEFAULTS = {RATE_MEAS: 1000, 0x1074_0001: 1, 0x1078_0001: 1, 0x1074_0002: 1, 0x1078_0002: 1}
REACQUIRE_S = 1.0
"""How long the first fix takes after a tunnel."""


class SimulatedReceiver:
    """`epoch` gives the bytes of one moment, `take` takes what the host sends and gives the answer."""

    def __init__(self, *, seed: int = 1, first_fix_s: float = 3.0, is_ublox: bool = True) -> None:
        self.faults = GnssFaults()
        self._random = random.Random(seed)  # noqa: S311 - noise, no secret
        self._first_fix_s, self._is_ublox = first_fix_s, is_ublox
        self._settings = dict(DEFAULTS)
        self._inbox = b""
        self._wander = [0.0, 0.0, 0.0]
        self._last_utc_s = 0.0
        self._powered_s: float | None = None
        self._blocked_s: float | None = None
        self._count = 0

    @property
    def period_s(self) -> float:
        """Time between epochs."""
        return self._settings[RATE_MEAS] / 1000.0

    def power_cycle(self) -> None:
        """Off and on: settings in RAM and the position are gone."""
        self._settings = dict(DEFAULTS)
        self._powered_s = self._blocked_s = None
        self._inbox = b""

    def epoch(self, car: CarState, utc_s: float) -> bytes:
        """Return what it sends at `utc_s` (seconds since the Unix epoch)."""
        utc_s = round(utc_s, 3)
        now = self.solve(car, utc_s)
        self._count += 1
        with_sky = self.faults.sky_always or self._count % max(1, round(1.0 / self.period_s)) == 0
        out = b""
        if self._is_on(UBX_OUT):
            out += ubx.nav_pvt(now) if self._is_on(PVT_OUT) else b""
            out += ubx.nav_sat(now) if self._is_on(SAT_OUT) and with_sky else b""
        if self._is_on(NMEA_OUT):
            out += nmea.burst(now, with_sky=with_sky, talker=self.faults.talker)
        return self.faults.spoil(out, self._random)

    def _is_on(self, keys: tuple[int, int]) -> bool:
        return any(self._settings.get(key, 0) for key in keys)

    def solve(self, car: CarState, utc_s: float) -> Solution:
        """Return what it believes at `utc_s`."""
        if self._powered_s is None:
            self._powered_s = self._last_utc_s = utc_s
        self._drift(utc_s)
        warm = utc_s - self._powered_s >= self._first_fix_s
        sky_open = car.surroundings.sky_open and not self.faults.no_sky
        if not sky_open:
            self._blocked_s = utc_s
        seen = above(utc_s) if sky_open else []
        told_utc_s = utc_s - self.faults.weeks_behind * 604_800
        back = self._blocked_s is None or utc_s - self._blocked_s >= REACQUIRE_S
        if not (warm and sky_open and back):
            return Solution(told_utc_s, False, warm, satellites=seen)
        motion = car.motion
        hdop, pdop = dilution(seen)
        north, east, up = self._wander
        latitude = motion.latitude_deg + (north + self._gauss(0.25)) / METRES_PER_DEGREE
        parallel = METRES_PER_DEGREE * math.cos(math.radians(latitude))
        speed = abs(motion.speed_kmh / 3.6 + self._gauss(0.05))
        course = motion.heading_deg + (180.0 if car.powertrain.selector == REVERSE else 0.0)
        spread = math.degrees(0.08 / max(0.02, motion.speed_kmh / 3.6))
        return Solution(
            told_utc_s, True, True, self.faults.latitude_deg or latitude,
            motion.longitude_deg + (east + self._gauss(0.25)) / parallel,
            motion.altitude_m + up + self._gauss(0.4), 46.9, speed,
            (course + self._gauss(min(180.0, spread))) % 360,
            1.4 + 0.5 * hdop, 2.2 + 0.8 * hdop, hdop, pdop, seen,
        )  # fmt: skip

    def _gauss(self, sigma: float) -> float:
        return self._random.gauss(0.0, sigma)

    def _drift(self, utc_s: float) -> None:
        passed = max(0.0, utc_s - self._last_utc_s)
        self._last_utc_s = utc_s
        keep = math.exp(-passed / WANDER_S)
        fresh = math.sqrt(1.0 - keep * keep)
        for i, sigma in enumerate((0.9, 0.9, 1.8)):
            self._wander[i] = self._wander[i] * keep + fresh * self._gauss(sigma)

    # ---- the host's side of the dialogue ---------------------------------------------------------------

    def take(self, data: bytes) -> bytes:
        """Take bytes from the host; return the answer."""
        if not self._is_ublox:
            return b""
        self._inbox = (self._inbox + data)[-4096:]
        answers = b""
        while (start := self._inbox.find(b"\xb5\x62")) >= 0:
            self._inbox = self._inbox[start:]
            if len(self._inbox) < 8:
                break
            group, number, length = struct.unpack_from("<BBH", self._inbox, 2)
            if len(self._inbox) < length + 8:
                break
            whole, self._inbox = self._inbox[: length + 8], self._inbox[length + 8 :]
            if ubx.frame(group, number, whole[6:-2]) == whole:
                answers += self._answer(group, number, whole[6:-2])
        return answers

    def _answer(self, group: int, number: int, payload: bytes) -> bytes:
        if (group, number) == (0x0A, 0x04):
            return ubx.mon_ver()
        if (group, number) == (0x06, 0x8A):
            if self.faults.refuse_settings:
                return ubx.acknowledge(group, number, yes=False)
            self._settings |= ubx.items(payload)
            return ubx.acknowledge(group, number)
        if (group, number) == (0x06, 0x8B):
            keys = struct.unpack(f"<{(len(payload) - 4) // 4}I", payload[4 : len(payload) // 4 * 4])
            found = {key: self._settings[key] for key in keys if key in self._settings}
            return ubx.valget(found) + ubx.acknowledge(group, number)
        return b""
