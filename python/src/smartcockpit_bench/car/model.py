# SPDX-License-Identifier: Apache-2.0
"""The car as a whole, stepped in time.

Deterministic: `Car(seed)` advanced to the same moments is in the same state, whatever the host's clock does.
"""

from __future__ import annotations

import random

from smartcockpit_bench.car import cabin, route
from smartcockpit_bench.car.motion import Chassis
from smartcockpit_bench.car.powertrain import TANK_L, Engine, is_drivable
from smartcockpit_bench.car.state import CarState, Ignition

STEP_S = 0.02


class Car:
    """A car on the demo drive. `state` is its present; `advance` moves it on."""

    def __init__(self, seed: int = 1) -> None:
        self.state = CarState()
        self.parked = False
        """While true the driver stays away, and the car where the drive begins."""
        self._random = random.Random(seed)  # noqa: S311 - road noise, no secret
        self._noise = 0.0
        self._chassis = Chassis()
        self._engine = Engine()
        self._steps = 0

    def advance(self, time_s: float) -> CarState:
        """Step until `time_s` (seconds since the start; going back is ignored) and return the state."""
        while (self._steps + 1) * STEP_S <= time_s + 1e-9:
            self._steps += 1
            self._step(self._steps * STEP_S)
        return self.state

    def _step(self, time_s: float) -> None:
        car = self.state
        loop_s = 0.0 if self.parked else time_s % route.LOOP_S
        self._noise += (self._random.uniform(-1.0, 1.0) - self._noise) * 0.05
        cabin.set_controls(car.controls, loop_s, car)
        car.powertrain.selector = route.SELECTOR.at(loop_s)
        if car.controls.ignition is Ignition.START:
            car.motion.trip_m = car.trip_s = 0.0
        car.trip_s += STEP_S
        car.motion.vertical_mps2 = 0.012 * car.motion.speed_kmh * self._noise
        target = route.TARGET_KMH.at(loop_s) if is_drivable(car.powertrain) else 0.0
        rough = target * (1.0 + 0.012 * self._noise) if target > 30.0 else target
        self._chassis.step(
            car.motion, rough, route.CURVATURE_PER_M.at(loop_s), car.powertrain.selector, STEP_S
        )
        self._engine.step(car, STEP_S)
        cabin.press_brake(car, target)
        cabin.step_surroundings(car.surroundings, car, loop_s, self._noise, STEP_S)
        if loop_s >= route.REFUEL_AT_S and car.powertrain.fuel_l < 6.0:
            car.powertrain.fuel_l = TANK_L * 0.92
        car.time_s = time_s
