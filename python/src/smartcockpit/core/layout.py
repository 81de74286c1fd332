# SPDX-License-Identifier: Apache-2.0
"""Where a signal's bits lie in a frame, and the cheapest way for Python to get at all of them.

Owns the arithmetic from DBC bit positions to a `struct` format plus shift-and-mask expressions. Which
signals there are and what becomes of the raw values belong to others.

A frame is cut into words of 1, 2, 4 or 8 bytes, so that the estimated cost of one `struct` unpack plus all
shifts and masks is least (dynamic programming over the bytes). A signal that fills a word needs no
expression at all; a signal that crosses words is put together from its pieces. Bit numbering: DBC, that is
bit 0 is the least significant of byte 0; `start` of a big-endian signal is its most significant bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

WORD_SIZES = (1, 2, 4, 8)
_FIELD_COST = {1: 14, 2: 15, 4: 18, 8: 22}
_OPERATION_COST = {1: 22, 2: 22, 4: 26, 8: 34}
_SECOND_UNPACK_COST = 85
_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
_FLOAT_CODES = {2: "e", 4: "f", 8: "d"}
_IMPOSSIBLE = 10**9


@dataclass(frozen=True, slots=True)
class BitSlice:
    """The part of a signal in one byte: `width` bits from `bit` upwards, worth `value << at` in it."""

    byte: int
    bit: int
    width: int
    at: int


@dataclass(frozen=True, slots=True)
class BitField:
    """The raw place of one signal: DBC start bit, length in bits, byte order, and how the bits are read."""

    start: int
    length: int
    big_endian: bool = False
    signed: bool = False
    is_float: bool = False

    @property
    def slices(self) -> tuple[BitSlice, ...]:
        """Return the signal's parts byte by byte, least significant first."""
        return _slices(self)

    @property
    def end_byte(self) -> int:
        """Return how many bytes a frame must have to carry the whole signal."""
        return max(s.byte for s in self.slices) + 1

    @property
    def raw_limits(self) -> tuple[int, int]:
        """Return the inclusive limits of the raw integer."""
        if self.signed:
            return -(1 << (self.length - 1)), (1 << (self.length - 1)) - 1
        return 0, (1 << self.length) - 1


