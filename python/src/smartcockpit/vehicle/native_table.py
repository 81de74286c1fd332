# SPDX-License-Identifier: Apache-2.0
"""The decode table of one bus for the back-end in C, in the layout of python/native/table.h.

Owns that layout on this side, and the decision which messages the C code can decode exactly as the generated
Python does. A formula that is no straight line is written down value by value, where that is short. The
messages that remain (longer formulas, numbers that 64 bits or a double cannot carry through the sum) are
marked, and their frames go to Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, starmap
from struct import Struct

from smartcockpit.core import formula_functions
from smartcockpit.core.checksum import algorithm
from smartcockpit.core.layout import BitField
from smartcockpit.core.plan import Linear, MappedSignal, MessagePlan, Table
from smartcockpit.core.signals import Datatype, Scalar
from smartcockpit.core.table import NATIVE_VERSION, NativeTable
from smartcockpit.vehicle.conversion_source import conversion_source, whole_numbers

MAGIC = 0x54524353
HEAD = Struct("<8I")
PLACE = Struct("<4B")
MESSAGE = Struct("<I4BBxH4sQ5I4x")
SIGNAL = Struct("<I4s4BI2H3Iq8s8s8s8sq")
RANGE = Struct("<qq")
ROW = Struct("<qq8s")
MULTIPLEXER = Struct("<4s3I")
CONDITION = Struct("<3I")
WHOLE, REAL = Struct("<q"), Struct("<d")
DECODED_HERE, HOLDS_BACK, HAS_COUNTER = 1, 2, 4
ON_CHANGE, ONE_TO_ONE, HAS_LOW, HAS_HIGH = 1, 2, 4, 8
BIG_ENDIAN, SIGNED, FLOAT = 1, 2, 4
EXACT, FLOATING, LISTED = range(3)
DOUBLE, INTEGER, BOOLEAN, TEXT = range(4)
CHECKSUMS = ("", "crc8-sae-j1850", "crc8-h2f", "crc16-ccitt-false", "sum8", "xor8")
DOUBLE_EXACT = 1 << 53
"""Up to here a double holds every whole number, so that one division rounds as Python's does."""
INT64_LIMIT = (1 << 63) - 1
FRAME_BYTES = 64
FORMULA_BITS, FORMULA_ROWS = 16, 1024
"""A formula is tried for each raw number of so many bits at most, and kept as so many ranges at most."""
FLOOR_LIMIT = 1 << 62


class _BeyondError(Exception):
    """The C back-end cannot decode this message bit by bit as Python does."""


class _Sections:
    """The entries of each section so far; whoever refers to one says its number."""

    def __init__(self) -> None:
        self.signals: list[bytes] = []
        self.ranges: list[bytes] = []
        self.rows: list[bytes] = []
        self.multiplexers: list[bytes] = []
        self.conditions: list[bytes] = []
        self.texts = {"": 0}

    @property
    def in_order(self) -> tuple[list[bytes], ...]:
        """Return the sections that follow the messages, in the order of the head's counts."""
        return self.signals, self.ranges, self.rows, self.multiplexers, self.conditions

    def add_ranges(self, ranges: Iterable[tuple[int, int]]) -> tuple[int, int]:
        """Append them; return first and count."""
        first = len(self.ranges)
        self.ranges += starmap(RANGE.pack, ((_int64(low), _int64(high)) for low, high in ranges))
        return first, len(self.ranges) - first


def native_table(messages: Sequence[MessagePlan]) -> NativeTable:
    """Return the table of one bus' messages, in their order."""
    sections = _Sections()
    rows, left = list[bytes](), list[int]()
    for number, message in enumerate(messages):
        before = [len(section) for section in sections.in_order]
        try:
            rows.append(_message(message, sections))
        except _BeyondError:
            for section, length in zip(sections.in_order, before, strict=True):
                del section[length:]
            left.append(number)
            rows.append(MESSAGE.pack(message.can_id, 0, 0, 0, 0, 0, 0, bytes(4), 0, 0, 0, 0, 0, 0))
    parts = (rows, *sections.in_order)
    head = HEAD.pack(MAGIC, NATIVE_VERSION, *map(len, parts))
    data = head + b"".join(b"".join(part) for part in parts)
    return NativeTable(data, tuple(sections.texts), tuple(left))


