# SPDX-License-Identifier: Apache-2.0
"""RTNETLINK messages: what they say of a CAN interface, and that no bytes can break us."""

from __future__ import annotations

import struct
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.adapters import can_netlink as nl
from smartcockpit.core.canbus import BusState


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)


def message(
    kind: int, attributes: bytes, *, flags: int = nl.IFF_UP, hardware: int = nl.ARPHRD_CAN,
    of_list: int = 0, torn: bool = False, number: int = 7,
) -> bytes:  # fmt: skip
    body = nl.LINK.pack(0, hardware, number, flags, 0) + attributes
    marks = (nl.NLM_F_MULTI if of_list else 0) | (nl.NLM_F_DUMP_INTR if torn else 0)
    return nl.HEADER.pack(16 + len(body), kind, marks, of_list, 0) + body


def there(name: str, of_list: int = 0, *, torn: bool = False, number: int = 7) -> bytes:
    named = attribute(nl.IFLA_IFNAME, name.encode() + b"\0")
    return message(nl.RTM_NEWLINK, named, of_list=of_list, torn=torn, number=number)


def gone(name: str) -> bytes:
    return message(nl.RTM_DELLINK, attribute(nl.IFLA_IFNAME, name.encode() + b"\0"))


def end(of_list: int) -> bytes:
    return nl.HEADER.pack(20, nl.NLMSG_DONE, nl.NLM_F_MULTI, of_list, 0) + bytes(4)


CAN_DATA = (
    attribute(nl.CAN_BITTIMING, struct.pack("=I", 500_000) + bytes(28))
    + attribute(nl.CAN_STATE, struct.pack("=I", 2))
    + attribute(nl.CAN_BERR_COUNTER, struct.pack("=HH", 130, 5))
    + attribute(nl.CAN_DATA_BITTIMING, struct.pack("=I", 2_000_000) + bytes(28))
)
INFO = attribute(nl.INFO_KIND, b"can\0") + attribute(nl.INFO_DATA | 0x8000, CAN_DATA)
CAN0 = (
    attribute(nl.IFLA_IFNAME, b"can0\0")
    + attribute(nl.IFLA_LINKINFO, INFO)
    + attribute(nl.IFLA_STATS64, struct.pack("=8Q", 10, 20, 80, 160, 0, 0, 3, 0))
)


def test_controller_state_bit_rates_and_counters_are_read() -> None:
    (link,) = nl.Roll().take(message(nl.RTM_NEWLINK, CAN0))
    assert link == nl.Link(
        name="can0", number=7, up=True, kind="can", state=BusState.ERROR_PASSIVE, bitrate=500_000,
        data_bitrate=2_000_000, tx_errors=130, rx_errors=5, rx_frames=10, tx_frames=20, rx_bytes=80, tx_bytes=160,
        dropped=3,
    )  # fmt: skip
    assert link.usable


def test_several_messages_a_datagram_and_other_hardware_is_skipped() -> None:
    data = (
        message(nl.RTM_NEWLINK, attribute(nl.IFLA_IFNAME, b"eth0\0"), hardware=1)
        + message(nl.RTM_NEWLINK, attribute(nl.IFLA_IFNAME, b"vcan0\0"), flags=0)
        + message(nl.RTM_DELLINK, CAN0)
        + nl.HEADER.pack(16, nl.NLMSG_DONE, 0, 1, 0)
    )
    vcan0, can0 = nl.Roll().take(data)
    assert (vcan0.name, vcan0.up, vcan0.state, vcan0.usable) == ("vcan0", False, None, False)
    assert (can0.name, can0.present, can0.usable) == ("can0", False, False)


@given(st.integers(0, len(message(nl.RTM_NEWLINK, CAN0))))
def test_a_message_cut_anywhere_is_no_error(length: int) -> None:
    nl.Roll().take(message(nl.RTM_NEWLINK, CAN0)[:length])


@given(st.binary(max_size=300))
def test_any_attributes_are_no_error(attributes: bytes) -> None:
    assert len(nl.Roll().take(message(nl.RTM_NEWLINK, attributes))) == 1


@given(st.binary(max_size=300))
def test_any_bytes_are_no_error(data: bytes) -> None:
    nl.Roll().take(data)


def news(roll: nl.Roll, *datagrams: bytes) -> list[tuple[str, bool]]:
    return [(link.name, link.present) for data in datagrams for link in roll.take(data)]


def test_interface_whose_removal_was_lost_in_an_overrun_is_told_as_gone() -> None:
    roll = nl.Roll()
    assert news(roll, there("can0", 1) + there("can1", 1), end(1)) == [("can0", True), ("can1", True)]
    assert news(roll, there("can0", 2), end(2)) == [("can0", True), ("can1", False)]
    assert news(roll, there("can0", 3), end(3)) == [("can0", True)]


def test_renamed_interface_is_told_as_gone() -> None:
    roll = nl.Roll()
    news(roll, there("can0", 1) + end(1), there("engine"))
    assert news(roll, there("engine", 2), end(2)) == [("engine", True), ("can0", False)]


def test_what_is_made_or_removed_while_a_list_is_read_is_not_told_wrong() -> None:
    roll = nl.Roll()
    news(roll, there("can0", 1) + there("can1", 1), end(1))
    while_read = (there("can0", 2), gone("can1"), there("can2"), there("can1", number=9), gone("can0"))
    assert news(roll, *while_read)[-1] == ("can0", False)
    assert news(roll, end(2)) == []
    assert news(roll, there("can1", 3), there("can2", 3), end(3)) == [("can1", True), ("can2", True)]


def test_torn_list_and_answer_to_a_refused_request_prove_no_absence() -> None:
    roll = nl.Roll()
    refused = nl.HEADER.pack(20, nl.NLMSG_ERROR, 0, 3, 0) + bytes(4)
    news(roll, there("can0", 1) + there("can1", 1), end(1))
    assert news(roll, there("can0", 2, torn=True), end(2)) == [("can0", True)]
    assert news(roll, there("can0", 4), refused, there("can1", 4), end(4)) == [("can0", True), ("can1", True)]


@given(st.lists(st.sampled_from([there("a"), gone("a"), there("a", 1), there("b", 2), end(1), end(2)])))
def test_an_interface_is_told_as_gone_only_after_it_was_there(datagrams: list[bytes]) -> None:
    roll, present = nl.Roll(), set()
    for data in datagrams:
        for link in roll.take(data):
            assert link.present or link.name in present or data == gone("a")
            (present.add if link.present else present.discard)(link.name)


def test_the_kernel_answers() -> None:
    watcher = nl.LinkWatcher()
    watcher.request()
    assert isinstance(watcher.read(), list)
    watcher.close()


def test_restart_is_asked_for_by_a_file(tmp_path: Path) -> None:
    nl.restart_request(str(tmp_path / "restart"), "can0")
    nl.restart_request(str(tmp_path / "restart"), "can0")
    assert [p.name for p in (tmp_path / "restart").iterdir()] == ["can0"]
