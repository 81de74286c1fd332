# SPDX-License-Identifier: Apache-2.0
"""The faders: one strip per stream, and the gliding of gains in steps of 20 ms.

What falls, falls before anything rises, so that full scale is never exceeded on the way. Where a fader shall
stand is the desk's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from smartcockpit.adapters.pulse_server import PulseServer, Stream
from smartcockpit.core.loudness import NORMAL, db_to_pulse, linear_to_db
from smartcockpit.core.ramp import STEP_S, Ramp
from smartcockpit.core.sound_roles import Role

PATIENCE_S = 0.5
"""A prompt waits for the rest to fall, but not for ever."""
DOUBT_S = 0.3
"""A volume set while the server still makes the stream can get lost: after so long it is looked at."""
MOST_DOUBTS = 5
"""Each look that finds it lost again doubles the time to the next one, so often."""
NEAR = NORMAL // 100


class Strip:
    """One stream on the desk."""

    __slots__ = ("claimed", "own", "owner", "ramp", "role", "sent", "stream")

    def __init__(self, stream: Stream, role: Role, own: bool) -> None:
        self.stream, self.role, self.own = stream, role, own
        self.owner = f"stream {stream.number} ({stream.application or stream.name})"
        loudest = max(stream.volumes, default=0)
        self.ramp = Ramp(3 * linear_to_db(loudest / NORMAL))  # the server's volume is cubic
        self.sent = -1
        """The volume that was sent last, -1: none, or somebody else has turned it since."""
        self.claimed = 0
        """Token of its claim, 0 without one."""

    @property
    def sounds(self) -> bool:
        """True when it is or may any moment be heard; our own voices count all the time."""
        return self.own or not self.stream.corked

    @property
    def stands(self) -> bool:
        """True when the server has what was sent."""
        return all(abs(v - self.sent) <= NEAR for v in self.stream.volumes)

    def seen(self, stream: Stream) -> None:
        """Take what the server says of the stream."""
        self.stream = stream
        if not self.ramp.moving and not self.stands:
            self.sent = -1


class Faders:
    """All strips by the number of their stream; `on_doubt` is called when the server should be read again."""

    def __init__(self, on_doubt: Callable[[], None]) -> None:
        self.strips: dict[int, Strip] = {}
        self.server: PulseServer | None = None
        self._on_doubt = on_doubt
        self._gliding: asyncio.Task[None] | None = None
        self._doubt: asyncio.TimerHandle | None = None
        self._doubts = 0

    def aim(self, gains_db: Mapping[int, float]) -> None:
        """Let each strip glide to its gain."""
        if all(strip.stands for strip in self.strips.values()):
            self._doubts = 0
        for number, strip in self.strips.items():
            strip.ramp.aim(gains_db[number])
            if strip.stream.corked or strip.sent < 0:
                # Nobody hears it leap; and one that has just come must not be too loud for a moment.
                strip.ramp.gain_db = strip.ramp.target_db
            self._send(strip)
        moving = any(s.ramp.moving for s in self.strips.values())
        if moving and (self._gliding is None or self._gliding.done()):
            self._gliding = asyncio.get_running_loop().create_task(self._glide(), name="glide")

    async def settled(self) -> None:
        """Wait until nothing has to fall any more."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while self._falling():  # noqa: ASYNC110 - a few steps at most
                    await asyncio.sleep(STEP_S)
        except TimeoutError:
            return

    def stop(self) -> None:
        """Stop gliding."""
        if self._gliding is not None:
            self._gliding.cancel()
            self._gliding = None
        if self._doubt is not None:
            self._doubt.cancel()
            self._doubt = None

    def _falling(self) -> list[Strip]:
        return [strip for strip in self.strips.values() if strip.ramp.target_db < strip.ramp.gain_db]

    def _send(self, strip: Strip) -> None:
        value = db_to_pulse(strip.ramp.gain_db)
        stands = all(abs(v - value) <= 2 for v in strip.stream.volumes)
        if self.server is not None and value != strip.sent and not (strip.sent < 0 and stands):
            self.server.set_stream_volume(strip.stream.number, [value] * strip.stream.channels)
            if self._doubt is None:
                delay_s = DOUBT_S * 2 ** min(self._doubts, MOST_DOUBTS)
                self._doubt = asyncio.get_running_loop().call_later(delay_s, self._look_again)
        strip.sent = value

    def _look_again(self) -> None:
        self._doubt = None
        self._doubts += 1
        self._on_doubt()

    async def _glide(self) -> None:
        while True:
            moving = [strip for strip in self.strips.values() if strip.ramp.moving]
            if not moving:
                return
            for strip in self._falling() or moving:
                strip.ramp.step()
                self._send(strip)
            await asyncio.sleep(STEP_S)
