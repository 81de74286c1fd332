# SPDX-License-Identifier: Apache-2.0
"""The simulated car behaves like a car, and the same one every time."""

from __future__ import annotations

import copy
import math

import pytest
from smartcockpit_bench.car import route
from smartcockpit_bench.car.model import STEP_S, Car
from smartcockpit_bench.car.state import PARK, REVERSE, CarState, Ignition


@pytest.fixture(scope="module")
def drive() -> list[CarState]:
    """Return two loops of the demo drive, ten states a second."""
    car = Car(seed=7)
    return [copy.deepcopy(car.advance(i / 10)) for i in range(int(2 * route.LOOP_S * 10) + 1)]


def test_speed_is_never_negative_and_reaches_the_motorway(drive: list[CarState]) -> None:
    speeds = [s.motion.speed_kmh for s in drive]
    assert min(speeds) == 0.0
    assert 125 < max(speeds) < 135


def test_odometer_is_the_integral_of_the_speed() -> None:
    car, metres = Car(), 0.0
    start = before = car.state.motion.odometer_m
    last = 0.0
    for step in range(1, round(route.LOOP_S / STEP_S)):
        motion = car.advance(step * STEP_S).motion
        metres += (last + motion.speed_kmh) / 2 / 3.6 * STEP_S
        assert motion.odometer_m >= before
        last, before = motion.speed_kmh, motion.odometer_m
    assert before - start == pytest.approx(metres, rel=2e-3)
    assert 3000 < metres < 5000


def test_each_loop_ends_parked_locked_and_off(drive: list[CarState]) -> None:
    for end in (drive[int(route.LOOP_S * 10) - 1], drive[-1]):
        assert end.motion.speed_kmh == 0.0
        assert end.powertrain.selector == PARK
        assert not end.powertrain.running
        assert end.controls.ignition is Ignition.LOCK
        assert end.controls.locked
        assert not any(end.controls.doors)


def test_curve_agrees_in_yaw_rate_lateral_acceleration_and_steering(drive: list[CarState]) -> None:
    curves = [s.motion for s in drive if s.motion.speed_kmh > 20 and abs(s.motion.yaw_rate_dps) > 2]
    assert len(curves) > 100
    for motion in curves:
        expected = motion.speed_kmh / 3.6 * math.radians(motion.yaw_rate_dps)
        assert motion.lateral_mps2 == pytest.approx(expected, abs=1e-6)
        assert motion.steering_deg * motion.yaw_rate_dps > 0
        assert abs(motion.lateral_mps2) < 4.5


def test_doors_open_only_at_a_standstill_and_belts_are_on_when_moving(drive: list[CarState]) -> None:
    for state in drive:
        if state.motion.speed_kmh > 0:
            assert not any(state.controls.doors)
            assert state.controls.belted
            assert not state.controls.parking_brake


def test_brake_pedal_slows_the_car_and_reverse_lights_go_with_the_gear(drive: list[CarState]) -> None:
    hard = [s for s in drive if s.controls.brake_percent > 30 and s.motion.speed_kmh > 5]
    assert hard
    assert all(s.motion.acceleration_mps2 < -1 for s in hard)
    assert any(s.powertrain.selector == REVERSE and s.motion.speed_kmh > 3 for s in drive)


def test_gears_engine_speed_and_temperatures_are_plausible(drive: list[CarState]) -> None:
    assert {s.powertrain.gear for s in drive} == {-1, 0, 1, 2, 3, 4, 5, 6}
    assert all(0 <= s.powertrain.engine_rpm < 4500 for s in drive)
    assert all(s.powertrain.torque_nm < 330 for s in drive)
    coolant = [s.powertrain.coolant_c for s in drive]
    assert coolant[0] < 25
    assert 85 < max(coolant) < 95
    assert drive[-1].powertrain.fuel_l < drive[0].powertrain.fuel_l
    assert all(9.5 < s.powertrain.voltage_v < 14.6 for s in drive)
    assert all(200 < p < 260 for s in drive for p in s.surroundings.tyre_kpa)


def test_same_seed_and_times_give_the_same_car_whatever_the_steps() -> None:
    one, other = Car(3), Car(3)
    for i in range(1, 601):
        one.advance(i * 0.1)
    assert one.state == other.advance(60.0)
    assert Car(4).advance(60.0) != one.state


def test_a_parked_car_stays_where_it_is() -> None:
    car = Car()
    car.parked = True
    state = car.advance(60.0)
    assert (state.motion.speed_kmh, state.powertrain.selector, state.controls.parking_brake) == (
        0.0,
        PARK,
        True,
    )
