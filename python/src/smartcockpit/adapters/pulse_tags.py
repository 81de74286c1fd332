# SPDX-License-Identifier: Apache-2.0
"""Values of PulseAudio's native protocol ("tagstruct"): every value carries a byte that says what it is.

Numbers are big-endian. Owns nothing but bytes; what a list of values means is the callers' knowledge. Source:
pulsecore/tagstruct.c of PulseAudio 16, module-protocol-pulse/message.c of PipeWire 1.4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from struct import error as struct_error
from struct import pack, unpack_from
from typing import Any

from smartcockpit.core.named import NamedTuple

NONE = 0xFFFF_FFFF
"""An index that is none, and a buffer size that is left to the server."""
S16LE = 3
"""PA_SAMPLE_S16LE."""
MAX_CHANNELS = 32
POSITIONS = (
    "mono", "front-left", "front-right", "front-center", "rear-center", "rear-left", "rear-right", "lfe",
    "front-left-of-center", "front-right-of-center", "side-left", "side-right",
)  # fmt: skip
"""Names of channel positions by their number (pulse/channelmap.h); later ones are exotic."""


class SampleSpec(NamedTuple):
    """How samples look."""

    format: int
    channels: int
    rate_hz: int


def u32(value: int) -> bytes:
    """Return an unsigned 32-bit number."""
    return pack(">cI", b"L", value)


def boolean(value: bool) -> bytes:
    """Return a truth value."""
    return b"1" if value else b"0"


def string(text: str | None) -> bytes:
    """Return a string, None is a value of its own; NUL ends a string, so it is left out."""
    if text is None:
        return b"N"
    return b"t" + text.replace("\0", "").encode("utf-8", "replace") + b"\0"


def arbitrary(data: bytes) -> bytes:
    """Return bytes with their length."""
    return pack(">cI", b"x", len(data)) + data


def sample_spec(spec: SampleSpec) -> bytes:
    """Return how samples look."""
    return pack(">cBBI", b"a", *spec)


def channel_map(positions: Sequence[int]) -> bytes:
    """Return which channel is where, by the numbers of `POSITIONS`."""
    return pack(">cB", b"m", len(positions)) + bytes(positions)


def volumes(values: Sequence[int]) -> bytes:
    """Return one volume per channel."""
    return pack(f">cB{len(values)}I", b"v", len(values), *values)


def proplist(entries: Mapping[str, str]) -> bytes:
    """Return properties; values are strings with their NUL, as the libraries send them."""
    body = b""
    for key, text in entries.items():
        data = text.replace("\0", "").encode("utf-8", "replace") + b"\0"
        body += string(key) + u32(len(data)) + arbitrary(data)
    return b"P" + body + b"N"


def decode(data: bytes) -> list[Any]:
    """Return all values in `data`: int, str or None, bool, bytes, `SampleSpec`, tuple (map, volumes), dict.

    Raises `ValueError` for what is no tagstruct.
    """
    values: list[Any] = []
    at = 0
    try:
        while at < len(data):
            value, at = _one(data, at)
            values.append(value)
    except (struct_error, IndexError) as error:
        raise ValueError(f"tagstruct ends early: {error}") from error
    return values


def _one(data: bytes, at: int) -> tuple[Any, int]:
    tag, at = data[at], at + 1
    match chr(tag):
        case "L" | "V":
            return unpack_from(">I", data, at)[0], at + 4
        case "t":
            end = data.find(b"\0", at)
            if end < 0:
                raise ValueError("a string without an end")
            return data[at:end].decode("utf-8", "replace"), end + 1
        case "N":
            return None, at
        case "1" | "0":
            return tag == ord("1"), at
        case "B":
            return data[at], at + 1
        case "R" | "U":
            return unpack_from(">Q", data, at)[0], at + 8
        case "r":
            return unpack_from(">q", data, at)[0], at + 8
        case "T":
            return unpack_from(">II", data, at), at + 8
        case "a":
            return SampleSpec(*unpack_from(">BBI", data, at)), at + 6
        case "x":
            return _bytes(data, at)
        case "m":
            count = _channels(data[at])
            return tuple(unpack_from(f">{count}B", data, at + 1)), at + 1 + count
        case "v":
            count = _channels(data[at])
            return tuple(unpack_from(f">{count}I", data, at + 1)), at + 1 + 4 * count
        case "P":
            return _proplist(data, at)
        case "f":
            if data[at] != ord("B") or data[at + 2] != ord("P"):
                raise ValueError("a malformed format")
            properties, end = _proplist(data, at + 3)
            return (data[at + 1], properties), end
    raise ValueError(f"unknown tag {tag:#x}")


def _bytes(data: bytes, at: int) -> tuple[bytes, int]:
    (length,) = unpack_from(">I", data, at)
    end = at + 4 + length
    if end > len(data):
        raise ValueError("bytes without an end")
    return data[at + 4 : end], end


def _proplist(data: bytes, at: int) -> tuple[dict[str, str], int]:
    found: dict[str, str] = {}
    while True:
        key, at = _one(data, at)
        if key is None:
            return found, at
        length, at = _one(data, at)
        value, at = _one(data, at)
        if not isinstance(key, str) or not isinstance(value, bytes) or length != len(value):
            raise ValueError("a malformed property")
        found[key] = value.rstrip(b"\0").decode("utf-8", "replace")


def _channels(count: int) -> int:
    if count > MAX_CHANNELS:
        raise ValueError(f"{count} channels")
    return count
