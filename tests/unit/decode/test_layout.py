# SPDX-License-Identifier: Apache-2.0
"""The cheapest layout still reads every bit where the DBC says that it is, overlapping signals included."""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from smartcockpit.core.layout import BitField, plan_layout

FLOAT_CODES = {16: "<He", 32: "<If", 64: "<Qd"}


def as_float(bits: int, size: int) -> float:
    code = FLOAT_CODES[size]
    return float(struct.unpack(f"<{code[2]}", struct.pack(f"<{code[1]}", bits))[0])


def bit_by_bit(field: BitField, data: bytes) -> Any:
    """The definition of a DBC signal, one bit after the other."""
    value, position = 0, field.start
    for k in range(field.length):
        bit = data[position // 8] >> position % 8 & 1
        if field.big_endian:
            value = value << 1 | bit
            position = position - 1 if position % 8 else position + 15
        else:
            value |= bit << k
            position += 1
    if field.is_float:
        return as_float(value, field.length)
    return value - (1 << field.length) if field.signed and value >> (field.length - 1) else value


@st.composite
def fields(draw: st.DrawFn) -> BitField:
    is_float = draw(st.integers(0, 6)) == 0
    length = draw(st.sampled_from([16, 32, 64])) if is_float else draw(st.integers(1, 64))
    first, big = draw(st.integers(0, 128 - length)), draw(st.booleans())
    start = 8 * (first // 8) + 7 - first % 8 if big else first
    return BitField(start, length, big, not is_float and draw(st.booleans()), is_float)


@settings(max_examples=300, deadline=None)
@given(wanted=st.lists(fields(), min_size=1, max_size=8), data=st.binary(min_size=16, max_size=16))
def test_layout_reads_what_the_definition_says(wanted, data):
    layout = plan_layout(wanted)
    names: dict[str, Any] = {f"F{n}": lambda bits, n=n: as_float(bits, n) for n in (16, 32, 64)}
    for code, words in zip(layout.formats, layout.words, strict=True):
        names.update(zip(words, struct.unpack_from(code, data), strict=True))
    for field, text in zip(wanted, layout.raw, strict=True):
        assert repr(eval(text, dict(names))) == repr(bit_by_bit(field, data))


def test_aligned_signals_need_no_arithmetic():
    layout = plan_layout([BitField(0, 16), BitField(16, 8, signed=True), BitField(32, 32, is_float=True)])
    assert layout.formats == ("<Hbxf",)
    assert layout.raw == ("w0", "w1", "w2")
