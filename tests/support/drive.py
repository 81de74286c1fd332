# SPDX-License-Identifier: Apache-2.0
"""The simulated car past a navigator: its motion with a sensor's faults, its receiver with or without a sky.

Everything passes as in the daemon, sentences and frames included, but for D-Bus; time is the simulation's.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from smartcockpit.core.gnss.deadreckoning import Motion
from smartcockpit.core.gnss.geodesy import between
from smartcockpit.core.gnss.navigator import Navigator, Place
from smartcockpit.core.gnss.receiver import Receiver
from smartcockpit_bench.car.model import Car
from smartcockpit_bench.car.state import REVERSE, CarState
from smartcockpit_bench.gnss.receiver import SimulatedReceiver

START_S = 1_772_366_430.0
FLOOR_US = 1_750_000_000_000_000
MOTION_S = 0.02


@dataclass(frozen=True)
class Sensors:
    """How wrong the car's own sensors are."""

    yaw_bias_dps: float = 0.0
    yaw_scale: float = 1.0
    speed_scale: float = 1.0
    yaw_noise_dps: float = 0.05

    def motion(self, car: CarState, noise: random.Random) -> Motion:
        yaw = (
            car.motion.yaw_rate_dps * self.yaw_scale + self.yaw_bias_dps + noise.gauss(0, self.yaw_noise_dps)
        )
        reverse = car.powertrain.selector == REVERSE
        return Motion(car.motion.speed_kmh / 3.6 * self.speed_scale, yaw, reverse)


@dataclass(frozen=True)
class Moment:
    """What was true and what we thought."""

    time_s: float
    truth: tuple[float, float]
    speed_mps: float
    place: Place

    @property
    def error_m(self) -> float:
        return math.hypot(*between(self.truth, (self.place.latitude_deg, self.place.longitude_deg)))


def drive(
    seconds: float,
    *,
    seed: int = 1,
    sensors: Sensors = Sensors(),
    sky: Callable[[float], bool] | None = None,
    can: Callable[[float], bool] = lambda _: True,
    navigator: Navigator | None = None,
    settings: dict[int, int] | None = None,
) -> Iterator[Moment]:
    """Yield ten moments a second of the demo drive; `sky` and `can` say what is there when."""
    car, device = Car(seed), SimulatedReceiver(seed=seed)
    receiver, navigator = Receiver(FLOOR_US), navigator or Navigator()
    noise = random.Random(seed)
    device._settings |= settings or {}
    epoch = 0
    for step in range(int(seconds / MOTION_S)):
        time_s = step * MOTION_S
        now_ns = int((time_s + 100.0) * 1e9)
        state = car.advance(time_s)
        navigator.take_motion(sensors.motion(state, noise) if can(time_s) else None, now_ns)
        if sky is not None:
            state.surroundings.sky_open = sky(time_s)
        if int(time_s / device.period_s) != epoch:
            epoch = int(time_s / device.period_s)
            data = device.epoch(state, START_S + time_s)
            for fix in receiver.feed(data, now_ns, int((START_S + time_s) * 1e6)) + receiver.quiet():
                navigator.take_fix(fix, now_ns)
        if step % 5 == 0:
            place = navigator.tick(now_ns)
            truth = (state.motion.latitude_deg, state.motion.longitude_deg)
            yield Moment(time_s, truth, state.motion.speed_kmh / 3.6, place)
