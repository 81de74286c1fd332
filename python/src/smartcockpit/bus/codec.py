# SPDX-License-Identifier: Apache-2.0
"""Between bytes, dbus-next's values and ours.

Ours are plain: a struct is a tuple, a received variant is its value, a record (`VarDict`) is a dictionary.
Bodies are unmarshalled by dbus-next, but late: first the signature is compared with what is expected, so
that nobody makes us take apart what we are going to refuse. Layout: D-Bus specification, "Message format".
"""

from __future__ import annotations

from struct import unpack_from
from typing import Any

from smartcockpit.bus.library import Unmarshaller, Variant, signature_types
from smartcockpit.bus.vardict import VarDict
from smartcockpit.core.named import NamedTuple

CALL, RETURN, ERROR, SIGNAL = 1, 2, 3, 4
NO_REPLY_EXPECTED = 1

_PATH, _INTERFACE, _MEMBER, _ERROR_NAME, _REPLY_SERIAL, _DESTINATION, _SENDER, _SIGNATURE = range(1, 9)


class Incoming(NamedTuple):
    """A received message; `body` is still packed. `too_large` is its size when the body was thrown away
    unread."""

    kind: int
    flags: int
    serial: int
    little_endian: bool
    path: str
    interface: str
    member: str
    error_name: str
    reply_serial: int
    sender: str
    signature: str
    body: bytes
    too_large: int = 0

    def raw_args(self) -> list[Any]:
        """Return the arguments as dbus-next has them; raises `ValueError` when body and signature do not
        fit."""
        return unpack(self.signature, self.body, self.little_endian)

    def args(self) -> list[Any]:
        """Return the arguments as plain values."""
        types = signature_types(self.signature)
        return [from_wire(t, v) for t, v in zip(types, self.raw_args(), strict=True)]

    def arg0(self) -> str | None:
        """Return the first argument when it is a string, without touching the rest."""
        if not self.signature.startswith("s"):
            return None
        (length,) = unpack_from("<I" if self.little_endian else ">I", self.body, 0)
        return self.body[4 : 4 + length].decode("utf-8", "replace")


def unpack(signature: str, body: bytes, little_endian: bool = True) -> list[Any]:
    """Unmarshal `body` with dbus-next; raises `ValueError` when it does not hold what `signature` says."""
    types = signature_types(signature)
    if not types:
        return []
    unmarshaller = Unmarshaller(_End())
    unmarshaller.buf = bytearray(body)
    unmarshaller.endian = ord("l") if little_endian else ord("B")
    try:
        return [unmarshaller.read_argument(t) for t in types]
    except (EOFError, IndexError):
        raise ValueError(f"body is shorter than signature {signature!r} says") from None


class _End:
    """The stream behind a complete body: nothing follows."""

    @staticmethod
    def read(_: int) -> bytes:
        return b""


def from_wire(type_: Any, value: Any) -> Any:
    """Turn a received value of dbus-next into a plain one."""
    match type_.token:
        case "v":
            return from_wire(value.type, value.value)
        case "(":
            return tuple(from_wire(t, v) for t, v in zip(type_.children, value, strict=True))
        case "a":
            return _array_from_wire(type_.children[0], value)
    return value


def _array_from_wire(item: Any, value: Any) -> Any:
    match item.token:
        case "{":
            return {k: from_wire(item.children[1], v) for k, v in value.items()}
        case "v" | "(" | "a":
            return [from_wire(item, v) for v in value]
    return value


def to_wire(type_: Any, value: Any) -> Any:
    """Turn a plain value into what dbus-next marshals: structs as lists, records as dictionaries.

    A variant must be given as one, unless it comes out of a record, which knows its types.
    """
    match type_.token:
        case "(":
            return [to_wire(t, v) for t, v in zip(type_.children, value, strict=True)]
        case "a":
            return _array_to_wire(type_.children[0], value)
    return value


def _array_to_wire(item: Any, value: Any) -> Any:
    match item.token:
        case "{":
            inner = item.children[1]
            if isinstance(value, VarDict):
                value = value.to_plain() if inner.token != "v" else value.to_variants()  # noqa: S105
            return {k: to_wire(inner, v) for k, v in value.items()}
        case "(" | "a":
            return [to_wire(item, v) for v in value]
        case "y":
            return bytes(value)
    return list(value)


def to_body(signature: str, args: tuple[Any, ...]) -> list[Any]:
    """Return the body for `signature`; raises `ValueError` when the number of arguments differs."""
    return [to_wire(t, v) for t, v in zip(signature_types(signature), args, strict=True)]


def to_variant(signature: str, value: Any) -> Variant:
    """Return the plain `value` as a variant of `signature`."""
    (type_,) = signature_types(signature)
    return Variant(signature, to_wire(type_, value))


def parse_header(data: bytes | bytearray, body: bytes, too_large: int = 0) -> Incoming:
    """Build the message from `data`, its complete header; raises `ValueError` when that is malformed."""
    little = data[0] == ord("l")
    unmarshaller = Unmarshaller(_End())
    unmarshaller.buf = data
    unmarshaller.endian = data[0]
    unmarshaller.offset = 12
    (serial,) = unpack_from("<I" if little else ">I", data, 8)
    try:
        fields = {
            code: variant.value for code, variant in unmarshaller.read_argument(signature_types("a(yv)")[0])
        }
    except (EOFError, IndexError):
        raise ValueError("message header ends early") from None
    return Incoming(
        kind=data[1],
        flags=data[2],
        serial=serial,
        little_endian=little,
        path=fields.get(_PATH, ""),
        interface=fields.get(_INTERFACE, ""),
        member=fields.get(_MEMBER, ""),
        error_name=fields.get(_ERROR_NAME, ""),
        reply_serial=fields.get(_REPLY_SERIAL, 0),
        sender=fields.get(_SENDER, ""),
        signature=fields.get(_SIGNATURE, ""),
        body=body,
        too_large=too_large,
    )
