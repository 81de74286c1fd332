# SPDX-License-Identifier: Apache-2.0
"""The vehicle signal: what it is called, what it may hold, how far it can be trusted.

Owns the vocabulary (VSS names, datatypes, kinds, quality). Where values come from, how they are kept and
how they travel belong to others. Source of names and datatypes: COVESA Vehicle Signal Specification 6.0.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from smartcockpit.core.named import NamedTuple

INTEGER_LIMITS = {
    "uint8": (0, 0xFF),
    "int8": (-0x80, 0x7F),
    "uint16": (0, 0xFFFF),
    "int16": (-0x8000, 0x7FFF),
    "uint32": (0, 0xFFFF_FFFF),
    "int32": (-0x8000_0000, 0x7FFF_FFFF),
    "uint64": (0, 0xFFFF_FFFF_FFFF_FFFF),
    "int64": (-0x8000_0000_0000_0000, 0x7FFF_FFFF_FFFF_FFFF),
}
"""Inclusive limits of VSS' integer datatypes."""

Scalar = bool | int | float | str
Value = Scalar | list[str]

Update = tuple[int, Value, int, int]
"""One new reading: index of the signal among its owner's specs, value, quality (`SignalQuality` as int),
time of the source in µs CLOCK_REALTIME. A plain tuple: thousands a second pass by."""


class SignalQuality(IntEnum):
    """How far a value can be trusted; the number is the byte on D-Bus, larger is better."""

    UNAVAILABLE = 0
    """Never received, or the link to its source is down; the value beside it is a filler."""
    INVALID = 1
    """Received, but out of range, marked invalid by its source, or with a wrong checksum; last good value."""
    STALE = 2
    """Last good value, whose successor is overdue."""
    VALID = 3
    """Fresh and plausible."""

    @property
    def label(self) -> str:
        """Return the lower-case word that people and JSON see."""
        return self.name.lower()


class SignalKind(StrEnum):
    """VSS' kinds of leaves."""

    SENSOR = "sensor"
    ACTUATOR = "actuator"
    ATTRIBUTE = "attribute"


class Datatype(StrEnum):
    """The VSS datatypes that we carry."""

    BOOLEAN = "boolean"
    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT = "float"
    DOUBLE = "double"
    STRING = "string"
    STRING_ARRAY = "string[]"

    @property
    def is_integer(self) -> bool:
        """True for the eight integer datatypes (boolean is none of them)."""
        return self.value in INTEGER_LIMITS

    @property
    def is_number(self) -> bool:
        """True for integers, float and double."""
        return self.is_integer or self in (Datatype.FLOAT, Datatype.DOUBLE)

    @property
    def zero(self) -> Value:
        """Return the filler that stands beside quality `UNAVAILABLE`."""
        if self is Datatype.BOOLEAN:
            return False
        if self is Datatype.STRING:
            return ""
        if self is Datatype.STRING_ARRAY:
            return []
        return 0 if self.is_integer else 0.0


class SignalSpec(NamedTuple):
    """What the catalogue says of one leaf.

    `minimum` and `maximum` are physical limits in `unit` (VSS unit identifier, "" without one), both
    inclusive and optional; `allowed` lists the permitted strings of an enumeration (empty: any).
    """

    path: str
    datatype: Datatype
    unit: str = ""
    kind: SignalKind = SignalKind.SENSOR
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] = ()

    @property
    def branch(self) -> str:
        """Return the path of the parent branch: `Vehicle` for `Vehicle.Speed`."""
        return self.path.rpartition(".")[0]
