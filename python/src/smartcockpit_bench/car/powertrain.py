# SPDX-License-Identifier: Apache-2.0
"""Engine, six-speed automatic gearbox, fuel and the 12 V system of the simulated car.

A two-litre petrol engine. Warming up is four times as fast as in a real car, so that one demo loop shows it.
"""

from __future__ import annotations

from smartcockpit_bench.car.state import DRIVE, PARK, REVERSE, CarState, Ignition, Powertrain

RATIOS = (0.0, 4.17, 2.34, 1.52, 1.14, 0.87, 0.69)
REVERSE_RATIO = 3.4
FINAL_DRIVE = 3.73
TYRE_ROLLING_M = 1.98
IDLE_RPM = 780.0
UP_RPM, DOWN_RPM = 2350.0, 1250.0
MASS_KG = 1540.0
TANK_L = 50.0
LITRES_PER_KWH = 0.31
IDLE_L_PER_H = 0.75
WARM_UP = 4.0


def road_power_kw(speed_mps: float, acceleration_mps2: float) -> float:
    """Return the power at the wheels: inertia, rolling resistance 1.1 %, c·A = 0.66 m², air 1.2 kg/m³."""
    force = MASS_KG * acceleration_mps2 + MASS_KG * 9.81 * 0.011 + 0.5 * 1.2 * 0.66 * speed_mps**2
    return max(0.0, force) * speed_mps / 1000.0


def wheel_rpm(speed_kmh: float) -> float:
    """Return revolutions per minute of a wheel."""
    return speed_kmh / 3.6 / TYRE_ROLLING_M * 60.0


class Engine:
    """Steps `Powertrain`; a shift takes 0.35 s and the next one waits for 1.2 s."""

    def __init__(self) -> None:
        self._since_shift_s = 10.0

    def step(self, car: CarState, dt_s: float) -> None:
        """Advance by `dt_s`, after controls and motion have moved on."""
        power = car.powertrain
        cranking = car.controls.ignition is Ignition.START
        power.running = car.controls.ignition is Ignition.ON and (power.running or power.engine_rpm > 150.0)
        self._shift(power, car.motion.speed_kmh, dt_s)
        self._turn(power, car.motion.speed_kmh, cranking, dt_s)
        self._work(power, car, dt_s)
        self._warm(power, car, dt_s)
        self._supply(power, cranking, dt_s)

    def _shift(self, power: Powertrain, speed_kmh: float, dt_s: float) -> None:
        self._since_shift_s += dt_s
        if power.selector != DRIVE or not power.running:
            power.gear = -1 if power.selector == REVERSE and power.running else 0
            return
        gear = max(1, power.gear)
        rpm = wheel_rpm(speed_kmh) * RATIOS[gear] * FINAL_DRIVE
        if self._since_shift_s > 1.2:
            if rpm > UP_RPM + 9.0 * power.throttle_percent and gear < 6:
                gear += 1
            elif (rpm < DOWN_RPM or (rpm < 1900.0 and power.throttle_percent > 40.0)) and gear > 1:
                gear -= 1
        if gear != power.gear:
            self._since_shift_s = 0.0
        power.gear = gear

    def _turn(self, power: Powertrain, speed_kmh: float, cranking: bool, dt_s: float) -> None:
        if power.running:
            ratio = REVERSE_RATIO if power.gear < 0 else RATIOS[power.gear]
            cold = max(0.0, 60.0 - power.coolant_c) * 5.0
            idle = IDLE_RPM + cold
            target = max(idle, wheel_rpm(speed_kmh) * ratio * FINAL_DRIVE)
            if power.gear == 1 and speed_kmh < 18.0:  # the converter slips
                target = max(target, idle + 11.0 * power.throttle_percent)
        else:
            target = 230.0 if cranking else 0.0
        power.engine_rpm += (target - power.engine_rpm) * min(1.0, dt_s / 0.18)
        if target == 0.0 and power.engine_rpm < 20.0:
            power.engine_rpm = 0.0

    def _work(self, power: Powertrain, car: CarState, dt_s: float) -> None:
        speed_mps = car.motion.speed_kmh / 3.6
        forwards = -1.0 if power.selector == REVERSE else 1.0
        demand = road_power_kw(speed_mps, car.motion.acceleration_mps2 * forwards)
        if not power.running:
            demand = 0.0
        power.power_kw += (demand - power.power_kw) * min(1.0, dt_s / 0.25)
        power.throttle_percent = min(100.0, power.power_kw / 1.1) if power.running else 0.0
        radps = power.engine_rpm * 0.10472
        power.torque_nm = power.power_kw * 1000.0 / radps if radps > 10.0 else 0.0
        litres_h = (power.power_kw * LITRES_PER_KWH + IDLE_L_PER_H) if power.running else 0.0
        power.intake_g_s = litres_h / 3600.0 * 745.0 * 14.7
        power.fuel_l = max(0.0, power.fuel_l - litres_h * dt_s / 3600.0)
        moving = speed_mps > 1.5
        now = litres_h / (speed_mps * 3.6) * 100.0 if moving else 0.0
        power.consumption_l_100km = min(30.0, now)
        if moving:
            power.average_l_100km += (min(30.0, now) - power.average_l_100km) * dt_s / 600.0
        power.engine_s += dt_s if power.running else 0.0

    @staticmethod
    def _warm(power: Powertrain, car: CarState, dt_s: float) -> None:
        outside = car.surroundings.outside_c
        step = WARM_UP * dt_s
        if power.running:
            heat = 0.10 + 0.006 * power.power_kw
            power.coolant_c += (heat if power.coolant_c < 89.5 else (89.5 - power.coolant_c) * 0.1) * step
            power.oil_c += (power.coolant_c + 0.25 * power.power_kw - power.oil_c) * step / 220.0
            power.gearbox_c += (74.0 - power.gearbox_c) * step / 420.0
            return
        for name, tau in (("coolant_c", 2400.0), ("oil_c", 3000.0), ("gearbox_c", 3300.0)):
            now = getattr(power, name)
            setattr(power, name, now + (outside - now) * step / tau)

    @staticmethod
    def _supply(power: Powertrain, cranking: bool, dt_s: float) -> None:
        target, current = (14.2, 6.0) if power.running else (10.4, -155.0) if cranking else (12.5, -4.0)
        power.voltage_v += (target - power.voltage_v) * min(1.0, dt_s / 0.3)
        power.current_a += (current - power.current_a) * min(1.0, dt_s / 0.3)


def is_drivable(power: Powertrain) -> bool:
    """Return whether the car can move under its own power."""
    return power.running and power.selector != PARK