def _message(message: MessagePlan, sections: _Sections) -> bytes:
    if message.length > FRAME_BYTES:
        raise _BeyondError
    number, at, big_endian, start = _checksum(message)
    flags = DECODED_HERE | (HOLDS_BACK if message.holds_back else 0)
    place, modulus, step = bytes(4), 0, 0
    if message.counter is not None:
        field, counter = message.counter
        place, modulus, step = _place(message.fields[field].place), counter.modulus, counter.step
        flags |= HAS_COUNTER
        if message.fields[field].place.length > 32:
            raise _BeyondError
    first_multiplexer, multiplexers = len(sections.multiplexers), dict[int, int]()
    for field, known in message.multiplexers.items():
        multiplexers[field] = len(sections.multiplexers)
        code, top = _place(message.fields[field].place), not message.fields[field].conditions
        if message.fields[field].place.is_float:
            raise _BeyondError
        sections.multiplexers.append(MULTIPLEXER.pack(code, top, *sections.add_ranges(known)))
    first_signal = len(sections.signals)
    for signal in message.mapped:
        sections.signals.append(_signal(message, signal, multiplexers, sections))
    return MESSAGE.pack(
        message.can_id, message.length, flags, number, at, big_endian, start, place, modulus, step,
        first_signal, len(message.mapped), first_multiplexer, len(multiplexers),
    )  # fmt: skip


def _checksum(message: MessagePlan) -> tuple[int, int, bool, int]:
    """Return algorithm, place of the result, its byte order, and the checksum of the data id alone."""
    guard = message.checksum
    if guard is None:
        return 0, 0, False, 0
    if guard.length != message.length:
        raise _BeyondError
    return (
        CHECKSUMS.index(guard.name),
        guard.at,
        guard.big_endian,
        algorithm(guard.name)(bytes(guard.data_id)),
    )


