# SPDX-License-Identifier: Apache-2.0
"""How the receiver is doing: the state that people see, and the journal's lines about it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

from smartcockpit.core.clock import Clock
from smartcockpit.core.gnss.fix import Fix
from smartcockpit.core.gnss.receiver import Receiver
from smartcockpit.daemons.gnss import events

if TYPE_CHECKING:
    from smartcockpit.adapters.gnss_recording import Recorder

log = logging.getLogger(__name__)


class ReceiverState(StrEnum):
    """What the receiver gives at the moment."""

    UNAVAILABLE = "unavailable"
    """There is no line."""
    SEARCHING = "searching"
    """The line is open; nothing that makes sense comes yet."""
    NO_FIX = "no-fix"
    FIX = "fix"


FIX_HOLDS_NS = 2_500_000_000


class Listening:
    """State of the one receiver; `changed` is called when what people see is another."""

    def __init__(
        self, device: str, floor_us: int, clock: Clock, changed: Callable[[], None], recorder: Recorder | None
    ) -> None:
        self.device, self.floor_us = device, floor_us
        self._clock, self._changed = clock, changed
        self.recorder = recorder
        self.receiver = Receiver(floor_us)
        self.state = ReceiverState.UNAVAILABLE
        self.since_us = clock.realtime_us()
        self.reason = "not opened yet"
        self.baudrate = 0
        self.setup = ""
        self.opened_count = 0
        self.opened_us = 0
        self.time_to_first_fix_s: float | None = None
        self.last_fix: Fix | None = None
        self._opened_ns = 0
        self._fix_ns = self._bytes = 0
        self._told_silent = False

    def heard(self, data: bytes, now_ns: int, wall_us: int) -> list[Fix]:
        """Take bytes; return the fixes in them."""
        if self.recorder is not None:
            self.recorder.take(data, now_ns, wall_us)
        return self.receiver.feed(data, now_ns, wall_us)

    def fixed(self, fix: Fix) -> None:
        """Note an epoch."""
        self.last_fix = fix
        if not fix.has_position:
            return
        self._fix_ns = fix.at_ns
        if self.time_to_first_fix_s is None:
            self.time_to_first_fix_s = max(0, fix.at_ns - self._opened_ns) / 1e9
            events.FIX.log(log, after=f"{self.time_to_first_fix_s:.1f}")
            self._changed()
        if self.state is not ReceiverState.FIX:
            self._become(ReceiverState.FIX)

    def opened(self, device: str, baudrate: int, now_ns: int) -> None:
        """The line is open."""
        self.device, self.baudrate, self.setup = device, baudrate, ""
        self.opened_count += 1
        self.opened_us, self._opened_ns = self._clock.realtime_us(), now_ns
        self.time_to_first_fix_s, self._told_silent = None, False
        self._become(ReceiverState.SEARCHING, "listening")

    def searching(self, baudrate: int) -> None:
        """What comes makes no sense (any more); another rate is tried."""
        self.baudrate = baudrate
        heard = "garbage comes" if self.receiver.tally.bytes > self._bytes else "nothing comes"
        self._bytes = self.receiver.tally.bytes
        reason = f"trying {baudrate} bit/s, {heard}"
        if not self._told_silent and baudrate == 38_400:
            self._told_silent = True  # a few rates were tried: worth a line, once
            events.SILENT.log(log, device=self.device, reason=heard)
        self._become(ReceiverState.SEARCHING, reason)

    def found_rate(self, baudrate: int, now_ns: int) -> None:
        """The rate is the right one."""
        self.baudrate, self._told_silent = baudrate, False
        protocol = self.receiver.protocol(now_ns) or "UBX"
        events.OPENED.log(log, device=self.device, protocol=protocol, baudrate=baudrate)
        if self.state is not ReceiverState.FIX:
            self._become(ReceiverState.NO_FIX)

    def look(self, now_ns: int) -> None:
        """Age the fix."""
        if self.state is ReceiverState.FIX and now_ns - self._fix_ns > FIX_HOLDS_NS:
            self._become(ReceiverState.NO_FIX)

    def unavailable(self, reason: str) -> None:
        """There is no line."""
        if self.state is not ReceiverState.UNAVAILABLE or self.reason != reason:
            events.GONE.log(log, reason=reason)
        self.baudrate, self.opened_us = 0, 0
        self._become(ReceiverState.UNAVAILABLE, reason)

    def _become(self, state: ReceiverState, reason: str = "") -> None:
        if state is not self.state:
            self.state, self.since_us = state, self._clock.realtime_us()
        elif reason == self.reason:
            return
        self.reason = reason
        self._changed()
