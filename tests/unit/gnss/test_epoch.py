# SPDX-License-Identifier: Apache-2.0
"""Sentences of one epoch become one fix, as early as can be; dates are put right; what cannot be is refused."""

from __future__ import annotations

import calendar
import itertools
from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartcockpit.core.gnss import dates
from smartcockpit.core.gnss.fix import Constellation, Dimension, Fix
from smartcockpit.core.gnss.receiver import Receiver
from smartcockpit.core.gnss.timing import TimeSource
from smartcockpit_bench.car.state import CarState
from smartcockpit_bench.gnss.receiver import SimulatedReceiver
from support.nmea import gga, rmc, sentence

FLOOR_US = 1_750_000_000_000_000
NOON_US = 1_772_366_400_000_000
"""2026-03-01 12:00:00."""
WEEK_US = 7 * 86_400_000_000
GSA = "GNGSA,A,3,01,02,03,04,05,06,,,,,,,1.5,0.9,1.2,1"
GST = "GNGST,{},1.0,,,,3.0,4.0,6.0"


def feed(parts: Iterable[bytes], receiver: Receiver | None = None) -> list[Fix]:
    receiver = receiver or Receiver(FLOOR_US)
    return [fix for i, part in enumerate(parts) for fix in receiver.feed(part, i * 10**8, NOON_US)]


def test_the_first_epoch_is_told_when_the_line_falls_silent() -> None:
    receiver = Receiver(FLOOR_US)
    assert feed([rmc() + gga()], receiver) == []
    (fix,) = receiver.quiet()
    assert (fix.latitude_deg, fix.longitude_deg) == (pytest.approx(48.3984), pytest.approx(9.9916))
    assert (fix.altitude_m, fix.sea_level_m) == (525.0, 478.0)
    assert (fix.speed_mps, fix.course_deg) == (pytest.approx(10.0, abs=0.001), 90.0)
    assert (fix.utc_us, fix.satellites_used, fix.horizontal_error_m) == (NOON_US, 10, pytest.approx(3.6))
    assert receiver.quiet() == []


@pytest.mark.parametrize("order", list(itertools.permutations([0, 1, 2])))
def test_later_epochs_are_told_with_their_last_sentence_whatever_the_order(order: tuple[int, ...]) -> None:
    receiver = Receiver(FLOOR_US)
    for second in range(4):
        time = f"12000{second}.00"
        parts = [rmc(time), gga(time), sentence(GST.format(time))]
        told = [len(receiver.feed(parts[i], second * 10**9 + k, NOON_US)) for k, i in enumerate(order)]
        assert told == {0: [0, 0, 0], 1: [1, 0, 1]}.get(second, [0, 0, 1])


def test_a_lost_sentence_delays_its_epoch_only() -> None:
    receiver = Receiver(FLOOR_US)
    for second in range(3):
        feed([rmc(f"12000{second}.00") + gga(f"12000{second}.00")], receiver)
    assert feed([rmc("120003.00")], receiver) == []
    (late, now) = feed([rmc("120004.00") + gga("120004.00")], receiver)
    assert (late.utc_us, now.utc_us) == (NOON_US + 3_000_000, NOON_US + 4_000_000)
    assert late.altitude_m is None


def test_gst_is_believed_more_than_the_dilution_and_gsa_gives_the_dimension() -> None:
    receiver = Receiver(FLOOR_US)
    feed([sentence(GSA) + rmc() + gga() + sentence(GST.format("120000.00"))], receiver)
    (fix,) = receiver.quiet()
    assert (fix.horizontal_error_m, fix.vertical_error_m, fix.pdop) == (5.0, 6.0, 1.5)
    assert fix.dimension is Dimension.THREE_D


def test_no_fix_wins_when_sentences_disagree() -> None:
    receiver = Receiver(FLOOR_US)
    feed([rmc() + sentence("GNGGA,120000.00,,,,,0,00,99.99,,,,,,")], receiver)
    assert not receiver.quiet()[0].has_position


def test_midnight_passes_before_the_new_date_comes() -> None:
    receiver = Receiver(FLOOR_US)
    feed([rmc("235959.80", date="010326") + gga("235959.80")], receiver)
    feed([gga("000000.00")], receiver)
    (fix,) = receiver.quiet()
    assert dates.iso8601(fix.utc_us) == "2026-03-02T00:00:00.000Z"


