# SPDX-License-Identifier: Apache-2.0
"""Controller states, restarts with back-off, and bus load against the figures of ISO 11898-1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.bus.interfaces.canbridge1 import CanBusState
from smartcockpit.core.canbus import BackOff, BusMonitor, BusState, kernel_state, read_error_frame
from smartcockpit.core.canload import LoadMeter, classic_bits, fd_bits

S = 1_000_000_000


def test_states_are_the_words_of_the_interface() -> None:
    assert [s.value for s in BusState] == [s.value for s in CanBusState]


@pytest.mark.parametrize(
    ("can_id", "data", "state"),
    [
        (0x040, bytes(8), BusState.BUS_OFF),
        (0x004, b"\0\x04" + bytes(6), BusState.ERROR_WARNING),
        (0x004, b"\0\x08" + bytes(6), BusState.ERROR_WARNING),
        (0x004, b"\0\x20" + bytes(6), BusState.ERROR_PASSIVE),
        (0x004, b"\0\x30" + bytes(6), BusState.ERROR_PASSIVE),
        (0x004, b"\0\x40" + bytes(6), BusState.ERROR_ACTIVE),
        (0x100, bytes(8), BusState.ERROR_ACTIVE),
        (0x004, b"\0\x01" + bytes(6), None),
        (0x080, bytes(8), None),
        (0x004, b"", None),
    ],
)
def test_error_frames_tell_the_state(can_id: int, data: bytes, state: BusState | None) -> None:
    assert read_error_frame(0x2000_0000 | can_id, data).state is state


@given(st.integers(0, 2**32 - 1), st.binary(max_size=8))
def test_any_error_frame_is_taken(can_id: int, data: bytes) -> None:
    monitor = BusMonitor(0, "")
    monitor.became(BusState.ERROR_ACTIVE, 1)
    monitor.error_frame(can_id, data, 2)
    assert monitor.error_frames == 1


def test_monitor_counts_failures_and_recoveries() -> None:
    monitor = BusMonitor(1, "not looked yet")
    assert monitor.became(BusState.ERROR_ACTIVE, 2)
    assert not monitor.became(BusState.ERROR_ACTIVE, 3)
    assert (monitor.since_us, monitor.restarts, monitor.reason) == (2, 0, "")
    assert monitor.error_frame(0x240, bytes(6) + b"\xff\x07", 4)
    assert (monitor.state, monitor.bus_off_count, monitor.tx_errors, monitor.rx_errors) == (
        "bus-off",
        1,
        255,
        7,
    )
    assert monitor.became(BusState.ERROR_ACTIVE, 5)
    assert monitor.became(BusState.UNAVAILABLE, 6, "link is down")
    assert monitor.became(BusState.UNAVAILABLE, 7, "no interface")
    assert monitor.since_us == 6
    assert not monitor.error_frame(0x104, b"\0\x40" + bytes(6), 8), "a link that is down has no state"
    assert monitor.became(BusState.ERROR_ACTIVE, 9)
    assert monitor.restarts == 2


def test_kernel_states() -> None:
    assert kernel_state(3) is BusState.BUS_OFF
    assert kernel_state(4) is kernel_state(99) is BusState.UNAVAILABLE


def attempts(back_off: BackOff, begin_s: float, end_s: float) -> list[float]:
    steps = range(int(begin_s * 100), int(end_s * 100))
    return [t / 100 for t in steps if back_off.trouble(t * S // 100)]


def test_pauses_double_up_to_a_limit() -> None:
    assert attempts(BackOff(100, 1000), 0, 4) == [0.1, 0.3, 0.7, 1.5, 2.5, 3.5]


def test_short_calm_keeps_the_pause_and_long_calm_forgets_it() -> None:
    back_off = BackOff(100, 10_000, calm_ms=5000)
    assert attempts(back_off, 0, 0.5) == [0.1, 0.3]
    back_off.calm(1 * S)
    assert attempts(back_off, 1.5, 2.5) == [1.9]
    back_off.calm(3 * S)
    back_off.calm(6 * S)
    assert attempts(back_off, 8, 8.2) == [8.1]


@pytest.mark.parametrize(
    ("length", "extended", "bits"),
    [(8, False, (111, 135)), (8, True, (131, 160)), (1, False, (55, 65)), (0, False, (47, 55))],
)
def test_bits_of_classic_frames(length: int, extended: bool, bits: tuple[int, int]) -> None:
    assert classic_bits(length, extended=extended) == bits


@pytest.mark.parametrize(
    ("length", "nominal", "data", "most", "least"),
    [
        (64, 500, 2000, 2990, 2457),
        (64, 500, 5000, 5889, 4912),
        (64, 1000, 8000, 10139, 8421),
        (8, 500, 2000, 9259, 8032),
    ],
)
def test_fd_frames_a_second(length: int, nominal: int, data: int, most: int, least: int) -> None:
    arbitration, payload = fd_bits(length)
    rates = [1000 / (a / nominal + d / data) for a, d in zip(arbitration, payload, strict=True)]
    assert [round(r) for r in rates] == pytest.approx([most, least], abs=1)


def test_load_of_a_half_full_bus() -> None:
    meter = LoadMeter(500_000)
    assert meter.update(100, 800, 0) == 0.0
    assert meter.update(2132, 800 + 2032 * 8, S) == pytest.approx(50, abs=0.1)
    assert meter.update(10, 80, 2 * S) == 0.0, "counters went back"
    assert LoadMeter(0).update(1, 1, 1) == 0.0


def test_load_knows_fd_and_long_identifiers() -> None:
    fd, long = LoadMeter(500_000, 2_000_000), LoadMeter(500_000, 0, extended=1.0)
    for meter in (fd, long):
        meter.update(0, 0, 0)
    assert fd.update(1000, 64_000, S) == pytest.approx(37, abs=0.5)
    assert long.update(1000, 8000, S) == pytest.approx(29.1, abs=0.1)
