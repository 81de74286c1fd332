# SPDX-License-Identifier: Apache-2.0
"""The host's end of the box's USB port: the usbredir stream, standard requests, and the CP2112 as its driver sees it."""

from __future__ import annotations

import itertools
import struct
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.daemons.power.settings import TimingSettings
from smartcockpit_bench.car import route
from smartcockpit_bench.car.state import REVERSE, CarState, Ignition
from smartcockpit_bench.places import ROOT
from smartcockpit_bench.usb import cp2112, redir
from smartcockpit_bench.usb.cp2112 import Cp2112
from smartcockpit_bench.usb.device import answer
from smartcockpit_bench.usb.feed import INPUTS, LIVE, OUTPUTS, Loom
from smartcockpit_bench.usb.redir import Capability, Control, Kind, Packet, Parser, ProtocolError

SHORT_IDS = redir.OURS & ~(1 << Capability.IDS_64_BITS)
packets = st.builds(
    Packet,
    st.sampled_from([k for k in Kind if k is not Kind.HELLO]),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=80),
)


def setup(request: int, value: int, length: int = 64, *, request_type: int = 0xA1) -> Control:
    return Control(0x80 if request_type & 0x80 else 0, request, request_type, 0, value, 0, length)


def get_report(chip: Cp2112, number: int, length: int = 64) -> bytes:
    return answer(chip, setup(cp2112.GET_REPORT, 0x300 | number, length), b"").data


def set_report(chip: Cp2112, *data: int) -> bool:
    """Return whether the chip took it."""
    control = setup(cp2112.SET_REPORT, 0x300 | data[0], len(data), request_type=0x21)
    return not answer(chip, control, bytes(data)).stalled


@given(st.lists(packets, max_size=6), st.booleans(), st.data())
def test_packets_survive_any_cutting_of_the_stream(
    sent: list[Packet], long_id: bool, data: st.DataObject
) -> None:
    stream = redir.hello(redir.OURS if long_id else SHORT_IDS)
    stream += b"".join(redir.pack(*packet, long_id=long_id) for packet in sent)
    parser, found = Parser(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += parser.feed(stream[:size])
        stream = stream[size:]
    assert [packet.kind for packet in found[:1]] == [Kind.HELLO]
    assert found[1:] == sent


@given(st.binary(max_size=300))
def test_garbage_is_refused_or_waited_for_but_breaks_nothing(stream: bytes) -> None:
    parser = Parser()
    try:
        for packet in parser.feed(stream):
            redir.read_control(packet.body)
            redir.read_interrupt(packet.body)
    except ProtocolError:
        pass


def test_a_packet_of_gigabytes_ends_the_stream_before_it_is_kept() -> None:
    with pytest.raises(ProtocolError):
        list(Parser().feed(struct.pack("<III", Kind.CONTROL_PACKET, 1 << 30, 0)))


@given(st.builds(Control, *[st.integers(0, 255)] * 4, *[st.integers(0, 0xFFFF)] * 3), st.binary(max_size=64))
def test_any_control_transfer_has_an_answer_no_longer_than_asked_for(control: Control, data: bytes) -> None:
    found = answer(Cp2112(), control, data)
    assert len(found.data) <= control.length
    assert not (found.stalled and found.data)


@given(st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=64)), max_size=5))
def test_any_interrupt_report_is_outlived(reports: list[tuple[int, bytes]]) -> None:
    chip = Cp2112()
    assert all(len(sent) == 64 for endpoint, data in reports for sent in chip.interrupt(endpoint, data))


def test_descriptors_name_the_chip_and_their_own_lengths() -> None:
    chip = Cp2112()
    device = answer(chip, setup(6, 0x0100, request_type=0x80), b"").data
    assert struct.unpack_from("<HHH", device, 8) == (0x10C4, 0xEA90, 0x0100)
    whole = answer(chip, setup(6, 0x0200, 512, request_type=0x80), b"").data
    assert struct.unpack_from("<H", whole, 2) == (len(whole),)
    report = answer(chip, setup(6, 0x2200, 4096, request_type=0x81), b"").data
    assert struct.unpack_from("<H", whole, 9 + 9 + 7) == (len(report),)
    assert answer(chip, setup(6, 0x0600, request_type=0x80), b"").stalled, (
        "a full-speed device has no qualifier"
    )


