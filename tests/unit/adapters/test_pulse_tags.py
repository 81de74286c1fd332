# SPDX-License-Identifier: Apache-2.0
"""Tagstructs: what we write is read back, and no bytes do more than raise `ValueError`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.adapters import pulse_tags as tags
from smartcockpit.adapters.pulse_server import _devices, _streams

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))
U32 = st.integers(0, 0xFFFF_FFFF)


@given(
    U32, TEXT | st.none(), st.booleans(), st.lists(U32, max_size=32), st.dictionaries(TEXT, TEXT, max_size=5),
    st.binary(), st.builds(tags.SampleSpec, st.integers(0, 255), st.integers(0, 255), U32),
    st.lists(st.integers(0, 50), max_size=32),
)  # fmt: skip
def test_values_come_back(
    number: int, text: str | None, truth: bool, volumes: list[int], properties: dict[str, str],
    data: bytes, spec: tags.SampleSpec, positions: list[int],
) -> None:  # fmt: skip
    packed = [
        tags.u32(number), tags.string(text), tags.boolean(truth), tags.volumes(volumes),
        tags.proplist(properties), tags.arbitrary(data), tags.sample_spec(spec), tags.channel_map(positions),
    ]  # fmt: skip
    assert tags.decode(b"".join(packed)) == [
        number, text, truth, tuple(volumes), properties, data, spec, tuple(positions)
    ]  # fmt: skip


def test_nul_cannot_be_smuggled_into_a_string() -> None:
    assert tags.decode(tags.string("a\0b")) == ["ab"]
    assert tags.decode(tags.proplist({"k": "a\0b"})) == [{"k": "ab"}]


@given(st.binary(max_size=200))
def test_any_bytes_give_values_or_a_value_error(data: bytes) -> None:
    try:
        values = tags.decode(data)
    except ValueError:
        return
    assert len(values) <= len(data)


VALUES = st.lists(
    st.one_of(U32, TEXT, st.none(), st.booleans(), st.just(()), st.just({}), st.just(tags.SampleSpec(3, 2, 1)),
              st.tuples(U32, U32)),
    max_size=60,
)  # fmt: skip


@given(VALUES)
def test_lists_in_a_reply_that_is_none_give_what_can_be_read(values: list[object]) -> None:
    assert isinstance(_devices(values), list)
    assert isinstance(_streams(values), list)


@pytest.mark.parametrize("bytes_", [b"v\x21" + bytes(200), b"x\xff\xff\xff\xff", b"t no end", b"Z", b"fBxP"])
def test_malformed_values_are_refused(bytes_: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - several kinds of wrong
        tags.decode(bytes_)