@settings(deadline=None)
@given(st.integers(0, 4_000_000_000), st.integers(-4, 4))
def test_a_date_is_moved_by_roll_overs_to_after_the_floor(utc_s: int, turns: int) -> None:
    true_us = FLOOR_US + utc_s % (dates.ROLL_OVER_WEEKS * dates.WEEK_S - 1) * 1_000_000
    wrong_us = true_us + turns * dates.ROLL_OVER_WEEKS * WEEK_US
    assert dates.correct(wrong_us, FLOOR_US) in (
        dates.Corrected(true_us, -turns * dates.ROLL_OVER_WEEKS),
        # the day before the floor belongs to the window, the last day after it does not
        dates.Corrected(true_us - 1024 * WEEK_US, (-turns - 1) * dates.ROLL_OVER_WEEKS),
    )


@settings(deadline=None)
@given(st.dates(date(1970, 1, 1), date(2999, 12, 31)))
def test_days_are_those_of_the_calendar(day: date) -> None:
    expected = calendar.timegm((day.year, day.month, day.day, 0, 0, 0)) // 86_400
    assert dates.day_number(day.year, day.month, day.day) == expected


@pytest.mark.parametrize(
    ("year", "month", "day"), [(2026, 2, 29), (2100, 2, 29), (2026, 13, 1), (2026, 4, 31), (1, 1, 1)]
)
def test_days_that_no_calendar_has(year: int, month: int, day: int) -> None:
    assert dates.day_number(year, month, day) is None


@pytest.mark.parametrize("weeks", [1024, 2048, -1024])
def test_a_receiver_whose_week_rolled_over_is_put_right_and_counted(weeks: int) -> None:
    device, receiver = SimulatedReceiver(first_fix_s=0), Receiver(FLOOR_US)
    device.faults.weeks_behind = weeks
    receiver.feed(device.epoch(CarState(), NOON_US / 1e6), 0, NOON_US)
    (fix,) = receiver.quiet()
    assert (fix.utc_us, fix.corrected_weeks) == (NOON_US, weeks)
    assert receiver.tally.corrected_dates == 1


@pytest.mark.parametrize(
    ("zda", "expected"),
    [("06,01,1980", "2038-11-21T12:00:00.000Z"), ("06,01,2080", "2040-10-06"), ("01,03,2026", "2026-03-01T")],
)
def test_dates_of_1980_and_2080_end_up_where_time_can_be(zda: str, expected: str) -> None:
    receiver = Receiver(FLOOR_US)
    feed([sentence(f"GNZDA,120000.00,{zda},00,00") + gga()], receiver)
    assert dates.iso8601(receiver.quiet()[0].utc_us).startswith(expected)


def test_a_date_that_had_to_be_moved_far_sets_no_clock() -> None:
    far = Fix(10**9, NOON_US, Dimension.THREE_D, utc_us=FLOOR_US + 600 * WEEK_US, corrected_weeks=1024)
    assert TimeSource(FLOOR_US).offset_s(far) is None
    near = far._replace(utc_us=NOON_US + 250_000)
    assert TimeSource(FLOOR_US).offset_s(near) == 0.25
    assert TimeSource(FLOOR_US).offset_s(near._replace(dimension=Dimension.NONE)) is None


