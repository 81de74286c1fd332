# SPDX-License-Identifier: Apache-2.0
"""The rate of the line is found by what makes sense, and a u-blox receiver is set up or left in peace."""

from __future__ import annotations

import pytest
from smartcockpit.core.gnss import ubx
from smartcockpit.core.gnss.baud import COMMON, DWELL_NS, LOST_NS, BaudSearch
from smartcockpit.core.gnss.configure import PATIENCE_NS, TRIES, Configurator, Setup, fitting_rate
from smartcockpit.core.gnss.framing import Framer, Tally
from smartcockpit_bench.gnss.receiver import SimulatedReceiver


@pytest.mark.parametrize("true_rate", COMMON)
def test_every_common_rate_is_found(true_rate: int) -> None:
    search, pieces, now_ns = BaudSearch(now_ns=0), 0, 0
    while not search.found:
        now_ns += 100_000_000
        if search.rate == true_rate and now_ns % 1_000_000_000 == 0:
            pieces += 8  # a receiver with one burst a second
        search.look(pieces, now_ns)
        assert now_ns < (len(COMMON) + 1) * DWELL_NS
    assert search.rate == true_rate


def test_a_single_right_checksum_may_be_chance() -> None:
    search = BaudSearch(now_ns=0)
    assert not search.look(1, 100)
    assert not search.found


def test_a_found_rate_is_doubted_after_silence_and_found_again() -> None:
    search = BaudSearch((9600, 4800), now_ns=0)
    search.look(5, 1)
    assert search.found
    assert not search.look(5, LOST_NS)
    assert search.look(5, 2 + LOST_NS)
    assert (search.found, search.rate) == (False, 4800)


def test_a_fixed_rate_stays() -> None:
    search = BaudSearch((38400,), now_ns=0)
    assert not search.look(0, 10 * DWELL_NS)
    assert search.rate == 38400


def test_pieces_of_an_earlier_line_are_no_evidence() -> None:
    search = BaudSearch(now_ns=0, pieces=500)
    search.look(500, 1)
    assert not search.found


@pytest.mark.parametrize(
    ("baud", "wanted", "rate"),
    [(4800, 5, 1), (9600, 10, 2), (38400, 10, 10), (115200, 5, 5), (19200, 10, 10)],
)
def test_the_rate_fits_the_line(baud: int, wanted: int, rate: int) -> None:
    assert fitting_rate(wanted, baud) == rate


def talk(setup: Configurator, device: SimulatedReceiver, seconds: int = 10) -> int:
    """Let the two talk; return how many bytes the receiver was sent."""
    framer, sent = Framer(Tally()), 0
    for step in range(seconds * 10):
        request = setup.step(step * 10**8)
        sent += len(request)
        for body in framer.feed(device.take(request), 0):
            setup.answer(body)
    return sent


def test_a_ublox_receiver_is_set_to_ubx_at_the_wanted_rate() -> None:
    device, setup = SimulatedReceiver(), Configurator(5, 38400, 0)
    talk(setup, device)
    assert (setup.state, device.period_s) == (Setup.DONE, 0.2)
    assert device._settings[ubx.OUT_NMEA["UART1"]] == 0
    assert device._settings[ubx.OUT_PVT["USB"]] == 1


def test_a_receiver_of_another_make_is_asked_twice_and_left_in_peace() -> None:
    setup = Configurator(5, 9600, 0)
    sent = talk(setup, SimulatedReceiver(is_ublox=False))
    assert (setup.state, setup.reason) == (Setup.LEFT, "no u-blox receiver")
    assert sent == TRIES * len(ubx.frame(ubx.MON_VER))


def test_a_refusal_ends_it() -> None:
    device, setup = SimulatedReceiver(), Configurator(5, 38400, 0)
    device.faults.refuse_settings = True
    talk(setup, device)
    assert (setup.state, setup.reason) == (Setup.LEFT, "it refuses CFG-VALSET")


def test_a_receiver_that_does_something_else_is_noticed() -> None:
    device, setup = SimulatedReceiver(), Configurator(5, 38400, 0)
    setup.state = Setup.CHECKING
    talk(setup, device)
    assert (setup.state, setup.reason) == (Setup.LEFT, "it says that it measures every 1000 ms")


def test_an_old_receiver_is_not_sent_what_it_does_not_know() -> None:
    setup = Configurator(5, 9600, 0)
    setup.step(0)
    setup.answer(b"\x0a\x04\0\0" + bytes(40) + b"PROTVER=18.00".ljust(30, b"\0"))
    assert setup.state is Setup.LEFT
    assert setup.step(PATIENCE_NS * 3) == b""


def test_no_rate_no_words() -> None:
    setup = Configurator(0, 9600, 0)
    assert (setup.step(10**12), setup.state) == (b"", Setup.OFF)


def test_a_receiver_that_forgot_its_settings_is_noticed_but_not_at_once() -> None:
    device, setup = SimulatedReceiver(), Configurator(5, 38400, 0)
    talk(setup, device)
    assert not setup.was_forgotten("UBX", 10 * 10**9)
    assert not setup.was_forgotten("NMEA", 11 * 10**9)
    assert not setup.was_forgotten("UBX", 12 * 10**9)
    assert not setup.was_forgotten("NMEA", 15 * 10**9)
    assert setup.was_forgotten("NMEA", 16 * 10**9)
