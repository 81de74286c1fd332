# SPDX-License-Identifier: Apache-2.0
"""A recording in the receiver's place: its bytes at their own pace, then silence."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from smartcockpit.adapters.gnss_recording import pieces
from smartcockpit.core.clock import Clock
from smartcockpit.core.errors import UnavailableError
from smartcockpit.core.gnss.dates import WEEK_S
from smartcockpit.core.gnss.fix import Fix
from smartcockpit.core.gnss.receiver import Receiver
from smartcockpit.daemons.gnss.listening import Listening


class ReplayLink:
    """Plays the file `path`; `take` gets fixes, `gone` is called at its end."""

    def __init__(
        self,
        path: str,
        listening: Listening,
        *,
        clock: Clock,
        take: Callable[[list[Fix]], None],
        gone: Callable[[], None],
    ) -> None:
        self._path, self._listening, self._clock = path, listening, clock
        self._take, self._gone = take, gone
        self._task = asyncio.create_task(self._play(), name="replay")

    def tick(self, now_ns: int) -> None:
        """Age the fix; raises what the recording is wrong by."""
        if self._task.done() and not self._task.cancelled():
            self._task.result()
        self._listening.look(now_ns)

    def close(self) -> None:
        """Stop."""
        self._task.cancel()

    async def _play(self) -> None:
        start_ns = self._clock.monotonic_ns()
        listening = self._listening
        listening.opened(self._path, 0, start_ns)
        try:
            for piece in pieces(Path(self._path)):
                if piece.at_ns == 0:
                    # Dates of a recording are as old as it is, which is no sign of a roll-over.
                    floor_us = min(listening.floor_us, piece.wall_us - WEEK_S * 1_000_000)
                    listening.receiver = Receiver(floor_us)
                wait_ns = start_ns + piece.at_ns - self._clock.monotonic_ns()
                if wait_ns > 0:
                    await asyncio.sleep(wait_ns / 1e9)
                if fixes := listening.heard(piece.data, start_ns + piece.at_ns, self._clock.realtime_us()):
                    self._take(fixes)
        except UnavailableError as error:
            listening.unavailable(str(error))
        else:
            if fixes := listening.receiver.quiet():
                self._take(fixes)
            listening.unavailable(f"the recording {self._path} has ended")
        self._gone()
