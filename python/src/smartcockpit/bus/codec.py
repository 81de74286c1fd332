# SPDX-License-Identifier: Apache-2.0
"""Between bytes, dbus-next's values and ours.

Ours are plain: a struct is a tuple, a received variant is its value, a record (`VarDict`) is a dictionary.
Bodies of text are made and read here, all others by dbus-next, which loads with the first of them. Bodies are
read late: first the signature is compared with what is expected, so that nobody makes us take apart what we
are going to refuse. Layout: D-Bus specification, "Message Format".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from struct import error, unpack_from
from typing import TYPE_CHECKING, Any

from smartcockpit.bus import header
from smartcockpit.bus.header import DESTINATION, REPLY_SERIAL, SIGNATURE, UNIX_FDS, Field, padding
from smartcockpit.bus.vardict import VarDict
from smartcockpit.core.named import NamedTuple

if TYPE_CHECKING:
    from smartcockpit.bus.library import Variant

if find_spec("dbus_next") is None:  # said at the start and not with the first call
    raise ModuleNotFoundError("No module named 'dbus_next' (Debian: python3-dbus-next)", name="dbus_next")

_TEXT = frozenset("sou")


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
    fds: int = 0
    """How many descriptors came with it, or would have: see `bus.receive`."""

    def args(self) -> list[Any]:
        """Return the arguments as plain values; raises `ValueError` when body and signature do not fit."""
        values = unpack(self.signature, self.body, self.little_endian)
        if _TEXT.issuperset(self.signature):
            return values
        from smartcockpit.bus.library import signature_types

        types = signature_types(self.signature)
        return [from_wire(t, v) for t, v in zip(types, values, strict=True)]

    def arg0(self) -> str | None:
        """Return the first argument when it is a string, without touching the rest."""
        if not self.signature.startswith("s"):
            return None
        (length,) = unpack_from("<I" if self.little_endian else ">I", self.body, 0)
        return self.body[4 : 4 + length].decode("utf-8", "replace")


class Outgoing(NamedTuple):
    """A message to be sent, complete but for its serial."""

    kind: int
    fields: bytes
    body: bytes
    fds: tuple[int, ...] = ()
    """File descriptors that go with it; closed when they are sent, or when they cannot be."""

    def pack(self, serial: int) -> bytes:
        """Return the bytes."""
        return header.pack_header(self.kind, serial, len(self.body), self.fields) + self.body


def message(
    kind: int,
    fields: Mapping[int, Field],
    signature: str = "",
    args: Sequence[Any] = (),
    fds: tuple[int, ...] = (),
) -> Outgoing:
    """Return a message with plain `args`; raises `ValueError` when they do not fit `signature`."""
    body = pack(signature, args)
    packed = header.pack_fields({**fields, SIGNATURE: signature, UNIX_FDS: len(fds)})
    return Outgoing(kind, packed, body, fds)


def answer_to(
    call: Incoming,
    kind: int,
    signature: str,
    args: Sequence[Any],
    fields: Mapping[int, Field] | None = None,
    *,
    fds: tuple[int, ...] = (),
) -> Outgoing:
    """Return the reply or error message that answers `call`."""
    to = {**(fields or {}), REPLY_SERIAL: call.serial, DESTINATION: call.sender}
    return message(kind, to, signature, args, fds)


def pack(signature: str, args: Sequence[Any]) -> bytes:
    """Return the body of plain `args`; raises `ValueError` when they do not fit `signature`."""
    if not _TEXT.issuperset(signature):
        from smartcockpit.bus.library import Marshaller, signature_types

        types = signature_types(signature)
        marshaller = Marshaller(signature, [to_wire(t, v) for t, v in zip(types, args, strict=True)])
        return bytes(marshaller.marshall())
    body = b""
    for code, value in zip(signature, args, strict=True):
        body += padding(len(body), 4) + _pack_text(code, value)
    return body


def _pack_text(code: str, value: object) -> bytes:
    if code == "u" and isinstance(value, int) and 0 <= value < 1 << 32:
        return value.to_bytes(4, "little")
    if code != "u" and isinstance(value, str):
        return header.string(value.encode())
    raise ValueError(f"{value!r} does not fit {code!r}")


def unpack(signature: str, body: bytes, little_endian: bool = True) -> list[Any]:
    """Return the values as dbus-next has them; raises `ValueError` when `body` does not hold what `signature`
    says."""
    try:
        if _TEXT.issuperset(signature):
            return _unpack_text(signature, body, "<I" if little_endian else ">I")
        from smartcockpit.bus.library import signature_types, unmarshaller

        types = signature_types(signature)
        reader = unmarshaller(body, little_endian)
        return [reader.read_argument(t) for t in types]
    except (EOFError, IndexError, error):
        raise ValueError(f"body is shorter than signature {signature!r} says") from None


def _unpack_text(signature: str, body: bytes, number: str) -> list[Any]:
    values: list[Any] = []
    at = 0
    for code in signature:
        at += -at % 4
        (value,) = unpack_from(number, body, at)
        at += 4
        if code != "u":
            start, at = at, at + value + 1
            if at > len(body):
                raise EOFError
            value = body[start : at - 1].decode()
        values.append(value)
    return values


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


def to_variant(signature: str, value: Any) -> Variant:
    """Return the plain `value` as a variant of `signature`."""
    from smartcockpit.bus.library import Variant, signature_types

    (type_,) = signature_types(signature)
    return Variant(signature, to_wire(type_, value))


def parse_header(data: bytes | bytearray, body: bytes, too_large: int = 0) -> Incoming:
    """Build the message from `data`, its complete header; raises `ValueError` when that is malformed."""
    little = data[0] == ord("l")
    (serial,) = unpack_from("<I" if little else ">I", data, 8)
    fields: dict[int, Any] = header.parse_fields(data)
    return Incoming(
        kind=data[1],
        flags=data[2],
        serial=serial,
        little_endian=little,
        path=fields.get(header.PATH, ""),
        interface=fields.get(header.INTERFACE, ""),
        member=fields.get(header.MEMBER, ""),
        error_name=fields.get(header.ERROR_NAME, ""),
        reply_serial=fields.get(header.REPLY_SERIAL, 0),
        sender=fields.get(header.SENDER, ""),
        signature=fields.get(header.SIGNATURE, ""),
        body=body,
        too_large=too_large,
        fds=fields.get(UNIX_FDS, 0),
    )
