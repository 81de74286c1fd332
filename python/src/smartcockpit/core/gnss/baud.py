# SPDX-License-Identifier: Apache-2.0
"""Finds the rate of a serial line: tries one after the other until what comes makes sense.

Evidence is sentences or frames whose checksum is right; at a wrong rate there are none. A receiver that says
something only once a second needs time, so each rate gets `DWELL_NS`.
"""

from __future__ import annotations

from collections.abc import Sequence

COMMON = (115_200, 9_600, 38_400, 57_600, 460_800, 230_400, 921_600, 4_800, 19_200)
"""Most frequent first: modules of today, of yesterday, u-blox M9 and M10."""
DWELL_NS = 1_400_000_000
EVIDENCE = 2
LOST_NS = 6_000_000_000
"""After so long without sense the rate is doubted: a receiver was restarted, or another one plugged in."""


class BaudSearch:
    """`rate` is the one to be set now; `look` moves it on."""

    def __init__(self, rates: Sequence[int] = COMMON, *, now_ns: int, pieces: int = 0) -> None:
        """Begin with the first of `rates`; `pieces` valid ones came before, elsewhere."""
        self._rates = tuple(dict.fromkeys(rates))
        self._at = 0
        self.found = False
        self._since_ns = now_ns
        self._pieces = pieces

    @property
    def rate(self) -> int:
        """Return the rate in use, bit/s."""
        return self._rates[self._at]

    def look(self, pieces: int, now_ns: int) -> bool:
        """Say how many valid `pieces` came in all; return True when another rate is to be set now."""
        fresh = pieces - self._pieces
        if self.found or fresh >= EVIDENCE:
            if fresh:
                self.found, self._pieces, self._since_ns = True, pieces, now_ns
                return False
            if now_ns - self._since_ns < LOST_NS:
                return False
            self.found = False
        elif now_ns - self._since_ns < DWELL_NS:
            return False
        self._since_ns, self._pieces = now_ns, pieces
        if len(self._rates) == 1:
            return False
        self._at = (self._at + 1) % len(self._rates)
        return True
