# SPDX-License-Identifier: Apache-2.0
"""One connection to a sound server by PulseAudio's native protocol: frames, calls, replies.

Owns the socket. What the commands mean is `pulse_server`'s, how sound is written `pulse_voice`'s. Everything
runs in the loop; nothing blocks. Protocol version 20 is spoken: the last one before formats are negotiated,
known to PulseAudio since 1.0 and to every PipeWire. Source: pulsecore/pstream.c, native-common.h.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from enum import IntEnum
from struct import pack, unpack_from
from typing import Any

from smartcockpit.adapters.pulse_tags import NONE, arbitrary, decode, proplist, u32
from smartcockpit.core.errors import SmartCockpitError, UnavailableError

_log = logging.getLogger(__name__)
VERSION = 20
HEAD = 20
"""Bytes of a frame's head: length, channel, offset (2), flags."""
MAX_FRAME = 1 << 20
NO_ENTITY = 5
"""PA_ERR_NOENTITY: what a command was for has gone meanwhile."""
CALL_S = 5.0
COOKIE_BYTES = 256
BACKLOG_BYTES = 1 << 20
"""Unsent bytes beyond which the server counts as hung."""


class Command(IntEnum):
    """The commands that we use (pulsecore/native-common.h)."""

    ERROR = 0
    REPLY = 2
    CREATE_PLAYBACK_STREAM = 3
    DELETE_PLAYBACK_STREAM = 4
    AUTH = 8
    SET_CLIENT_NAME = 9
    DRAIN_PLAYBACK_STREAM = 12
    GET_SERVER_INFO = 20
    GET_SINK_INFO_LIST = 22
    GET_SINK_INPUT_INFO_LIST = 30
    SUBSCRIBE = 35
    SET_SINK_VOLUME = 36
    SET_SINK_INPUT_VOLUME = 37
    SET_SINK_MUTE = 39
    CORK_PLAYBACK_STREAM = 41
    FLUSH_PLAYBACK_STREAM = 42
    SET_DEFAULT_SINK = 44
    REQUEST = 61
    PLAYBACK_STREAM_KILLED = 64
    SUBSCRIBE_EVENT = 66
    SET_SINK_INPUT_MUTE = 69


class RefusedError(SmartCockpitError):
    """The sound server refuses a command; `code` is PulseAudio's (pulse/def.h, pa_error_code)."""

    def __init__(self, command: Command, code: int) -> None:
        super().__init__(f"the sound server refuses {command.name} (error {code})")
        self.code = code


Event = Callable[[Command, list[Any]], None]


class PulseLink(asyncio.Protocol):
    """Use `open`. `on_event` gets what the server sends unasked; `lost` gets the reason at the end."""

    def __init__(self, on_event: Event) -> None:
        self._on_event = on_event
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._calls: dict[int, tuple[Command, asyncio.Future[list[Any]]]] = {}
        self._tag = 0
        self._told: set[str] = set()
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(cls, path: str, on_event: Event, name: str) -> PulseLink:
        """Connect to the socket at `path` and introduce ourselves; raises `UnavailableError`."""
        hint = "systemctl status smartcockpit-pipewire smartcockpit-pulse"
        try:
            _, link = await asyncio.get_running_loop().create_unix_connection(lambda: cls(on_event), path)
        except OSError as error:
            raise UnavailableError(f"no sound server at {path}: {error.strerror or error}", hint) from error
        try:
            await link.call(Command.AUTH, u32(VERSION), arbitrary(bytes(COOKIE_BYTES)))
            await link.call(Command.SET_CLIENT_NAME, proplist({"application.name": name}))
        except BaseException as error:
            link.close(str(error))
            if isinstance(error, SmartCockpitError):
                raise UnavailableError(
                    f"the sound server at {path} does not talk: {error.message}", hint
                ) from error
            raise
        return link

    async def call(self, command: Command, *arguments: bytes, timeout_s: float = CALL_S) -> list[Any]:
        """Send a command and return the values of its reply.

        Raises `RefusedError`, or `UnavailableError` when the connection ends or no answer comes.
        """
        reply = self.send(command, *arguments)
        try:
            async with asyncio.timeout(timeout_s):
                return await reply
        except TimeoutError:
            raise UnavailableError(
                f"the sound server did not answer {command.name} in {timeout_s:g} s"
            ) from None

    def send(self, command: Command, *arguments: bytes) -> asyncio.Future[list[Any]]:
        """Send a command now; the future gets the values of its reply, or the error."""
        future: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        if self._transport is None or self.lost.done():
            future.set_exception(UnavailableError("there is no connection to the sound server"))
        else:
            self._tag = (self._tag + 1) & 0x7FFF_FFFF
            self._calls[self._tag] = (command, future)
            self._write(NONE, u32(command) + u32(self._tag) + b"".join(arguments))
        future.add_done_callback(_take_notice)
        return future

    def write_samples(self, channel: int, samples: bytes | memoryview) -> None:
        """Send samples to the playback stream `channel`."""
        for start in range(0, len(samples), MAX_FRAME // 16):
            self._write(channel, samples[start : start + MAX_FRAME // 16])

    def close(self, reason: str = "closed") -> None:
        """End the connection; open calls fail."""
        if self._transport is not None:
            self._transport.abort()
        self._end(reason)

    # ---- asyncio.Protocol --------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what is open."""
        self._end(str(exc) if exc else "the sound server has gone")

    def data_received(self, data: bytes) -> None:
        """Take frames apart; nonsense ends the connection, since nobody knows where the next frame starts."""
        self._buffer += data
        while len(self._buffer) >= HEAD:
            length, channel = unpack_from(">II", self._buffer)
            if length > MAX_FRAME:
                self.close(f"the sound server sent a frame of {length} bytes")
                return
            if len(self._buffer) < HEAD + length:
                return
            payload = bytes(self._buffer[HEAD : HEAD + length])
            del self._buffer[: HEAD + length]
            if channel != NONE:
                continue  # samples of a recording, which we never ask for
            try:
                values = decode(payload)
                command, tag = Command(values[0]), int(values[1])
            except (ValueError, IndexError, TypeError):
                continue  # a command that we do not know
            self._take(command, tag, values[2:])

    def _take(self, command: Command, tag: int, values: list[Any]) -> None:
        if command not in (Command.REPLY, Command.ERROR):
            self._on_event(command, values)
            return
        asked, future = self._calls.pop(tag, (command, None))
        if future is None or future.done():
            return
        if command is Command.REPLY:
            future.set_result(values)
        else:
            error = RefusedError(asked, values[0] if values else 0)
            if error.code != NO_ENTITY and error.message not in self._told:
                self._told.add(error.message)
                _log.warning("%s", error)
            future.set_exception(error)

    def _write(self, channel: int, payload: bytes | memoryview) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > BACKLOG_BYTES:
            self.close("the sound server does not read")
            return
        self._transport.write(pack(">IIIII", len(payload), channel, 0, 0, 0) + payload)

    def _end(self, reason: str) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)
        calls, self._calls = self._calls, {}
        for _, future in calls.values():
            if not future.done():
                future.set_exception(UnavailableError(f"lost the sound server: {reason}"))


def _take_notice(future: asyncio.Future[list[Any]]) -> None:
    """Keep asyncio from complaining of an error that nobody asked for."""
    if not future.cancelled():
        future.exception()
