# SPDX-License-Identifier: Apache-2.0
"""Time as a passed-in thing, so that tests never sleep.

Durations are monotonic nanoseconds, wall time (µs since the Unix epoch, CLOCK_REALTIME) is for people and
for the time stamp beside a signal.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What a part that measures time needs."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds of a clock that never jumps."""

    def realtime_us(self) -> int:
        """Return microseconds since the Unix epoch."""


class SystemClock:
    """The clock of this machine."""

    def monotonic_ns(self) -> int:
        """Return CLOCK_MONOTONIC in ns."""
        return time.monotonic_ns()

    def realtime_us(self) -> int:
        """Return CLOCK_REALTIME in µs."""
        return time.time_ns() // 1000
