# SPDX-License-Identifier: Apache-2.0
"""Twenty seconds without satellites on a bending road: where we think we are, and how sure we say we are."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from smartcockpit.core.gnss import ubx
from smartcockpit.core.gnss.deadreckoning import Motion
from smartcockpit.core.gnss.fix import Dimension, Fix
from smartcockpit.core.gnss.geodesy import angle_between, between, moved
from smartcockpit.core.gnss.navigator import AGREEING, Limits, Navigator, Source
from smartcockpit.core.gnss.yaw import YawFilter
from smartcockpit_bench.car import route
from support.drive import Moment, Sensors, drive

UBX_5_HZ = {ubx.RATE_MEAS_MS: 200, ubx.OUT_PVT["USB"]: 1, ubx.OUT_NMEA["USB"]: 0, ubx.OUT_NMEA["UART1"]: 0}
TUNNEL_S = 150.0, 171.0
"""The demo drive's own tunnel: 130 km/h, braking, and the bend of the exit."""
WINDING_S = 78.0, 98.0
"""The winding country road."""


def lost(start_s: float, end_s: float, **options: object) -> list[Moment]:
    """Return the drive from 5 s before to 15 s after a loss; the sky is open but for it."""
    moments = drive(end_s + 15, sky=lambda t: not start_s <= t < end_s, settings=UBX_5_HZ, **options)  # type: ignore[arg-type]
    return [m for m in moments if m.time_s >= start_s - 5]


@pytest.mark.parametrize(
    "sensors",
    [
        Sensors(),
        Sensors(yaw_bias_dps=1.5, speed_scale=1.03),
        Sensors(yaw_bias_dps=-2.0, speed_scale=0.97, yaw_scale=1.03),
        Sensors(yaw_noise_dps=0.6, yaw_scale=0.97),
    ],
    ids=["perfect", "bias and fast", "bias, slow, scale", "noise"],
)
@pytest.mark.parametrize("span", [TUNNEL_S, WINDING_S], ids=["tunnel", "winding"])
def test_after_20_s_the_error_is_below_50_m_and_below_what_is_claimed(
    span: tuple[float, float], sensors: Sensors
) -> None:
    moments = [m for m in lost(*span, sensors=sensors) if span[0] + 0.5 <= m.time_s < span[1]]
    assert {m.place.source for m in moments} == {Source.ESTIMATED}
    assert max(m.error_m for m in moments) < 50.0
    assert all(m.error_m <= m.place.error_m for m in moments)
    assert moments[-1].place.error_m > moments[0].place.error_m


def test_satellites_come_back_without_a_jump() -> None:
    moments = lost(*TUNNEL_S, sensors=Sensors(yaw_bias_dps=1.0, speed_scale=1.03))
    back = [m for m in moments if m.time_s >= TUNNEL_S[1]]
    assert back[-1].place.source is Source.SATELLITES
    for before, after in pairwise(back):
        here = (before.place.latitude_deg, before.place.longitude_deg)
        step = math.hypot(*between(here, (after.place.latitude_deg, after.place.longitude_deg)))
        assert step < 0.2 * before.speed_mps + 4.0, f"{step:.1f} m in 0.1 s at {before.time_s:.1f} s"
        assert after.error_m < after.place.error_m * 3.0
    assert back[-1].error_m < 6.0


@pytest.mark.parametrize("gap", [(0.0, 999.0), (155.0, 999.0)], ids=["no CAN at all", "CAN goes as well"])
def test_without_the_cars_motion_the_position_is_stale_then_lost(gap: tuple[float, float]) -> None:
    limits = Limits(lost_after_ns=8_000_000_000)
    moments = lost(*TUNNEL_S, can=lambda t: not gap[0] <= t < gap[1], navigator=Navigator(limits))
    sources = [m.place.source for m in moments if m.time_s > max(TUNNEL_S[0], gap[0]) + 1]
    assert sources[0] is Source.STALE
    assert Source.LOST in sources
    assert Source.ESTIMATED not in sources
    assert sources[-1] is Source.SATELLITES


def test_an_estimate_ends_when_it_may_be_wrong_by_too_much() -> None:
    moments = lost(*TUNNEL_S, navigator=Navigator(Limits(estimate_error_m=15.0)))
    sources = [m.place.source for m in moments if TUNNEL_S[0] + 1 < m.time_s < TUNNEL_S[1]]
    assert sources[0] is Source.ESTIMATED
    assert Source.STALE in sources
    assert sources[-1] in (Source.STALE, Source.LOST)


def test_the_demo_drive_has_a_tunnel_of_20_s_with_a_bend() -> None:
    dark = [t / 10 for t in range(int(route.LOOP_S * 10)) if route.TUNNEL.at(t / 10)]
    assert dark[-1] - dark[0] >= 20.0
    assert any(abs(route.CURVATURE_PER_M.at(t)) >= 1 / 130 for t in dark)