def _place(place: BitField) -> bytes:
    """Return where bits are; whole numbers must fit 63 bits and a sign."""
    if place.length > 64 or (place.length == 64 and not (place.signed or place.is_float)):
        raise _BeyondError
    shift = 7 - place.start % 8 if place.big_endian else place.start % 8
    form = BIG_ENDIAN * place.big_endian | SIGNED * place.signed | FLOAT * place.is_float
    return PLACE.pack(place.start // 8, shift, place.length, form)


def _signal(
    message: MessagePlan, signal: MappedSignal, multiplexers: dict[int, int], sections: _Sections
) -> bytes:
    field, kind = message.fields[signal.field], _kind(signal.spec.datatype)
    first_condition = len(sections.conditions)
    for multiplexer, ranges in field.conditions:
        found = sections.add_ranges(ranges)
        sections.conditions.append(CONDITION.pack(multiplexers[multiplexer], *found))
    flags = ON_CHANGE * signal.on_change
    flags |= ONE_TO_ONE * conversion_source(signal, "raw", field.place.is_float).one_to_one
    excluded, rows = (0, 0), (0, 0)
    if isinstance(signal.conversion, Linear):
        line = signal.conversion
        excluded = sections.add_ranges((raw, raw) for raw in line.invalid)
        how, numbers, divisor = _line(line, kind, field.place)
        flags |= HAS_LOW * (line.low is not None) | HAS_HIGH * (line.high is not None)
    else:
        rows = _rows(_listed(signal, field.place), kind, sections)
        how, numbers, divisor = LISTED, (bytes(8),) * 4, 1
    return SIGNAL.pack(
        signal.index, _place(field.place), message.needed_bytes(field), how, kind, flags, first_condition,
        len(field.conditions), excluded[1], excluded[0], *rows, signal.interval_ms * 1_000_000, *numbers,
        divisor,
    )  # fmt: skip


def _kind(datatype: Datatype) -> int:
    if datatype is Datatype.STRING:
        return TEXT
    if datatype is Datatype.BOOLEAN:
        return BOOLEAN
    return INTEGER if datatype.is_integer else DOUBLE


def _listed(signal: MappedSignal, place: BitField) -> list[tuple[int, int, Scalar]]:
    """Return (lowest raw number, highest, value), sorted: what a table says, or what a formula gives."""
    if place.is_float:
        raise _BeyondError
    if isinstance(signal.conversion, Table):
        return [(raw, raw, value) for raw, value in sorted(signal.conversion.values)]
    if place.length > FORMULA_BITS:
        raise _BeyondError
    names = dict(vars(formula_functions))
    source = conversion_source(signal, "raw", False)
    exec("from math import floor\n" + "\n".join(source.definitions), names)  # noqa: S102 - our own generator's
    low, high = place.raw_limits
    evaluate: Callable[[int], Scalar | None] = names[f"formula_{signal.index}"]
    found: list[tuple[int, int, Scalar]] = []
    for _, run in groupby(range(low, high + 1), lambda raw: repr(evaluate(raw))):  # repr: 0.0 is not -0.0
        numbers = list(run)
        if (value := evaluate(numbers[0])) is not None:
            found.append((numbers[0], numbers[-1], value))
    if len(found) > FORMULA_ROWS:
        raise _BeyondError
    return found


def _rows(listed: Sequence[tuple[int, int, Scalar]], kind: int, sections: _Sections) -> tuple[int, int]:
    """Append them; return first and count."""
    first = len(sections.rows)
    for low, high, value in listed:
        sections.rows.append(ROW.pack(_int64(low), _int64(high), _value(value, kind, sections)))
    return first, len(listed)


def _value(value: Scalar, kind: int, sections: _Sections) -> bytes:
    if type(value) is not (float, int, bool, str)[kind]:
        raise _BeyondError
    if isinstance(value, str):
        return WHOLE.pack(sections.texts.setdefault(value, len(sections.texts)))
    return REAL.pack(value) if kind == DOUBLE else WHOLE.pack(_int64(int(value)))


def _line(line: Linear, kind: int, place: BitField) -> tuple[int, tuple[bytes, ...], int]:
    """Return conversion, (low, high, scale, offset) and divisor of a straight line."""
    limits = tuple(_number(limit, place.is_float) for limit in (line.low, line.high))
    low, high = (None, None) if place.is_float else place.raw_limits
    ends = [low if line.low is None else line.low, high if line.high is None else line.high]
    exact = whole_numbers(line, place.is_float)
    if exact is None:
        factor, shift = float(line.scale), float(line.offset)
        if kind == INTEGER and any(end is None or abs(end * factor + shift) > FLOOR_LIMIT for end in ends):
            raise _BeyondError
        return FLOATING, (*limits, REAL.pack(factor), REAL.pack(shift)), 1
    top, offset, divisor = exact
    for end in ends:
        total = _int64(_int64(int(end or 0)) * top + offset)
        if kind == DOUBLE and divisor > 1 and abs(total) > DOUBLE_EXACT:
            raise _BeyondError
        if kind == INTEGER and divisor > 1:
            _int64(2 * total + divisor)
    return EXACT, (*limits, WHOLE.pack(top), WHOLE.pack(offset)), divisor


def _number(value: float | None, real: bool) -> bytes:
    if value is None:
        return bytes(8)
    if (float(value) if real else int(value)) != value:
        raise _BeyondError
    return REAL.pack(value) if real else WHOLE.pack(_int64(int(value)))


def _int64(value: int) -> int:
    if not -INT64_LIMIT - 1 <= value <= INT64_LIMIT:
        raise _BeyondError
    return value
