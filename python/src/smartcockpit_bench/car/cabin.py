# SPDX-License-Identifier: Apache-2.0
"""Hands, doors, lamps, climate and weather of the demo drive, from the timelines of `route`."""

from __future__ import annotations

from smartcockpit_bench.car import route
from smartcockpit_bench.car.state import CarState, Controls, Surroundings

BLINK_PERIOD_S = 0.74


def set_controls(controls: Controls, loop_s: float, car: CarState) -> None:
    """Set what hands and feet do at `loop_s`; indicators blink, brake lamps follow the pedal."""
    blink = loop_s % BLINK_PERIOD_S < BLINK_PERIOD_S / 2
    controls.ignition = route.IGNITION.at(loop_s)
    controls.parking_brake = route.PARKING_BRAKE.at(loop_s)
    controls.hazard = route.HAZARD.at(loop_s)
    controls.indicator_left = blink and (controls.hazard or route.INDICATOR_LEFT.at(loop_s))
    controls.indicator_right = blink and (controls.hazard or route.INDICATOR_RIGHT.at(loop_s))
    controls.low_beam = controls.parking_lamps = route.LOW_BEAM.at(loop_s)
    controls.running_lamps = car.powertrain.running and not controls.low_beam
    controls.high_beam = route.HIGH_BEAM.at(loop_s)
    controls.rear_fog = route.REAR_FOG.at(loop_s)
    controls.wiper = route.WIPER.at(loop_s)
    controls.horn = route.HORN.at(loop_s)
    controls.cruise = route.CRUISE.at(loop_s)
    controls.cruise_kmh = 130.0 if controls.cruise else 0.0
    controls.locked = not route.UNLOCKED.at(loop_s)
    controls.belted = route.BELTED.at(loop_s)
    controls.passenger_on_board = route.PASSENGER_ON_BOARD.at(loop_s)
    controls.passenger_belted = route.PASSENGER_BELTED.at(loop_s)
    driver, passenger = route.DRIVER_DOOR.at(loop_s), route.PASSENGER_DOOR.at(loop_s)
    controls.doors = (driver, passenger, False, route.REAR_DOOR.at(loop_s))
    controls.trunk = route.TRUNK.at(loop_s)
    controls.air_conditioning = car.powertrain.running and route.AIR_CONDITIONING.at(loop_s)
    controls.recirculation = route.RECIRCULATION.at(loop_s)
    controls.defroster = route.DEFROSTER.at(loop_s)
    controls.wish_c = route.WISH_C.at(loop_s)


def press_brake(car: CarState, target_kmh: float) -> None:
    """Set the brake pedal: held at a standstill with a gear in, else as hard as the car slows down."""
    slowing = -car.motion.acceleration_mps2 * (-1.0 if car.powertrain.gear < 0 else 1.0)
    standing = car.motion.speed_kmh == 0.0 and target_kmh == 0.0
    if standing:
        car.controls.brake_percent = 0.0 if car.controls.parking_brake else 22.0
    else:
        car.controls.brake_percent = min(100.0, max(0.0, (slowing - 0.35) * 21.0))


def step_surroundings(air: Surroundings, car: CarState, loop_s: float, noise: float, dt_s: float) -> None:
    """Advance climate, light and tyres by `dt_s`; `noise` is in −1..1."""
    controls, speed = car.controls, car.motion.speed_kmh
    raining = route.RAIN.at(loop_s)
    air.outside_c += ((14.5 if raining else 17.5) - air.outside_c) * dt_s / 40.0
    air.humidity_percent += ((92.0 if raining else 58.0) - air.humidity_percent) * dt_s / 15.0
    air.sky_open = not route.TUNNEL.at(loop_s)
    light = 6.0 if route.TUNNEL.at(loop_s) else 38.0 if raining else 72.0
    air.light_percent += (light + 3.0 * noise - air.light_percent) * min(1.0, dt_s / 0.8)
    goal = controls.wish_c if car.powertrain.running else air.outside_c
    air.cabin_c += (goal - air.cabin_c) * dt_s / (45.0 if car.powertrain.running else 300.0)
    fan = min(100.0, 22.0 + 14.0 * abs(controls.wish_c - air.cabin_c) + 25.0 * controls.defroster)
    wish = fan if car.powertrain.running else 0.0
    controls.fan_percent += (wish - controls.fan_percent) * min(1.0, dt_s / 1.5)
    goal_percent = route.WINDOW_PERCENT.at(loop_s)
    reach = 14.0 * dt_s
    controls.window_percent += min(reach, max(-reach, goal_percent - controls.window_percent))
    warm = air.outside_c + 2.0 + speed * 0.13
    air.tyre_c = tuple(t + (warm + 1.5 * (i < 2) - t) * dt_s / 150.0 for i, t in enumerate(air.tyre_c))  # type: ignore[assignment]
    cold = (231.0, 230.0, 222.0, 221.0)
    air.tyre_kpa = tuple(p * (273.15 + t) / 288.15 for p, t in zip(cold, air.tyre_c, strict=True))  # type: ignore[assignment]
    air.abs_active = route.ABS_ACTIVE.at(loop_s)
    air.esc_active = route.ESC_ACTIVE.at(loop_s)
    air.tcs_active = route.TCS_ACTIVE.at(loop_s)