# ---- the navigator by itself ---------------------------------------------------------------------------


def fix(
    at_s: float, north_m: float = 0.0, speed_mps: float = 0.0, error_m: float = 2.0, **more: object
) -> Fix:
    latitude, longitude = moved(48.4, 10.0, north_m, 0.0)
    return Fix(
        int(at_s * 1e9), 0, Dimension.THREE_D, latitude_deg=latitude, longitude_deg=longitude,
        horizontal_error_m=error_m, speed_mps=speed_mps, course_deg=0.0, **more,
    )  # type: ignore[arg-type]  # fmt: skip


def test_a_jump_is_refused_and_counted_until_several_fixes_agree() -> None:
    navigator = Navigator()
    for i in range(5):
        navigator.take_fix(fix(i * 0.2), int(i * 0.2e9))
    places = [
        navigator.take_fix(fix(1 + i * 0.2, 5000.0), int((1 + i * 0.2) * 1e9)) for i in range(AGREEING + 1)
    ]
    assert navigator.jumps == AGREEING - 1
    assert abs(between((48.4, 10.0), (places[0].latitude_deg, places[0].longitude_deg))[0]) < 1
    assert between((48.4, 10.0), (places[-1].latitude_deg, places[-1].longitude_deg))[0] > 4999
    assert places[-1].source is Source.SATELLITES


def test_two_receivers_far_apart_on_one_line_do_not_tear_the_position() -> None:
    navigator = Navigator()
    seen = set()
    for i in range(60):
        place = navigator.take_fix(fix(i * 0.1, 100_000.0 * (i % 2)), int(i * 0.1e9))
        seen.add(round(place.latitude_deg, 1))
    assert seen == {48.4}
    assert navigator.jumps > 20


def test_heading_means_something_from_1_5_m_s_on_and_holds_down_to_0_7() -> None:
    navigator = Navigator()
    holds = []
    for i, speed in enumerate((0.5, 1.0, 2.0, 1.0, 0.8, 0.5, 1.0)):
        holds.append(navigator.take_fix(fix(float(i), speed_mps=speed), i * 10**9).course_holds)
    assert holds == [False, False, True, True, True, False, False]
    assert navigator.place.course_deg == 0.0


def test_a_course_that_is_not_sure_means_nothing() -> None:
    place = Navigator().take_fix(fix(0.0, speed_mps=3.0, course_error_deg=90.0), 0)
    assert (place.course_deg, place.course_holds) == (None, False)


def test_a_parked_car_stays_where_it_is_without_satellites() -> None:
    navigator = Navigator()
    navigator.take_motion(Motion(0.0, 0.0), 0)
    navigator.take_fix(fix(0.1), 10**8)
    place = navigator.take_fix(Fix(60 * 10**9, 0), 60 * 10**9)
    assert (place.source, place.error_m) == (Source.ESTIMATED, 4.0)


def test_a_receiver_that_is_unplugged_leaves_no_position_when_the_car_says_nothing() -> None:
    navigator = Navigator()
    navigator.take_fix(fix(0.0), 0)
    assert navigator.gone(10**8).source is Source.LOST
    assert navigator.take_fix(fix(1.0), 10**9).source is Source.SATELLITES


def test_the_receivers_own_dead_reckoning_counts_as_estimated() -> None:
    assert Navigator().take_fix(fix(0.0, by_motion=True), 0).source is Source.ESTIMATED


@pytest.mark.parametrize("bias", [-2.0, 0.5])
def test_standing_shows_the_bias_of_the_yaw_rate(bias: float) -> None:
    yaw = YawFilter()
    for _ in range(200):
        yaw.predict(bias, 0.02)
        yaw.standstill(bias)
    assert yaw.bias_dps == pytest.approx(bias, abs=0.05)


def test_the_filter_believes_a_receiver_that_contradicts_it_for_long() -> None:
    yaw = YawFilter()
    for heading in [10.0] * 50 + [200.0] * 60:
        yaw.predict(0.0, 0.1)
        yaw.course(heading, 1.0, 0.0)
    assert abs(angle_between(yaw.heading_deg, 200.0)) < 2.0


def test_a_month_of_driving_leaves_the_filter_sound() -> None:
    yaw = YawFilter()
    for i in range(100_000):
        yaw.predict(5.0 * math.sin(i / 50), 1.0)
        yaw.course(yaw.heading_deg, 0.5, 0.0)
        if i % 3 == 0:
            yaw.standstill(0.1)
    assert 0.0 < yaw.heading_error_deg < 10.0
    assert 0.0 < yaw.bias_error_dps < 2.0
