# SPDX-License-Identifier: Apache-2.0
"""Gains that glide: a step of many dB within one buffer is a click.

Down is quick, so that a prompt need not wait; up is slow, because nothing waits for it.
"""

from __future__ import annotations

from smartcockpit.core.loudness import SILENT_DB

DOWN_DB_PER_S = 250.0
UP_DB_PER_S = 60.0
FLOOR_DB = -48.0
"""From silence a ramp starts here, and to silence it jumps from here: nobody hears the way below."""
STEP_S = 0.02


class Ramp:
    """The gain of one stream, dB; starts at `gain_db`, or in silence."""

    def __init__(self, gain_db: float = SILENT_DB) -> None:
        self.gain_db = self.target_db = _bounded(gain_db)

    def aim(self, target_db: float) -> None:
        """Set where it shall glide to."""
        self.target_db = _bounded(target_db)

    @property
    def moving(self) -> bool:
        """True while it is not there."""
        return self.gain_db != self.target_db

    def step(self, passed_s: float = STEP_S) -> float:
        """Move on by the time that has passed; return the new gain."""
        if self.target_db < self.gain_db:
            down = self.gain_db - DOWN_DB_PER_S * passed_s
            arrived = down <= self.target_db or down < FLOOR_DB
            self.gain_db = self.target_db if arrived else down
        elif self.target_db > self.gain_db:
            up = max(self.gain_db, FLOOR_DB) + UP_DB_PER_S * passed_s
            self.gain_db = min(up, self.target_db)
        return self.gain_db


def _bounded(gain_db: float) -> float:
    return max(SILENT_DB, min(0.0, gain_db))
