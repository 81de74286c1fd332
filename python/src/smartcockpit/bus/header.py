# SPDX-License-Identifier: Apache-2.0
"""Headers of messages, packed and taken apart (D-Bus specification, "Message Format").

dbus-next could do it, as it did, but headers are nearly all that getting onto the bus takes: so the library
loads with the first message that carries more than text, 3 ms later than a daemon is ready, and a header
costs a seventh. A test holds the bytes against the library's.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct, error

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
NO_REPLY_EXPECTED = 1
PATH, INTERFACE, MEMBER, ERROR_NAME, REPLY_SERIAL, DESTINATION, SENDER, SIGNATURE, UNIX_FDS = range(1, 10)

Field = str | int
_TYPES = {
    PATH: "o", INTERFACE: "s", MEMBER: "s", ERROR_NAME: "s", REPLY_SERIAL: "u", DESTINATION: "s", SENDER: "s",
    SIGNATURE: "g", UNIX_FDS: "u",
}  # fmt: skip
_HEAD = Struct("<4BIII")
_NUMBER = Struct("<I")
_BIG_NUMBER = Struct(">I")


def padding(size: int, to: int) -> bytes:
    """Return the zeros that bring `size` to a multiple of `to`."""
    return bytes(-size % to)


def string(text: bytes) -> bytes:
    """Return a marshalled string or object path, but for the padding in front."""
    return _NUMBER.pack(len(text)) + text + b"\0"


def pack_fields(fields: Mapping[int, Field]) -> bytes:
    """Return the header's array of fields without its length; empty ones (no interface, …) are left out."""
    out = b""
    for code, value in fields.items():
        if not value:
            continue
        kind = _TYPES[code]
        out += padding(len(out), 8) + bytes((code, 1)) + kind.encode() + b"\0"
        if isinstance(value, int):
            out += _NUMBER.pack(value)
        elif kind == "g":
            out += bytes((len(value),)) + value.encode() + b"\0"
        else:
            out += string(value.encode())
    return out


def pack_header(kind: int, serial: int, body_size: int, fields: bytes) -> bytes:
    """Return the header around the packed `fields`, padded to where the body begins; little endian."""
    head = _HEAD.pack(108, kind, 0, 1, body_size, serial, len(fields)) + fields  # 108 is "l"
    return head + padding(len(head), 8)


def parse_fields(header: bytes | bytearray) -> dict[int, Field]:
    """Return the fields of a complete header by code, without those that the specification does not know.

    Raises `ValueError` when the header is malformed.
    """
    try:
        return _parse_fields(header, _NUMBER if header[0] == ord("l") else _BIG_NUMBER)
    except (error, IndexError):
        raise ValueError("message header ends early") from None


def _parse_fields(header: bytes | bytearray, number: Struct) -> dict[int, Field]:
    fields: dict[int, Field] = {}
    at, end = 16, 16 + number.unpack_from(header, 12)[0]
    while at < end:
        at += -at % 8
        code, kind = header[at], header[at + 1 : at + 4]
        wanted = _TYPES.get(code)
        if wanted is None:
            at = _skip(header, at + 1)
            continue
        if kind != b"\1%c\0" % ord(wanted):
            raise ValueError(f"header field {code} has another type than {wanted}")
        if wanted == "u":
            start, size, past = at + 4, 4, at + 8
        elif wanted == "g":
            start, size = at + 5, header[at + 4]
            past = start + size + 1
        else:
            start, size = at + 8, number.unpack_from(header, at + 4)[0]
            past = start + size + 1
        if past > end:
            raise ValueError(f"header field {code} is longer than the header")
        value = header[start : start + size]
        fields[code] = number.unpack(value)[0] if wanted == "u" else value.decode()
        at = past
    return fields


def _skip(header: bytes | bytearray, at: int) -> int:
    """Return where the variant at `at` ends, by the library: it may hold anything."""
    from smartcockpit.bus.library import signature_types, unmarshaller

    reader = unmarshaller(header, header[0] == ord("l"), at)
    try:
        reader.read_argument(signature_types("v")[0])
    except (EOFError, RecursionError):
        raise ValueError("a header field has no end") from None
    offset: int = reader.offset
    return offset
