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


def message(kind: int, attributes: bytes, *, flags: int = nl.IFF_UP, hardware: int = nl.ARPHRD_CAN) -> bytes:
    body = nl.LINK.pack(0, hardware, 7, flags, 0) + attributes
    return nl.HEADER.pack(16 + len(body), kind, 0, 1, 0) + body


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
    (link,) = nl.parse(message(nl.RTM_NEWLINK, CAN0))
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
    vcan0, can0 = nl.parse(data)
    assert (vcan0.name, vcan0.up, vcan0.state, vcan0.usable) == ("vcan0", False, None, False)
    assert (can0.name, can0.present, can0.usable) == ("can0", False, False)


@given(st.integers(0, len(message(nl.RTM_NEWLINK, CAN0))))
def test_a_message_cut_anywhere_is_no_error(length: int) -> None:
    list(nl.parse(message(nl.RTM_NEWLINK, CAN0)[:length]))


@given(st.binary(max_size=300))
def test_any_attributes_are_no_error(attributes: bytes) -> None:
    assert len(list(nl.parse(message(nl.RTM_NEWLINK, attributes)))) == 1


@given(st.binary(max_size=300))
def test_any_bytes_are_no_error(data: bytes) -> None:
    list(nl.parse(data))


def test_the_kernel_answers() -> None:
    watcher = nl.LinkWatcher()
    watcher.request()
    assert isinstance(watcher.read(), list)
    watcher.close()


def test_restart_is_asked_for_by_a_file(tmp_path: Path) -> None:
    nl.restart_request(str(tmp_path / "restart"), "can0")
    nl.restart_request(str(tmp_path / "restart"), "can0")
    assert [p.name for p in (tmp_path / "restart").iterdir()] == ["can0"]
