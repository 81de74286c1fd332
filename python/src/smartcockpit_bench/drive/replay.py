# SPDX-License-Identifier: Apache-2.0
"""A recording as a source of frames: time-true, again and again, faster or slower when asked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from smartcockpit_bench.drive.log import CanLog, LogEntry
from smartcockpit_bench.frame import Frame

LONGEST_PAUSE_S = 5.0
"""A longer silence in the recording is cut to this."""
BETWEEN_LOOPS_S = 1.0


class Replay:
    """`due(t)` returns the frames of a recording up to `t` seconds after its start; a `FrameSource`.

    Times that go backwards or are no numbers count as "at once". `ignored` counts frames of channels that
    belong to no bus.
    """

    def __init__(
        self, log: CanLog, buses: Mapping[str, str], *, speed: float = 1.0, loop: bool = True
    ) -> None:
        self.log = log
        self.ignored = 0
        self.loops = 0
        self.ended = False
        self._buses, self._speed, self._loop = dict(buses), speed, loop
        self._frames = self._timed()
        self._waiting: tuple[float, Frame] | None = None

    def due(self, until_s: float) -> list[Frame]:
        """Return the frames that are due at `until_s` and were not returned before."""
        frames: list[Frame] = []
        while not self.ended:
            if self._waiting is None:
                self._waiting = next(self._frames, None)
                if self._waiting is None:
                    self.ended = True
                    break
            if self._waiting[0] > until_s:
                break
            frames.append(self._waiting[1])
            self._waiting = None
        return frames

    def _timed(self) -> Iterator[tuple[float, Frame]]:
        at_s = 0.0
        while True:
            before: float | None = None
            taken = 0
            for entry in self.log.entries():
                frame = self._on_our_bus(entry)
                if frame is None:
                    continue
                step = 0.0 if before is None else entry.time_s - before
                before = entry.time_s
                at_s += min(max(step, 0.0), LONGEST_PAUSE_S) / self._speed if math.isfinite(step) else 0.0
                taken += 1
                yield at_s, frame
            self.loops += 1
            if not self._loop or not taken:
                return
            at_s += BETWEEN_LOOPS_S

    def _on_our_bus(self, entry: LogEntry) -> Frame | None:
        bus = self._buses.get(entry.channel)
        if bus is None:
            self.ignored += 1
            return None
        return entry.frame if bus == entry.frame.bus else replace(entry.frame, bus=bus)
