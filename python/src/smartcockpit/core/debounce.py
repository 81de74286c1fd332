# SPDX-License-Identifier: Apache-2.0
"""When a line that bounces has a new level: after it has shown nothing else for the debounce time.

Pure: the caller samples the line and brings the time. The first sample counts at once, because a line has
some level when we start. A line that never rests keeps the level that it had.
"""

from __future__ import annotations


class Debounce:
    """One line; `hold_ns` is how long a new level must last (0: every sample counts)."""

    def __init__(self, hold_ns: int) -> None:
        self._hold_ns = hold_ns
        self.level: bool | None = None
        """The settled level, None before the first sample or after `forget`."""
        self._since_ns: int | None = None

    def sample(self, level: bool, now_ns: int) -> bool:
        """Take in what the line shows at `now_ns` (monotonic); return whether the settled level changed."""
        if self.level is None:
            self.level, self._since_ns = level, None
            return True
        if level is self.level:
            self._since_ns = None
            return False
        if self._since_ns is None:
            self._since_ns = now_ns
        if now_ns - self._since_ns < self._hold_ns:
            return False
        self.level, self._since_ns = level, None
        return True

    def forget(self) -> bool:
        """Say that the line cannot be read; return whether it could before."""
        known, self.level, self._since_ns = self.level is not None, None, None
        return known
