# SPDX-License-Identifier: Apache-2.0
"""Between what people set (percent), what engineers say (dB), and what sound servers take.

PulseAudio's software volume is cubic: linear gain = (volume / NORMAL)³ (`pa_sw_volume_to_linear`),
hence dB = 60 · log10(volume / NORMAL). People's percent use the same curve, which the ear finds even.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise
from math import inf, log10

NORMAL = 65536
"""Volume at which nothing is changed (PA_VOLUME_NORM)."""
SILENT_DB = -90.0
"""Below one step of 16-bit sound: what is not louder than this is off."""


def percent_to_db(percent: float) -> float:
    """Return the gain of a percentage, dB: 100 is 0, 50 is -18, 0 is minus infinity."""
    return 60 * log10(percent / 100) if percent > 0 else -inf


def db_to_percent(gain_db: float) -> float:
    """Return the percentage of a gain, the inverse of `percent_to_db`."""
    return 100 * 10 ** (gain_db / 60)


def db_to_pulse(gain_db: float) -> int:
    """Return PulseAudio's volume for a gain, from 0 to `NORMAL`: gains above 0 dB would clip and are cut."""
    return 0 if gain_db <= SILENT_DB else round(NORMAL * 10 ** (min(gain_db, 0.0) / 60))


def db_to_linear(gain_db: float) -> float:
    """Return the factor on samples; 0 for what counts as silent."""
    return 0.0 if gain_db <= SILENT_DB else 10 ** (gain_db / 20)


def linear_to_db(factor: float) -> float:
    """Return the gain of a factor on samples, dB."""
    return 20 * log10(factor) if factor > 0 else -inf


class SpeedCurve:
    """How much louder it gets with speed: straight lines between points of km/h and dB, level outside."""

    def __init__(self, speeds_kmh: Sequence[float], boosts_db: Sequence[float]) -> None:
        """Raise `ValueError` unless both have the same length and speeds rise."""
        if len(speeds_kmh) != len(boosts_db):
            raise ValueError(f"{len(speeds_kmh)} speeds but {len(boosts_db)} boosts")
        if any(later <= earlier for earlier, later in pairwise(speeds_kmh)):
            raise ValueError("speeds must rise from one to the next")
        self._speeds, self._boosts = tuple(speeds_kmh), tuple(boosts_db)

    def boost_db(self, speed_kmh: float | None) -> float:
        """Return the boost at a speed; none while the speed is not known."""
        if speed_kmh is None or not self._speeds:
            return 0.0
        at = bisect_right(self._speeds, abs(speed_kmh))
        if at == 0:
            return self._boosts[0]
        if at == len(self._speeds):
            return self._boosts[-1]
        low, high = self._speeds[at - 1], self._speeds[at]
        part = (abs(speed_kmh) - low) / (high - low)
        return self._boosts[at - 1] + part * (self._boosts[at] - self._boosts[at - 1])