def test_reports_have_the_lengths_that_the_driver_insists_on() -> None:
    chip = Cp2112()
    lengths = {
        cp2112.VERSION: 3,
        cp2112.SMBUS_CONFIG: 14,
        cp2112.LOCK: 2,
        cp2112.GPIO_GET: 2,
        cp2112.GPIO_CONFIG: 5,
    }
    assert {number: len(get_report(chip, number)) for number in lengths} == lengths


@given(
    st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.integers(0, 255), st.integers(0, 255)
)
def test_a_pin_shows_what_chip_and_board_make_of_it(
    outputs: int, push_pull: int, board: int, values: int, mask: int
) -> None:
    chip = Cp2112()
    assert set_report(chip, cp2112.GPIO_CONFIG, outputs, push_pull, 0, 0)
    assert set_report(chip, cp2112.GPIO_SET, values, mask)
    for line in range(cp2112.LINES):
        chip.drive(line, bool(board >> line & 1))
        external = bool(board >> line & 1)
        latch = bool(values >> line & 1) if mask >> line & 1 else True
        if not outputs >> line & 1:
            expected = external
        elif push_pull >> line & 1:
            expected = latch
        else:
            expected = latch and external
        assert chip.level(line) is expected
        assert chip.is_output(line) is bool(outputs >> line & 1)
    seen = get_report(chip, cp2112.GPIO_GET)[1]
    assert seen == sum(chip.level(line) << line for line in range(cp2112.LINES))


def test_an_input_keeps_no_value_that_was_written_to_it() -> None:
    chip = Cp2112()
    set_report(chip, cp2112.GPIO_SET, 0x00, 0xFF)
    set_report(chip, cp2112.GPIO_CONFIG, 0xFF, 0xFF, 0, 0)
    assert [chip.level(line) for line in range(8)] == [True] * 8


def test_power_on_makes_every_line_an_input_and_the_board_keeps_driving() -> None:
    chip = Cp2112()
    chip.drive(3, False)
    set_report(chip, cp2112.GPIO_CONFIG, 0xFF, 0xFF, 0, 0)
    chip.reset()
    assert get_report(chip, cp2112.GPIO_CONFIG)[1] == 0
    assert not chip.level(3)


def test_memory_is_locked_and_short_reports_are_refused() -> None:
    chip = Cp2112()
    assert get_report(chip, cp2112.LOCK)[1] == 0
    assert not set_report(chip, cp2112.GPIO_CONFIG, 1)
    assert not set_report(chip, 0x7F, 1, 2, 3)


def test_an_smbus_transfer_ends_with_nobody_at_that_address() -> None:
    sent = Cp2112().interrupt(cp2112.OUT, bytes([cp2112.STATUS_REQUEST, 1]))
    assert sent[0][:3] == bytes([cp2112.STATUS_RESPONSE, 3, 0])


def test_loom_follows_the_car_and_the_lamps_hang_on_the_ignition() -> None:
    loom, state = Loom(), CarState()
    loom.follow(state)
    assert [loom.chip.level(line) for line in (0, 1)] == [True, True], "off lets the pull-ups win"
    state.controls.ignition, state.powertrain.selector = Ignition.ACC, REVERSE
    loom.follow(state)
    assert [loom.chip.level(line) for line in (0, 1)] == [False, False]
    state.controls.ignition = Ignition.OFF
    loom.follow(state)
    assert [loom.chip.level(line) for line in (0, 1)] == [True, True]


def test_box_and_loom_agree_on_the_lines() -> None:
    box = tomllib.loads((ROOT / "bench/rootfs/common/usr/share/smartcockpit/power.d/50-box.toml").read_text())
    assert {name: line["line"] for name, line in box["inputs"].items()} == INPUTS
    assert {name: line["line"] for name, line in box["outputs"].items()} == OUTPUTS
    assert all(line["active"] == "low" for line in box["inputs"].values())


def test_the_demo_drive_parks_for_less_than_the_linger() -> None:
    live = [route.IGNITION.at(t / 10) in LIVE for t in range(int(route.LOOP_S * 10))] * 2
    longest = max(len(list(same)) for on, same in itertools.groupby(live) if not on)
    assert longest / 10 < TimingSettings().leave_s
