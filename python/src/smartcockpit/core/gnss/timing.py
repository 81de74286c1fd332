# SPDX-License-Identifier: Apache-2.0
"""Which fixes may set a clock, and by how much the system's clock is wrong."""

from __future__ import annotations

from smartcockpit.core.gnss.dates import WEEK_S
from smartcockpit.core.gnss.fix import Dimension, Fix

TRUSTED_WEEKS = 520
"""A date that had to be moved is believed up to ten years after the floor: beyond, the receiver knew none."""
PAUSE_NS = 900_000_000


class TimeSource:
    """`offset_s` answers for each fix; about once a second, so that a clock is not pestered."""

    def __init__(self, floor_us: int) -> None:
        self._floor_us = floor_us
        self._last_ns = -PAUSE_NS

    def offset_s(self, fix: Fix) -> float | None:
        """Return how far the true time is ahead of the system's clock, None when this fix does not say."""
        if not fix.utc_us or fix.dimension is Dimension.NONE or fix.by_motion:
            return None
        late_us = fix.utc_us - self._floor_us
        if fix.corrected_weeks and late_us > TRUSTED_WEEKS * WEEK_S * 1_000_000:
            return None
        if fix.at_ns - self._last_ns < PAUSE_NS:
            return None
        self._last_ns = fix.at_ns
        return (fix.utc_us - fix.received_us) / 1e6
