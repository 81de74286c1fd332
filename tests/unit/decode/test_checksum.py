# SPDX-License-Identifier: Apache-2.0
"""Checksums have their published check values, and a sealed payload is the one that matches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.core.checksum import ALGORITHMS, WIDTH_BITS, Checksum, Counter, algorithm

CHECK_VALUES = {
    "crc8-sae-j1850": 0x4B,
    "crc8-h2f": 0xDF,
    "crc16-ccitt-false": 0x29B1,
    "sum8": 0xDD,
    "xor8": 0x31,
}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_check_value(name):
    assert algorithm(name)(b"123456789") == CHECK_VALUES[name]


@pytest.mark.parametrize("name", ALGORITHMS)
@given(
    payload=st.binary(min_size=8, max_size=8), at=st.integers(0, 6), big=st.booleans(), bit=st.integers(0, 63)
)
def test_only_the_sealed_payload_matches(name, payload, at, big, bit):
    guard = Checksum(name, at, 8, (1, 2), big)
    sealed = guard.seal(payload)
    assert guard.matches(sealed)
    assert len(sealed) == 8
    assert (
        sealed[:at] + sealed[at + WIDTH_BITS[name] // 8 :]
        == payload[:at] + payload[at + WIDTH_BITS[name] // 8 :]
    )
    flipped = bytearray(sealed)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not guard.matches(bytes(flipped))


def test_data_id_tells_messages_apart():
    assert Checksum("crc8-sae-j1850", 7, 8, (1,)).compute(bytes(8)) != Checksum(
        "crc8-sae-j1850", 7, 8, (2,)
    ).compute(bytes(8))


def test_counter_wraps_at_its_modulus():
    assert [Counter(15).next(13), Counter(15).next(14), Counter(16, 2).next(15)] == [14, 0, 1]
