# SPDX-License-Identifier: Apache-2.0
"""A voice of our own on the sound server: a playback stream that can be kept ready.

A voice that is kept is linked to the device all the time and corked while it has nothing to say, so that a
chime costs one write and one command: no stream to make, no session manager to ask. What is said when, and
how loud, is decided elsewhere.
"""

from __future__ import annotations

import asyncio
from typing import Any

from smartcockpit.adapters.pulse_link import Command, PulseLink
from smartcockpit.adapters.pulse_tags import (
    NONE,
    SampleSpec,
    boolean,
    channel_map,
    proplist,
    sample_spec,
    string,
    u32,
    volumes,
)
from smartcockpit.core.errors import SmartCockpitError, UnavailableError

BUFFER_S = 0.06
"""What the server asks for ahead. A chime waits for nothing of it; less would stutter on a busy machine."""
OPEN_S = 15.0
"""Making a stream takes as long as the session manager needs to link it."""
SLACK_S = 5.0
"""How much later than its sound is long a voice may end before the server counts as stuck."""
SAMPLE_BYTES = 2


class Voice:
    """A stream of signed 16-bit samples. Say one thing at a time: `play` returns when it has been heard."""

    def __init__(self, link: PulseLink, spec: SampleSpec, reply: list[Any]) -> None:
        self._link, self._spec = link, spec
        self.channel, self.index, self._credit = int(reply[0]), int(reply[1]), int(reply[2])
        self._pending = memoryview(b"")
        self._sent = asyncio.Event()
        self.lost = self._closed = False

    @classmethod
    async def open(cls, link: PulseLink, spec: SampleSpec, *, name: str, role: str, volume: int) -> Voice:
        """Make a corked stream, `volume` from 0 to 65536; raises `UnavailableError` without a device."""
        buffer = int(BUFFER_S * spec.rate_hz) * spec.channels * SAMPLE_BYTES
        positions = {1: (0,), 2: (1, 2)}[spec.channels]
        flags = (False,) * 7  # no remap … variable rate
        arguments = [
            sample_spec(spec), channel_map(positions), u32(NONE), string(None), u32(NONE), boolean(True),
            u32(buffer), u32(0), u32(NONE), u32(0), volumes([volume] * spec.channels), *map(boolean, flags),
            boolean(False), boolean(True), proplist({"media.name": name, "media.role": role}),
            boolean(True), boolean(False), boolean(False), boolean(False), boolean(False), boolean(False),
            boolean(False),
        ]  # fmt: skip
        try:
            reply = await link.call(Command.CREATE_PLAYBACK_STREAM, *arguments, timeout_s=OPEN_S)
            return cls(link, spec, reply)
        except (IndexError, TypeError, ValueError) as error:
            raise UnavailableError(f"the sound server made no stream: {error}") from error
        except SmartCockpitError as error:
            if isinstance(error, UnavailableError):
                raise
            raise UnavailableError(
                f"nothing plays {name}: {error.message}", "is there a sound card?"
            ) from error

    async def play(self, samples: bytes, slack_s: float = SLACK_S) -> None:
        """Play `samples` and wait until they have been heard; cancelling it cuts them off.

        Raises `UnavailableError` when the stream is lost, or `slack_s` later than the sound is long.
        """
        length_s = len(samples) / (self._spec.rate_hz * self._spec.channels * SAMPLE_BYTES)
        self._pending = memoryview(samples)
        self._sent.clear()
        self._push()
        uncorked = self._link.send(Command.CORK_PLAYBACK_STREAM, u32(self.channel), boolean(False))
        try:
            async with asyncio.timeout(length_s + slack_s):
                await uncorked
                await self._sent.wait()
                if self.lost:
                    raise UnavailableError("the sound server has dropped the stream")
                await self._link.call(
                    Command.DRAIN_PLAYBACK_STREAM, u32(self.channel), timeout_s=length_s + slack_s
                )
        except TimeoutError:
            self.lost = True
            raise UnavailableError("the sound server does not play") from None
        except SmartCockpitError:
            self.lost = True
            raise
        finally:
            if not self.lost:
                self._link.send(Command.CORK_PLAYBACK_STREAM, u32(self.channel), boolean(True))
                if self._pending:
                    self._link.send(Command.FLUSH_PLAYBACK_STREAM, u32(self.channel))
            self._pending = memoryview(b"")

    def wanted(self, count: int) -> None:
        """Take the server's wish for `count` more bytes (Command.REQUEST)."""
        self._credit += count
        self._push()

    def killed(self) -> None:
        """Note that the server has ended the stream."""
        self.lost = self._closed = True
        self._sent.set()

    def close(self) -> None:
        """Take the stream away."""
        if not self._closed:
            self.lost = self._closed = True
            self._link.send(Command.DELETE_PLAYBACK_STREAM, u32(self.channel))

    def _push(self) -> None:
        step = SAMPLE_BYTES * self._spec.channels
        count = min(self._credit // step * step, len(self._pending))
        if count > 0:
            self._link.write_samples(self.channel, self._pending[:count])
            self._pending = self._pending[count:]
            self._credit -= count
        if not self._pending:
            self._sent.set()
