# SPDX-License-Identifier: Apache-2.0
"""Real time: takes frames from a source (simulated car, recording) as they fall due and sends them."""

from __future__ import annotations

import asyncio
import math
from typing import Protocol

from smartcockpit.core.clock import Clock, SystemClock

from smartcockpit_bench.frame import Frame
from smartcockpit_bench.wire import CarWire

TICK_S = 0.01
SLIP_S = 0.25
"""A host that falls back further lets the car's time slip instead of sending a burst."""


class FrameSource(Protocol):
    """Something that knows which frames a car sends when."""

    @property
    def ended(self) -> bool:
        """True when nothing will ever come again."""

    def due(self, until_s: float) -> list[Frame]:
        """Return the frames due until `until_s` (s since the start) that were not returned before."""


async def simulate(
    source: FrameSource, wire: CarWire, *, clock: Clock | None = None, tick_s: float = TICK_S
) -> None:
    """Send what `source` has, in real time, until it ends or the task is cancelled.

    The car starts when the guest first listens, so that a watcher sees the drive from its beginning.
    """
    clock = clock or SystemClock()
    await wire.wait_ready(timeout_s=math.inf)
    start_ns = last_ns = clock.monotonic_ns()
    while not source.ended:
        now_ns = clock.monotonic_ns()
        if now_ns - last_ns > SLIP_S * 1e9:
            start_ns += now_ns - last_ns
        last_ns = now_ns
        frames = source.due((now_ns - start_ns) / 1e9)
        if frames:
            wire.send(frames)
        await asyncio.sleep(tick_s)
