# SPDX-License-Identifier: Apache-2.0
"""`Signals1.Changed` packed from prepared pieces, without a marshaller.

What depends only on the signal (its path, the signature of the variant) and only on the branch (the message
header, the branch name) is packed once. Every element of `a(svyt)` starts at a multiple of 8, because
structs do, and ends at one, because its last member is a `t`: so elements are joined as they are,
fixed-size or not (D-Bus specification, "Marshaling"). A test compares the bytes with dbus-next's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from struct import Struct, error
from typing import Any

from smartcockpit.core.signals import Datatype, SignalQuality, SignalSpec, Update, Value

SIGNATURES = {
    Datatype.BOOLEAN: "b",
    Datatype.INT8: "n",
    Datatype.UINT8: "y",
    Datatype.INT16: "n",
    Datatype.UINT16: "q",
    Datatype.INT32: "i",
    Datatype.UINT32: "u",
    Datatype.INT64: "x",
    Datatype.UINT64: "t",
    Datatype.FLOAT: "d",
    Datatype.DOUBLE: "d",
    Datatype.STRING: "s",
    Datatype.STRING_ARRAY: "as",
}
"""D-Bus type of each VSS datatype."""

_STRUCT_CODES = {"b": "I", "n": "h", "y": "B", "q": "H", "i": "i", "u": "I", "x": "q", "t": "Q", "d": "d"}
_SIZES = {"b": 4, "n": 2, "y": 1, "q": 2, "i": 4, "u": 4, "x": 8, "t": 8, "d": 8}

_HEAD = Struct("<4BII")
_LENGTH = Struct("<I")
_TAIL_AT = [Struct(f"<B{-(at + 1) % 8}xQ") for at in range(8)]

Tail = Callable[[Any, int, int], bytes]
"""Packs value, quality and time behind a signal's prefix."""


def text_bytes(text: str) -> bytes:
    """Return `text` as D-Bus allows it: UTF-8 without NUL; what cannot be is replaced."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace")


def _string(text: bytes) -> bytes:
    return _LENGTH.pack(len(text)) + text + b"\0"


def _padding(size: int, to: int) -> bytes:
    return bytes(-size % to)


@lru_cache(maxsize=256)
def _fixed_tail(code: str, at: int) -> Tail:
    """Return the packer of a fixed-size value whose prefix ends at offset `at` (modulo 8)."""
    size = _SIZES[code]
    pad = -at % size
    after = at + pad + size
    pack = Struct(f"<{pad}x{_STRUCT_CODES[code]}B{-(after + 1) % 8}xQ").pack
    if code == "b":
        return lambda value, quality, time_us: pack(1 if value else 0, quality, time_us)
    return pack


def _string_tail(at: int) -> Tail:
    pad = bytes(-at % 4)

    def pack(value: str, quality: int, time_us: int) -> bytes:
        packed = pad + _string(text_bytes(value))
        return packed + _TAIL_AT[(at + len(packed)) % 8].pack(quality, time_us)

    return pack


def _strings_tail(at: int) -> Tail:
    pad = bytes(-at % 4)

    def pack(value: list[str], quality: int, time_us: int) -> bytes:
        items = b""
        for text in value:
            items += _padding(len(items), 4) + _string(text_bytes(text))
        packed = pad + _LENGTH.pack(len(items)) + items
        return packed + _TAIL_AT[(at + len(packed)) % 8].pack(quality, time_us)

    return pack


def piece(spec: SignalSpec) -> tuple[bytes, Tail]:
    """Return the constant start of the element of `spec` and the packer of the rest."""
    signature = SIGNATURES[spec.datatype]
    code = signature.encode()
    prefix = _string(spec.path.encode()) + bytes([len(code)]) + code + b"\0"
    if signature == "s":
        return prefix, _string_tail(len(prefix) % 8)
    if signature == "as":
        return prefix, _strings_tail(len(prefix) % 8)
    return prefix, _fixed_tail(signature, len(prefix) % 8)


class ChangedTemplate:
    """Packs `Changed` of one branch."""

    def __init__(self, object_path: str, interface: str, branch: str) -> None:
        fields = b""
        constant = ((1, b"o", object_path), (2, b"s", interface), (3, b"s", "Changed"))
        for number, code, text in constant:
            fields += _padding(len(fields), 8) + bytes([number, 1]) + code + b"\0" + _string(text.encode())
        signature = b"sa(svyt)"
        fields += _padding(len(fields), 8) + b"\x08\x01g\0" + bytes([len(signature)]) + signature + b"\0"
        header_rest = _LENGTH.pack(len(fields)) + fields
        header_rest += _padding(_HEAD.size + len(header_rest), 8)
        name = _string(branch.encode())
        name += _padding(len(name), 4)
        gap = -(len(name) + 4) % 8
        self._fixed = len(name) + 4 + gap
        self._middle = header_rest + name
        self._pack = Struct(f"<4BII{len(self._middle)}sI{gap}x").pack

    def pack(self, serial: int, elements: bytes) -> bytes:
        """Return the whole message around `elements`, the joined pieces."""
        size = len(elements)
        head = self._pack(108, 4, 0, 1, self._fixed + size, serial, self._middle, size)  # 108 is "l"
        return head + elements


class ElementPacker:
    """Packs updates of `specs` into elements of `a(svyt)`.

    A value that its datatype cannot hold is a bug of its source; it is sent as invalid with the datatype's
    zero, so that it harms nobody else, and `misfits` counts it.
    """

    def __init__(self, specs: tuple[SignalSpec, ...]) -> None:
        self._specs = specs
        pieces = [piece(spec) for spec in specs]
        self._prefixes = [prefix for prefix, _ in pieces]
        self._tails = [tail for _, tail in pieces]
        self.misfits: dict[str, int] = {}

    def pack(self, updates: list[Update]) -> list[bytes]:
        """Return prefix, rest, prefix, rest … of the elements."""
        prefixes, tails = self._prefixes, self._tails
        parts: list[bytes] = []
        try:
            for index, value, quality, time_us in updates:
                parts += (prefixes[index], tails[index](value, quality, time_us))
        except (error, TypeError, AttributeError, ValueError):
            return [part for update in updates for part in self._careful(*update)]
        return parts

    def _careful(self, index: int, value: Value, quality: int, time_us: int) -> tuple[bytes, bytes]:
        try:
            return self._prefixes[index], self._tails[index](value, quality, time_us)
        except (error, TypeError, AttributeError, ValueError):
            spec = self._specs[index]
            self.misfits[spec.path] = self.misfits.get(spec.path, 0) + 1
            zero = spec.datatype.zero
            return self._prefixes[index], self._tails[index](zero, int(SignalQuality.INVALID), 0)
