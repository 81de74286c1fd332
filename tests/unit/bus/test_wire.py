# SPDX-License-Identifier: Apache-2.0
"""What we pack by template is, byte for byte, what dbus-next marshals."""

from __future__ import annotations

import pytest
from dbus_next import Message, MessageType, Variant
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.bus.codec import unpack
from smartcockpit.bus.wire import SIGNATURES, ChangedTemplate, ElementPacker
from smartcockpit.core.signals import INTEGER_LIMITS, Datatype, SignalQuality, SignalSpec, Update, Value

OBJECT, INTERFACE = "/org/smartcockpit/Signals1", "org.smartcockpit.Signals1"
TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=20)
NAME = st.from_regex(r"[A-Z][A-Za-z0-9]{0,12}", fullmatch=True)


def values_of(datatype: Datatype) -> st.SearchStrategy[Value]:
    if datatype is Datatype.BOOLEAN:
        return st.booleans()
    if datatype is Datatype.STRING:
        return TEXT
    if datatype is Datatype.STRING_ARRAY:
        return st.lists(TEXT, max_size=5)
    if datatype in INTEGER_LIMITS:
        low, high = INTEGER_LIMITS[datatype]
        return st.integers(low, high)
    return st.floats(allow_nan=False)


@st.composite
def branches(draw: st.DrawFn) -> tuple[list[SignalSpec], list[Update]]:
    branch = ".".join(["Vehicle", *draw(st.lists(NAME, max_size=3))])
    leaves = draw(st.lists(st.tuples(NAME, st.sampled_from(Datatype)), min_size=1, max_size=6))
    specs = [SignalSpec(f"{branch}.{leaf}", datatype) for leaf, datatype in leaves]
    chosen = draw(st.lists(st.integers(0, len(specs) - 1), max_size=8))
    updates: list[Update] = [
        (i, draw(values_of(specs[i].datatype)), draw(st.integers(0, 3)), draw(st.integers(0, 2**63)))
        for i in chosen
    ]
    return specs, updates


def by_dbus_next(specs: list[SignalSpec], updates: list[Update], serial: int) -> bytes:
    rows = [[specs[i].path, Variant(SIGNATURES[specs[i].datatype], v), q, t] for i, v, q, t in updates]
    message = Message(
        path=OBJECT,
        interface=INTERFACE,
        member="Changed",
        message_type=MessageType.SIGNAL,
        signature="sa(svyt)",
        body=[specs[0].branch, rows],
        serial=serial,
    )
    return bytes(message._marshall())


@given(branches(), st.integers(1, 2**32 - 1))
def test_changed_is_byte_exact_with_dbus_next(
    branch: tuple[list[SignalSpec], list[Update]], serial: int
) -> None:
    specs, updates = branch
    template = ChangedTemplate(OBJECT, INTERFACE, specs[0].branch)
    elements = b"".join(ElementPacker(tuple(specs)).pack(updates))
    assert template.pack(serial, elements) == by_dbus_next(specs, updates, serial)


@pytest.mark.parametrize("datatype", Datatype)
def test_every_datatype_has_a_zero_that_can_be_sent(datatype: Datatype) -> None:
    spec = SignalSpec("Vehicle.X", datatype)
    packer = ElementPacker((spec,))
    packer.pack([(0, datatype.zero, 0, 0)])
    assert packer.misfits == {}


@pytest.mark.parametrize(
    ("datatype", "value"),
    [
        (Datatype.UINT8, 300),
        (Datatype.UINT8, "four"),
        (Datatype.FLOAT, "fast"),
        (Datatype.STRING, 5),
        (Datatype.STRING_ARRAY, 7),
        (Datatype.INT64, 1.5),
    ],
)
def test_a_value_that_does_not_fit_is_sent_as_invalid_and_harms_no_other(
    datatype: Datatype, value: Value
) -> None:
    specs = (SignalSpec("Vehicle.Bad", datatype), SignalSpec("Vehicle.Good", Datatype.DOUBLE))
    packer = ElementPacker(specs)
    elements = b"".join(packer.pack([(0, value, 3, 1), (1, 2.5, 3, 1)]))
    bad, good = unpack("a(svyt)", len(elements).to_bytes(4, "little") + bytes(4) + elements)[0]
    assert (bad[1].value, bad[2]) == (datatype.zero, SignalQuality.INVALID)
    assert (good[1].value, good[2]) == (2.5, SignalQuality.VALID)
    assert packer.misfits == {"Vehicle.Bad": 1}


@pytest.mark.parametrize("text", ["a\0b", "\ud800"])
def test_text_that_the_bus_would_disconnect_us_for_is_repaired(text: str) -> None:
    packer = ElementPacker((SignalSpec("Vehicle.Text", Datatype.STRING),))
    elements = b"".join(packer.pack([(0, text, 3, 1)]))
    row = unpack("a(svyt)", len(elements).to_bytes(4, "little") + bytes(4) + elements)[0][0]
    assert "\0" not in row[1].value