@cache
def _slices(field: BitField) -> tuple[BitSlice, ...]:
    found = []
    if not field.big_endian:
        at, position = 0, field.start
        while at < field.length:
            width = min(8 - position % 8, field.length - at)
            found.append(BitSlice(position // 8, position % 8, width, at))
            at, position = at + width, position + width
        return tuple(found)
    byte, top, left = field.start // 8, field.start % 8, field.length
    while left:
        width = min(top + 1, left)
        left -= width
        found.append(BitSlice(byte, top + 1 - width, width, left))
        byte, top = byte + 1, 7
    return tuple(reversed(found))


@dataclass(frozen=True, slots=True)
class Layout:
    """How to read all `fields` of a frame: unpack `formats` (one or two `struct` formats), evaluate `raw`.

    The words are named w0, w1, … in the order in which the formats deliver them (`words` per format);
    `raw[i]` is the Python expression of the raw value of field i. `F16`, `F32`, `F64` in an expression turn
    an integer into the float with these bits.
    """

    formats: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    raw: tuple[str, ...]
    cost: int


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    size: int
    big_endian: bool

    def place(self, part: BitSlice) -> int:
        offset = part.byte - self.start
        return 8 * (self.size - 1 - offset if self.big_endian else offset) + part.bit


@dataclass(frozen=True, slots=True)
class _Piece:
    """Bits [low, low + width) of a word, worth `<< at` in the signal."""

    low: int
    width: int
    at: int


def _piece(word: _Word, field: BitField) -> _Piece | bool | None:
    """Return the part of `field` in `word`, None when there is none, False when its bits are not contiguous
    there.
    """
    parts = [s for s in field.slices if word.start <= s.byte < word.start + word.size]
    if not parts:
        return None
    shifts = {word.place(s) - s.at for s in parts}
    if len(shifts) > 1:
        return False
    return _Piece(word.place(parts[0]), sum(s.width for s in parts), parts[0].at)


def _fills(word: _Word, field: BitField, piece: _Piece) -> bool:
    return piece.low == 0 and piece.width == 8 * word.size == field.length


def _word_cost(word: _Word, fields: Sequence[BitField]) -> int:
    """Return the estimated ns to unpack `word` and to take its pieces out; `_IMPOSSIBLE` when it cannot."""
    cost, operation, used = _FIELD_COST[word.size], _OPERATION_COST[word.size], False
    for field in fields:
        piece = _piece(word, field)
        if piece is None:
            continue
        if piece is False:
            return _IMPOSSIBLE
        assert isinstance(piece, _Piece)
        used = True
        if _fills(word, field, piece):
            continue
        top = piece.low + piece.width == 8 * word.size
        operations = (piece.low > 0) + (not top) + 2 * (piece.at > 0)
        if field.signed and piece.at + piece.width == field.length and not top:
            operations += 2
        cost += operations * operation + (200 if field.is_float else 0)
    return cost if used else (1 if word.size == 1 else _IMPOSSIBLE)


def _cut(fields: Sequence[BitField], big_endian: bool) -> tuple[int, list[_Word | None]]:
    """Cut bytes 0 .. end into words of one byte order; None stands for a byte that nobody reads."""
    end = max((f.end_byte for f in fields), default=0)
    touching: list[list[BitField]] = [[] for _ in range(end)]
    for field in fields:
        for byte in {s.byte for s in field.slices}:
            touching[byte].append(field)
    best: list[tuple[int, list[_Word | None]]] = [(_IMPOSSIBLE, []) for _ in range(end + 1)]
    best[0] = (0, [])
    for position in range(end):
        cost, words = best[position]
        if cost >= _IMPOSSIBLE:
            continue
        for size in WORD_SIZES:
            stop = position + size
            if stop > end:
                break
            word = _Word(position, size, big_endian)
            near = list(dict.fromkeys(f for byte in range(position, stop) for f in touching[byte]))
            total = cost + _word_cost(word, near)
            if total < best[stop][0]:
                best[stop] = (total, [*words, word if near else None])
    return best[end]


def _expression(field: BitField, words: Iterable[tuple[str, _Word, bool]]) -> str:
    """Return the raw value as a Python expression; `words` are (name, word, unpacked as signed or float)."""
    terms, sign_done = [], not field.signed
    for name, word, native in words:
        piece = _piece(word, field)
        if piece is None:
            continue
        assert isinstance(piece, _Piece)
        if _fills(word, field, piece) and (native or not (field.signed or field.is_float)):
            return name
        top = piece.low + piece.width == 8 * word.size
        last = piece.at + piece.width == field.length
        keep = native and top and last and field.signed
        term = f"({name} >> {piece.low})" if piece.low else name
        if keep:
            sign_done = True
        elif not top or native:
            term = f"({term} & {(1 << piece.width) - 1:#x})"
        terms.append((piece.at, f"({term} << {piece.at})" if piece.at else term))
    text = " | ".join(term for _, term in sorted(terms))
    if len(terms) > 1:
        text = f"({text})"
    if field.is_float:
        return f"F{field.length}({text})"
    if not sign_done:
        half = 1 << (field.length - 1)
        text = f"(({text} ^ {half:#x}) - {half:#x})"
    return text


def _code(word: _Word, fields: Sequence[BitField]) -> tuple[str, bool]:
    """Return the `struct` code of `word` and whether it is a signed or float one."""
    pieces = [(f, p) for f in fields if isinstance(p := _piece(word, f), _Piece)]
    floats = [f for f, p in pieces if f.is_float and _fills(word, f, p)]
    if floats and len(pieces) == len(floats):
        return _FLOAT_CODES[word.size], True
    wants_sign = [
        f.signed and not f.is_float
        for f, p in pieces
        if p.low + p.width == 8 * word.size and p.at + p.width == f.length
    ]
    if wants_sign and all(wants_sign):
        return _CODES[word.size].lower(), True
    return _CODES[word.size], False


def plan_layout(fields: Sequence[BitField]) -> Layout:
    """Return the cheapest layout found for `fields` (in their order): one byte order for all, or one unpack
    each.
    """
    multi = [f for f in fields if len(f.slices) > 1]
    little = [f for f in fields if f not in multi or not f.big_endian]
    big = [f for f in multi if f.big_endian]
    plans: list[tuple[int, list[tuple[bool, Sequence[BitField], list[_Word | None]]]]] = []
    for order in (False, True):
        cost, words = _cut(fields, order)
        plans.append((cost, [(order, fields, words)]))
    if big and len(big) < len(fields):
        cost_little, words_little = _cut(little, False)
        cost_big, words_big = _cut(big, True)
        cost = cost_little + cost_big + _SECOND_UNPACK_COST
        plans.append((cost, [(False, little, words_little), (True, big, words_big)]))
    cost, parts = min(plans, key=lambda plan: plan[0])
    return _written(fields, cost, parts)


def _written(
    fields: Sequence[BitField], cost: int, parts: list[tuple[bool, Sequence[BitField], list[_Word | None]]]
) -> Layout:
    formats, names, number = [], [], 0
    texts: dict[BitField, str] = {}
    for order, members, words in parts:
        code, named, own = ">" if order else "<", [], []
        for word in words:
            if word is None:
                code += "x"
                continue
            letter, native = _code(word, members)
            code += letter
            named.append((f"w{number}", word, native))
            own.append(f"w{number}")
            number += 1
        for field in members:
            texts[field] = _expression(field, named)
        formats.append(code)
        names.append(tuple(own))
    return Layout(tuple(formats), tuple(names), tuple(texts[f] for f in fields), cost)
