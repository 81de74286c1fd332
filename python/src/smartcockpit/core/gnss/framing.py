# SPDX-License-Identifier: Apache-2.0
"""Cuts the bytes of a receiver into NMEA sentences and UBX frames whose checksums are right.

Any bytes may come, in pieces of any size, and both protocols mixed; what belongs to neither is counted and
skipped. A sentence ends at the line end; a frame's length is believed only up to `MAX_FRAME`, so that a
damaged length cannot swallow what follows. Sources: NMEA 0183 v4.11 §5.3; u-blox M9 interface description
§3.2.
"""

from __future__ import annotations

from operator import mul

SYNC = b"\xb5\x62"
MAX_SENTENCE = 256
"""The standard allows 82 characters; u-blox receivers in high precision mode send about 120."""
MAX_FRAME = 4096
"""NAV-SAT with 255 satellites has 3,076 bytes."""
PATIENCE_NS = 1_500_000_000
"""What has begun and not ended after this is given up: no line is so slow."""


class Tally:
    """What was counted since the start; the numbers only grow."""

    __slots__ = (
        "bytes", "checksum", "corrected_dates", "fixes", "frames", "garbage_bytes", "implausible", "jumps",
        "malformed", "sentences", "too_long", "unknown",
    )  # fmt: skip

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, 0)

    bytes: int
    """All that was received."""
    sentences: int
    """NMEA sentences with the right checksum."""
    frames: int
    """UBX frames with the right checksum."""
    fixes: int
    """Epochs with a position."""
    checksum: int
    """Sentences and frames with a wrong checksum or none."""
    garbage_bytes: int
    """Bytes that belong to no sentence or frame."""
    too_long: int
    """Sentences without an end, frames with an impossible length."""
    malformed: int
    """Right checksum, but the fields cannot be read."""
    implausible: int
    """Readable, but it cannot be, such as latitude 91."""
    jumps: int
    """Positions that no car reaches from the last one."""
    corrected_dates: int
    """Dates that were moved by 1024 weeks."""
    unknown: int
    """Sentences and frames of kinds that are not used here; nothing is wrong with them."""


class Framer:
    """Give it bytes with `feed`; it returns whole sentences (without `$`, `*hh` and line end) and frames.

    A sentence is the `bytes` of its body, such as `GNGGA,…`; a frame those of class, id, length (2) and
    payload. Sentences begin with a letter and frames never do (`is_frame`).
    """

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._buffer = b""
        self._since_ns = 0

    def feed(self, data: bytes, now_ns: int) -> list[bytes]:
        """Take `data` in, received at the monotonic `now_ns`, and return what is complete, in order."""
        self._tally.bytes += len(data)
        buffer = self._buffer + data
        found: list[bytes] = []
        at, end = 0, len(buffer)
        if self._buffer and now_ns - self._since_ns > PATIENCE_NS:
            at = self._skip()
        while at < end:
            start = _next_start(buffer, at)
            self._tally.garbage_bytes += start - at
            at = start
            if at == end:
                break
            taken = (
                self._sentence(buffer, at, found) if buffer[at] == 0x24 else self._frame(buffer, at, found)
            )
            if not taken:
                break
            at += taken
        if at or not self._buffer:
            self._since_ns = now_ns
        self._buffer = buffer[at:]
        return found

    def _sentence(self, buffer: bytes, at: int, found: list[bytes]) -> int:
        """Take the sentence at `at`; return how many bytes it had, 0 when more are needed."""
        tally = self._tally
        limit = buffer.find(b"\n", at + 1, at + MAX_SENTENCE)
        ended = limit >= 0
        if not ended:
            limit = min(len(buffer), at + MAX_SENTENCE)
        # A beginning inside means that the end of this one was lost.
        begins = [b for b in (buffer.find(b"$", at + 1, limit), buffer.find(SYNC, at + 1, limit)) if b > 0]
        if begins:
            tally.checksum += 1
            tally.garbage_bytes += min(begins) - at
            return min(begins) - at
        if not ended:
            if limit - at < MAX_SENTENCE:
                return 0
            tally.too_long += 1
            return self._skip()
        body, _, given = buffer[at + 1 : limit].rstrip(b"\r").partition(b"*")
        if not body or len(given) != 2 or not _is(given, xor(body)):
            tally.checksum += 1
            tally.garbage_bytes += limit - at + 1
        elif not body[:1].isalpha():
            tally.malformed += 1
        else:
            tally.sentences += 1
            found.append(body)
        return limit - at + 1

    def _skip(self) -> int:
        """Give up what begins here: its first byte is garbage, the rest is searched anew."""
        self._tally.garbage_bytes += 1
        return 1

    def _frame(self, buffer: bytes, at: int, found: list[bytes]) -> int:
        """Take the frame at `at`; return how many bytes it had, 0 when more are needed."""
        have = len(buffer) - at
        if have < 2:
            return 0
        if buffer[at + 1] != SYNC[1]:
            return self._skip()
        if have < 6:
            return 0
        length = buffer[at + 4] | buffer[at + 5] << 8
        if length > MAX_FRAME:
            self._tally.too_long += 1
            return self._skip()
        if have < length + 8:
            return 0
        body = buffer[at + 2 : at + 6 + length]
        if fletcher(body) != buffer[at + 6 + length : at + 8 + length]:
            self._tally.checksum += 1
            return self._skip()
        self._tally.frames += 1
        if is_frame(body):
            found.append(body)
        else:
            self._tally.unknown += 1
        return length + 8


def is_frame(piece: bytes) -> bool:
    """Tell a frame from a sentence: no UBX class that is used is a letter."""
    return piece[0] < 0x41


def _next_start(buffer: bytes, at: int) -> int:
    """Return where the next sentence or frame may begin, else the end of the buffer."""
    dollar, sync = buffer.find(b"$", at), buffer.find(SYNC[:1], at)
    if dollar < 0 or sync < 0:
        found = max(dollar, sync)
        return found if found >= 0 else len(buffer)
    return min(dollar, sync)


def xor(body: bytes) -> int:
    """Return NMEA's checksum: all bytes XORed; folding one large number beats a loop tenfold."""
    number = int.from_bytes(body, "little")
    width = 8 << max(0, (len(body) - 1).bit_length())
    while width > 8:
        width >>= 1
        number = (number >> width) ^ (number & ((1 << width) - 1))
    return number


def fletcher(body: bytes) -> bytes:
    """Return UBX's checksum (RFC 1145 as u-blox uses it): sums of bytes, and of those sums, modulo 256."""
    return bytes((sum(body) & 0xFF, sum(map(mul, body, range(len(body), 0, -1))) & 0xFF))


def _is(digits: bytes, number: int) -> bool:
    try:
        return int(digits, 16) == number
    except ValueError:
        return False
