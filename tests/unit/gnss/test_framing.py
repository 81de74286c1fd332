# SPDX-License-Identifier: Apache-2.0
"""Whatever bytes come in whatever pieces: what is whole is found, all else is counted, nothing is kept for ever."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartcockpit.core.gnss.framing import MAX_FRAME, PATIENCE_NS, Framer, Tally, fletcher, is_frame, xor
from smartcockpit_bench.gnss import ubx
from support.nmea import gga, rmc, sentence

PVT = ubx.frame(0x01, 0x07, bytes(92))


def feed(*pieces: bytes, step_ns: int = 1_000_000) -> tuple[list[bytes], Tally]:
    tally = Tally()
    framer = Framer(tally)
    found = [whole for i, piece in enumerate(pieces) for whole in framer.feed(piece, i * step_ns)]
    return found, tally


def test_sentences_and_frames_are_found_side_by_side() -> None:
    found, tally = feed(rmc() + PVT + gga())
    assert [is_frame(f) for f in found] == [False, True, False]
    assert found[0].startswith(b"GNRMC,")
    assert found[1][:2] == b"\x01\x07"
    assert (tally.sentences, tally.frames, tally.garbage_bytes) == (2, 1, 0)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_sentences_are_found_after_any_noise(noise: bytes) -> None:
    found, _ = feed(noise, *[rmc()] * (MAX_FRAME // len(rmc()) + 2))
    assert found[-1].startswith(b"GNRMC,")


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([rmc(), gga(), PVT, b"\0\0", b"$GP", b"\xb5b\x01\x07\xff\xff"]), max_size=12),
    st.data(),
)
def test_how_the_bytes_are_cut_does_not_matter(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[a:b] for a, b in pairwise([0, *cuts, len(stream)])]
    assert feed(*pieces, step_ns=1)[0] == feed(stream)[0]


@settings(deadline=None)
@given(st.lists(st.sampled_from([rmc(), gga(), PVT, b"xyz", b"$GP", b"\xb5b\x01\xff"]), max_size=12))
def test_every_byte_is_accounted_for(parts: list[bytes]) -> None:
    found, tally = feed(b"".join(parts))
    whole = sum(len(f) + 4 if is_frame(f) else len(f) + 6 for f in found)
    assert tally.bytes == sum(map(len, parts))
    assert whole + tally.garbage_bytes <= tally.bytes


@pytest.mark.parametrize(
    ("bad", "counter"),
    [
        (rmc().replace(b"A,48", b"A,49"), "checksum"),
        (b"$GPGLL,no star\r\n", "checksum"),
        (b"$GPGLL,no*XY\r\n", "checksum"),
        (b"$" + b"A" * 10_000 + b"\r\n", "too_long"),
        (b"$GNRMC,120000" + rmc(), "checksum"),
        (PVT[:-1] + b"\0", "checksum"),
        (b"\xb5b\x01\x07\xff\xff" + bytes(20), "too_long"),
        (sentence("123"), "malformed"),
        (ubx.frame(0x47, 0x00), "unknown"),
    ],
)
def test_what_is_wrong_is_counted_and_the_next_one_found(bad: bytes, counter: str) -> None:
    found, tally = feed(bad, gga())
    assert getattr(tally, counter) == 1, {n: getattr(tally, n) for n in tally.__slots__}
    assert found[-1].startswith(b"GNGGA")


def test_zero_bytes_between_sentences_are_garbage_and_no_more() -> None:
    found, tally = feed(bytes(1000) + rmc() + bytes(10) + gga())
    assert len(found) == 2
    assert tally.garbage_bytes == 1010


def test_a_frame_that_never_ends_is_given_up() -> None:
    tally = Tally()
    framer = Framer(tally)
    framer.feed(b"\xb5b\x01\x07\x00\x08", 0)
    assert framer.feed(rmc(), 1) == []
    assert len(framer.feed(gga(), PATIENCE_NS + 2)) == 2


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_checksums_are_those_of_the_standards(data: bytes) -> None:
    plain = 0
    first = second = 0
    for byte in data:
        plain ^= byte
        first = (first + byte) & 0xFF
        second = (second + first) & 0xFF
    assert xor(data) == plain
    assert fletcher(data) == bytes((first, second))
