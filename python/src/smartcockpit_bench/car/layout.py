# SPDX-License-Identifier: Apache-2.0
"""From physical values to payloads: the way back through the vehicle compiler's plan.

The inverse of what the cockpit does, written apart from it and proven against cantools by a test. Fields that
no VSS path feeds stay 0; a multiplexed message takes its variants in turn.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

from smartcockpit.core.layout import BitField
from smartcockpit.core.plan import Computed, Conversion, FieldPlan, Linear, MappedSignal, MessagePlan, Table
from smartcockpit.core.signals import Scalar

FLOATS = {16: ("<e", "<H"), 32: ("<f", "<I"), 64: ("<d", "<Q")}


def raw_of(value: Scalar, conversion: Conversion, place: BitField) -> int | float | None:
    """Return the raw number that decodes to (what is nearest to) `value`; None when nothing does."""
    if isinstance(conversion, Computed):
        return None
    if isinstance(conversion, Table):
        return next((raw for raw, named in conversion.values if named == value), None)
    if isinstance(value, str):
        return None
    return _linear(value, conversion, place)


def _linear(value: float, line: Linear, place: BitField) -> int | float:
    exact = (Fraction(value) - line.offset) / line.scale
    low, high = (line.low, line.high)
    if place.is_float:
        number = float(exact)
        return min(number if high is None else high, max(number if low is None else low, number))
    bottom, top = place.raw_limits
    bottom = bottom if low is None else max(bottom, int(low))
    top = top if high is None else min(top, int(high))
    return min(top, max(bottom, round(exact)))


def put(payload: bytearray, place: BitField, raw: int | float) -> None:
    """Write `raw` into the bits of `place`."""
    if place.is_float:
        as_float, as_bits = FLOATS[place.length]
        bits = int(struct.unpack(as_bits, struct.pack(as_float, raw))[0])
    else:
        bits = int(raw) & ((1 << place.length) - 1)
    for part in place.slices:
        mask = (1 << part.width) - 1
        kept = payload[part.byte] & ~(mask << part.bit) & 0xFF
        payload[part.byte] = kept | (bits >> part.at & mask) << part.bit


@dataclass(frozen=True, slots=True)
class Variant:
    """One shape of a message: the multiplexer values that select it, and the fields that it carries."""

    selectors: tuple[tuple[int, int], ...]
    fields: frozenset[int]


def variants(fields: tuple[FieldPlan, ...]) -> tuple[Variant, ...]:
    """Return the shapes that a message takes in turn; just one when it is not multiplexed."""
    choices = {
        tuple((index, ranges[0][0]) for index, ranges in field.conditions): None
        for field in fields if field.conditions
    }  # fmt: skip
    found = []
    for choice in choices or {(): None}:
        chosen = dict(choice)
        carried = frozenset(
            number for number, field in enumerate(fields)
            if all(_selects(chosen.get(index), ranges) for index, ranges in field.conditions)
        )  # fmt: skip
        found.append(Variant(choice, carried))
    return tuple(found)


def _selects(value: int | None, ranges: tuple[tuple[int, int], ...]) -> bool:
    return value is not None and any(low <= value <= high for low, high in ranges)


def feeders(message: MessagePlan, known: frozenset[str]) -> tuple[MappedSignal, ...]:
    """Return, for each field that a `known` VSS path can fill, the mapping that fills it best."""
    best: dict[int, MappedSignal] = {}
    for mapped in message.mapped:
        if mapped.spec.path not in known or isinstance(mapped.conversion, Computed):
            continue
        best.setdefault(mapped.field, mapped)
    return tuple(best.values())
