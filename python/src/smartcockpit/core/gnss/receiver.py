# SPDX-License-Identifier: Apache-2.0
"""One receiver: its bytes in, fixes and satellites out, whichever of the two protocols it speaks.

UBX wins while it speaks both: its positions come whole and with an error. When it falls silent NMEA is
listened to again. Dates are corrected, values that cannot be are refused and counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from smartcockpit.core.gnss import plausible
from smartcockpit.core.gnss.fix import Fix, Satellite
from smartcockpit.core.gnss.framing import Framer, Tally, is_frame
from smartcockpit.core.gnss.sky import Sky

if TYPE_CHECKING:
    from smartcockpit.core.gnss.sentences import Sentences
    from smartcockpit.core.gnss.ubx import Version

UBX_WINS_NS = 2_000_000_000
RATE_SPAN = 16
"""The rate is taken over so many epochs."""


class Receiver:
    """`feed` it; `answers` gets UBX frames that are no navigation (ACK, VALGET, MON-VER), as they come."""

    def __init__(self, floor_us: int, answers: Callable[[bytes], None] | None = None) -> None:
        self.tally = Tally()
        self.version: Version | None = None
        self.last_wrong = ""
        """The last thing that could not be read or could not be true, for people."""
        self._floor_us = floor_us
        self._answers = answers
        self._framer = Framer(self.tally)
        self._sky = Sky()
        self._sentences: Sentences | None = None
        self._pvt_ns = self._nmea_ns = -UBX_WINS_NS
        self._epochs: list[int] = []

    def feed(self, data: bytes, now_ns: int, wall_us: int) -> list[Fix]:
        """Take bytes received at `now_ns` (monotonic) and `wall_us` (CLOCK_REALTIME); return new fixes."""
        fixes = []
        for piece in self._framer.feed(data, now_ns):
            try:
                fix = (self._frame if is_frame(piece) else self._sentence)(piece, now_ns, wall_us)
            except ValueError as error:
                self.tally.malformed += 1
                self.last_wrong = f"{piece[:5]!r}: {error}"
                continue
            if fix is not None and (checked := self._checked(fix)):
                fixes.append(checked)
        return fixes

    def quiet(self) -> list[Fix]:
        """The line has fallen silent: return the fix of the epoch that still waited for a sentence."""
        fix = self._sentences.flush() if self._sentences is not None else None
        checked = self._checked(fix) if fix is not None and not self._ubx_speaks(fix.at_ns) else None
        return [checked] if checked is not None else []

    def satellites(self, now_ns: int) -> tuple[Satellite, ...]:
        """Return the satellites in view."""
        return self._sky.satellites(now_ns)

    def protocol(self, now_ns: int) -> str:
        """Return UBX, NMEA, or "" when neither was heard lately."""
        if self._ubx_speaks(now_ns):
            return "UBX"
        return "NMEA" if now_ns - self._nmea_ns < 2 * UBX_WINS_NS else ""

    def rate_hz(self, now_ns: int) -> float:
        """Return epochs a second of late, with or without a position; 0 when there are none."""
        if len(self._epochs) < 2 or now_ns - self._epochs[-1] > 3_000_000_000:
            return 0.0
        return (len(self._epochs) - 1) * 1e9 / max(1, self._epochs[-1] - self._epochs[0])

    @property
    def valid_pieces(self) -> int:
        """Return how many sentences and frames had the right checksum: evidence of the right baud rate."""
        return self.tally.sentences + self.tally.frames

    def _ubx_speaks(self, now_ns: int) -> bool:
        return now_ns - self._pvt_ns < UBX_WINS_NS

    def _sentence(self, sentence: bytes, now_ns: int, wall_us: int) -> Fix | None:
        self._nmea_ns = now_ns
        if self._sentences is None:
            from smartcockpit.core.gnss.sentences import Sentences

            self._sentences = Sentences(self._floor_us, self._sky, self.tally)
        fix = self._sentences.take(sentence, now_ns, wall_us)
        return None if self._ubx_speaks(now_ns) else fix

    def _frame(self, body: bytes, now_ns: int, wall_us: int) -> Fix | None:
        from smartcockpit.core.gnss import ubx  # with the first frame: few machines see both protocols

        identity = body[:2]
        if identity == ubx.NAV_PVT:
            self._pvt_ns = now_ns
            return ubx.nav_pvt(body, now_ns, wall_us, self._floor_us)
        if identity == ubx.NAV_SAT:
            self._sky.nav_sat(ubx.nav_sat(body), now_ns)
        elif identity == ubx.MON_VER:
            self.version = ubx.mon_ver(body)
        elif identity not in (ubx.ACK_ACK, ubx.ACK_NAK, ubx.CFG_VALGET):
            self.tally.unknown += 1
            return None
        if self._answers is not None and identity != ubx.NAV_SAT:
            self._answers(body)
        return None

    def _checked(self, fix: Fix) -> Fix | None:
        """Return the fix unless its values cannot be true; an epoch it was all the same."""
        self._epochs.append(fix.at_ns)
        del self._epochs[:-RATE_SPAN]
        wrong = plausible.reason(fix)
        if wrong:
            self.tally.implausible += 1
            self.last_wrong = wrong
            return None
        self.tally.fixes += fix.has_position
        self.tally.corrected_dates += bool(fix.corrected_weeks)
        return fix