@pytest.mark.parametrize(
    ("place", "words"),
    [("9100.00000,N,00959.49600,E", "latitude 91"), ("4823.90400,N,18100.00000,E", "longitude 181"),
     ("0000.00000,N,00000.00000,E", "latitude and longitude 0")],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_counted(place: str, words: str) -> None:
    receiver = Receiver(FLOOR_US)
    feed([rmc(place=place) + gga(place=place)], receiver)
    assert receiver.quiet() == []
    assert (receiver.tally.implausible, receiver.last_wrong) == (1, words)


def test_ubx_wins_while_it_speaks_and_nmea_takes_over_when_it_does_not() -> None:
    device, receiver = SimulatedReceiver(first_fix_s=0), Receiver(FLOOR_US)
    car = CarState()
    device._settings[0x2091_0007] = 1  # NAV-PVT beside NMEA
    both = [
        fix
        for i in range(5)
        for fix in receiver.feed(device.epoch(car, NOON_US / 1e6 + i), i * 10**9, NOON_US)
    ]
    assert len(both) == 5
    assert {fix.speed_error_mps for fix in both} == {0.12}
    device.power_cycle()
    for i in range(5, 12):
        receiver.feed(device.epoch(car, NOON_US / 1e6 + i), i * 10**9, NOON_US)
    assert receiver.protocol(11 * 10**9) == "NMEA"
    assert receiver.quiet() or receiver.tally.fixes > 8


def test_satellites_of_all_constellations_with_use_and_strength() -> None:
    device, receiver = SimulatedReceiver(first_fix_s=0), Receiver(FLOOR_US)
    now_s = NOON_US / 1e6
    receiver.feed(device.epoch(CarState(), now_s), 0, NOON_US)
    truth = {(s.system, s.number): s for s in device.solve(CarState(), now_s).satellites}
    ids = {Constellation.GPS: 0, Constellation.GALILEO: 2, Constellation.BEIDOU: 3, Constellation.GLONASS: 6}
    seen = receiver.satellites(0)
    assert {(ids[s.constellation], s.number) for s in seen} == set(truth)
    for satellite in seen:
        true = truth[ids[satellite.constellation], satellite.number]
        assert satellite.elevation_deg == pytest.approx(true.elevation_deg, abs=0.51)
        assert satellite.cn0_dbhz == pytest.approx(true.cn0_dbhz, abs=0.51)
        assert satellite.used == true.used
    assert receiver.satellites(6 * 10**9) == ()


def test_the_rate_is_that_of_the_epochs() -> None:
    device, receiver = SimulatedReceiver(first_fix_s=0), Receiver(FLOOR_US)
    device._settings |= {0x3021_0001: 200}
    for i in range(20):
        receiver.feed(device.epoch(CarState(), NOON_US / 1e6 + i * 0.2), i * 200_000_000, NOON_US)
    assert receiver.rate_hz(20 * 200_000_000) == pytest.approx(5.0)
    assert receiver.rate_hz(60 * 10**9) == 0.0


MIX = st.lists(
    st.sampled_from([rmc(), gga(), rmc("120001.00"), gga("120001.00"), rmc("120000.00", "3300.00000,S,07000.00000,W"),
                     sentence("GPVTG,,T,,M,,N,,K,N"), sentence(GSA), sentence("GPGSV,3,1,12"), b"\0" * 7,
                     rmc(place="9100.00000,N,00000.00000,E"), b"$GNRMC,1200", sentence("GNZDA,120000.00,06,01,2080,00,00")]),
    max_size=30,
)  # fmt: skip


@settings(deadline=None)
@given(MIX)
def test_any_mixture_of_two_receivers_gives_fixes_that_can_be(parts: list[bytes]) -> None:
    receiver = Receiver(FLOOR_US)
    fixes = feed(parts, receiver) + receiver.quiet()
    for fix in fixes:
        assert -90 <= fix.latitude_deg <= 90
        assert fix.utc_us == 0 or FLOOR_US - 2 * 86_400_000_000 <= fix.utc_us < FLOOR_US + 1024 * WEEK_US
    assert receiver.tally.fixes == sum(fix.has_position for fix in fixes)


@settings(deadline=None)
@given(st.data())
def test_the_same_bytes_give_the_same_fixes_however_they_are_cut(data: st.DataObject) -> None:
    device = SimulatedReceiver(first_fix_s=0)
    stream = b"".join(device.epoch(CarState(), NOON_US / 1e6 + i) for i in range(3))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    pieces = [stream[a:b] for a, b in itertools.pairwise([0, *cuts, len(stream)])]

    def positions(parts: list[bytes]) -> list[tuple[float, float, int]]:
        receiver = Receiver(FLOOR_US)
        fixes = [fix for part in parts for fix in receiver.feed(part, 0, NOON_US)] + receiver.quiet()
        return [(fix.latitude_deg, fix.longitude_deg, fix.utc_us) for fix in fixes]

    assert positions(pieces) == positions([stream])
    assert len(positions([stream])) == 3
