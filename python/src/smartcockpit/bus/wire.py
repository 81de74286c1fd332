# SPDX-License-Identifier: Apache-2.0
"""`Signals1.Changed` packed from prepared pieces, without a marshaller.

What depends only on the signal (its path, the signature of the variant) and only on the branch (the message
header, the branch name) is packed once. Every element of `a(svyt)` starts at a multiple of 8, because
structs do, and ends at one, because its last member is a `t`: so elements are joined as they are,
fixed-size or not (D-Bus specification, "Marshaling"). A test compares the bytes with dbus-next's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from struct import Struct, error
from typing import Any

from smartcockpit.bus.header import INTERFACE, MEMBER, PATH, SIGNATURE, pack_fields, padding, string
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
_VARIANT_OF = {s: bytes((len(s),)) + s.encode() + b"\0" for s in SIGNATURES.values()}
_TAIL_AT = [Struct(f"<B{-(at + 1) % 8}xQ") for at in range(8)]

Packer = Callable[[Any, int, int], bytes]
"""Packs value, quality and time of one signal into its element."""

_MISFIT = (error, TypeError, AttributeError, ValueError)


def text_bytes(text: str) -> bytes:
    """Return `text` as D-Bus allows it: UTF-8 without NUL; what cannot be is replaced."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace")


def _fixed_packer(prefix: bytes, code: str) -> Packer:
    """Return the packer of a signal whose value has a fixed size: one call that writes all of the element."""
    shape = _fixed_shape(len(prefix), code)
    if code == "b":
        return lambda value, quality, time_us: shape.pack(prefix, 1 if value else 0, quality, time_us)
    return partial(shape.pack, prefix)


@lru_cache(maxsize=256)  # signals of like length and type share one
def _fixed_shape(length: int, code: str) -> Struct:
    size = _SIZES[code]
    pad = -length % size
    return Struct(f"<{length}s{pad}x{_STRUCT_CODES[code]}B{-(length + pad + size + 1) % 8}xQ")


def _string_packer(prefix: bytes) -> Packer:
    start = prefix + padding(len(prefix), 4)

    def pack(value: str, quality: int, time_us: int) -> bytes:
        packed = start + string(text_bytes(value))
        return packed + _TAIL_AT[len(packed) % 8].pack(quality, time_us)

    return pack


def _strings_packer(prefix: bytes) -> Packer:
    start = prefix + padding(len(prefix), 4)

    def pack(value: list[str], quality: int, time_us: int) -> bytes:
        items = b""
        for text in value:
            items += padding(len(items), 4) + string(text_bytes(text))
        packed = start + _LENGTH.pack(len(items)) + items
        return packed + _TAIL_AT[len(packed) % 8].pack(quality, time_us)

    return pack


def packer(spec: SignalSpec) -> Packer:
    """Return what packs readings of `spec` into elements of `a(svyt)`."""
    signature = SIGNATURES[spec.datatype]
    prefix = string(spec.path.encode()) + _VARIANT_OF[signature]
    if signature == "s":
        return _string_packer(prefix)
    if signature == "as":
        return _strings_packer(prefix)
    return _fixed_packer(prefix, signature)


@lru_cache(maxsize=8)
def _changed_fields(object_path: str, interface: str) -> bytes:
    """Return the header of `Changed` from the length of its fields to its end: the same for all branches."""
    fields = pack_fields({PATH: object_path, INTERFACE: interface, MEMBER: "Changed", SIGNATURE: "sa(svyt)"})
    rest = _LENGTH.pack(len(fields)) + fields
    return rest + padding(_HEAD.size + len(rest), 8)


@lru_cache(maxsize=256)
def _changed_shape(length: int, gap: int) -> Struct:
    return Struct(f"<4BII{length}sI{gap}x")


class ChangedTemplate:
    """Packs `Changed` of one branch."""

    def __init__(self, object_path: str, interface: str, branch: str) -> None:
        name = string(branch.encode())
        name += padding(len(name), 4)
        gap = -(len(name) + 4) % 8
        self._fixed = len(name) + 4 + gap
        self._middle = _changed_fields(object_path, interface) + name
        self._pack = _changed_shape(len(self._middle), gap).pack

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
        self._packers = [packer(spec) for spec in specs]
        self.misfits: dict[str, int] = {}

    def pack(self, updates: list[Update]) -> list[bytes]:
        """Return the elements of `updates`, in order."""
        packers = self._packers
        try:
            return [packers[index](value, quality, time_us) for index, value, quality, time_us in updates]
        except _MISFIT:
            return [self._carefully(*update) for update in updates]

    def _carefully(self, index: int, value: Value, quality: int, time_us: int) -> bytes:
        pack = self._packers[index]
        try:
            return pack(value, quality, time_us)
        except _MISFIT:
            spec = self._specs[index]
            self.misfits[spec.path] = self.misfits.get(spec.path, 0) + 1
            return pack(spec.datatype.zero, int(SignalQuality.INVALID), 0)
