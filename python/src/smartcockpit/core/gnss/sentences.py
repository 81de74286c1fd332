# SPDX-License-Identifier: Apache-2.0
"""The NMEA side of a receiver: sentences in, fixes out, satellites into the sky.

Apart from `receiver`, so that it loads with the first sentence.
"""

from __future__ import annotations

from smartcockpit.core.gnss import nmea
from smartcockpit.core.gnss.epoch import Epoch
from smartcockpit.core.gnss.fix import Fix
from smartcockpit.core.gnss.framing import Tally
from smartcockpit.core.gnss.nmea_sky import Active, InView
from smartcockpit.core.gnss.sky import Sky


class Sentences:
    """`take` every sentence; `flush` when the line falls silent."""

    def __init__(self, floor_us: int, sky: Sky, tally: Tally) -> None:
        self._epoch, self._sky, self._tally = Epoch(floor_us), sky, tally

    def take(self, sentence: bytes, now_ns: int, wall_us: int) -> Fix | None:
        """Return the fix that became complete, if one did; raises `ValueError` for fields beyond reading."""
        record = nmea.read(sentence)
        if record is None:
            self._tally.unknown += 1
            return None
        if isinstance(record, InView):
            self._sky.gsv(record, now_ns)
            return None
        if isinstance(record, Active):
            self._sky.gsa(record, now_ns)
        return self._epoch.take(record, now_ns, wall_us)

    def flush(self) -> Fix | None:
        """Return the fix of the epoch that still waited for a sentence."""
        return self._epoch.flush()
