# SPDX-License-Identifier: Apache-2.0
"""From a stream of bytes to messages, with a limit on what is kept.

Pure: bytes in, messages out. A message above its limit is reported by its header, its body is thrown away
as it comes in, so that a caller can be answered before anything is unmarshalled, and the connection goes
on.
"""

from __future__ import annotations

from struct import unpack_from

from smartcockpit.bus.codec import Incoming, parse_header
from smartcockpit.bus.header import CALL, SIGNAL

CALL_LIMIT = 256 * 1024
"""Bytes of a call, header included: `Get` of 4,096 paths fits, and taking it apart costs no noticeable
time."""
SIGNAL_LIMIT = 1024 * 1024
REPLY_LIMIT = 64 * 1024 * 1024
"""Replies are what we asked for: `List` of 10,000 signals has some MB."""
HEADER_LIMIT = 64 * 1024
"""A longer header (only an absurd object path makes one) is skipped; there is nobody to answer to."""

_FIXED = 16


class ProtocolError(ValueError):
    """What came in is no D-Bus message: the stream cannot be continued."""


class Framer:
    """Cuts messages out of the stream."""

    def __init__(self, call_limit: int = CALL_LIMIT) -> None:
        self._limits = {CALL: call_limit, SIGNAL: SIGNAL_LIMIT}
        self._buffer = bytearray()
        self._skip = 0
        self.skipped = 0
        """Messages whose header alone was too long."""

    def feed(self, data: bytes) -> list[Incoming]:
        """Return the messages that `data` completes; raises `ProtocolError`."""
        if self._skip:
            cut = min(self._skip, len(data))
            self._skip -= cut
            data = data[cut:]
        self._buffer += data
        messages: list[Incoming] = []
        start = 0
        while (size := self._next(start, messages)) > 0:
            start += size
        over = start - len(self._buffer)
        if over > 0:
            self._skip += over
        del self._buffer[:start]
        return messages

    def _next(self, start: int, messages: list[Incoming]) -> int:
        """Take the message at `start`; return its size (may reach beyond the buffer), 0 when more is
        needed."""
        buffer = self._buffer
        have = len(buffer) - start
        if have < _FIXED:
            return 0
        if buffer[start] not in b"lB" or buffer[start + 3] != 1:
            raise ProtocolError("not a D-Bus message of protocol version 1")
        order = "<" if buffer[start] == ord("l") else ">"
        body_size, _serial, fields_size = unpack_from(order + "III", buffer, start + 4)
        header_size = _FIXED + (fields_size + 7 & ~7)
        size: int = header_size + body_size
        if header_size > HEADER_LIMIT:
            self.skipped += 1
            return size
        too_large = size > self._limits.get(buffer[start + 1], REPLY_LIMIT)
        if have < (header_size if too_large else size):
            return 0
        body = b"" if too_large else bytes(buffer[start + header_size : start + size])
        try:
            message = parse_header(buffer[start : start + header_size], body, size if too_large else 0)
        except ValueError as error:
            raise ProtocolError(str(error)) from error
        messages.append(message)
        return size
