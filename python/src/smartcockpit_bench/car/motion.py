# SPDX-License-Identifier: Apache-2.0
"""How the body moves: a driver who follows a target speed, a path with curvature, four wheels.

Single-track geometry without slip: yaw rate = v·κ, lateral acceleration = v²·κ, steering angle =
atan(wheelbase·κ)·ratio. The odometer is the integral of the speed, by construction.
"""

from __future__ import annotations

import math

from smartcockpit_bench.car.state import REVERSE, Motion

WHEELBASE_M = 2.68
TRACK_M = 1.54
STEERING_RATIO = 15.6
MAX_STEERING_DEG = 480.0
BRAKE_MPS2 = 2.6
JERK_MPS3 = 3.2
EARTH_M = 6_371_000.0


def drive_acceleration(speed_mps: float) -> float:
    """Return what the engine can give at this speed, m/s²."""
    return max(0.5, 2.5 - 0.052 * speed_mps)


def _move(motion: Motion, way_m: float, heading_rad: float) -> None:
    """Move the position on a sphere, which the road is small enough for."""
    motion.latitude_deg += math.degrees(way_m * math.cos(heading_rad) / EARTH_M)
    parallel_m = EARTH_M * math.cos(math.radians(motion.latitude_deg))
    motion.longitude_deg += math.degrees(way_m * math.sin(heading_rad) / parallel_m)


class Chassis:
    """Moves `Motion` on; holds what the driver feels but nobody reports."""

    def __init__(self) -> None:
        self._curvature = 0.0
        self._acceleration = 0.0

    def step(self, motion: Motion, target_kmh: float, curvature: float, selector: int, dt_s: float) -> None:
        """Advance by `dt_s` towards `target_kmh` on a path of `curvature` (1/m, left positive)."""
        before = motion.speed_kmh / 3.6
        wish = (target_kmh / 3.6 - before) * 0.9
        wish = min(drive_acceleration(before), max(-BRAKE_MPS2, wish))
        change = JERK_MPS3 * dt_s
        self._acceleration += min(change, max(-change, wish - self._acceleration))
        after = max(0.0, before + self._acceleration * dt_s)
        if after < 0.08 and target_kmh == 0.0:
            after, self._acceleration = 0.0, 0.0
        distance = (before + after) / 2 * dt_s
        motion.speed_kmh = after * 3.6
        motion.odometer_m += distance
        motion.trip_m += distance
        direction = -1.0 if selector == REVERSE else 1.0
        motion.acceleration_mps2 = direction * (after - before) / dt_s
        self._curvature += (curvature - self._curvature) * min(1.0, dt_s / 0.45)
        self._turn(motion, after * direction, dt_s)

    def _turn(self, motion: Motion, velocity_mps: float, dt_s: float) -> None:
        yaw_radps = velocity_mps * self._curvature
        motion.yaw_rate_dps = math.degrees(yaw_radps)
        motion.lateral_mps2 = velocity_mps * yaw_radps
        middle = math.radians(motion.heading_deg - motion.yaw_rate_dps * dt_s / 2.0)
        motion.heading_deg = (motion.heading_deg - motion.yaw_rate_dps * dt_s) % 360.0
        _move(motion, velocity_mps * dt_s, middle)
        angle = math.degrees(math.atan(WHEELBASE_M * self._curvature)) * STEERING_RATIO
        motion.steering_deg = min(MAX_STEERING_DEG, max(-MAX_STEERING_DEG, angle))
        pitch, roll = -0.55 * motion.acceleration_mps2, 0.6 * motion.lateral_mps2
        motion.pitch_rate_dps = (pitch - motion.pitch_deg) / dt_s
        motion.roll_rate_dps = (roll - motion.roll_deg) / dt_s
        motion.pitch_deg, motion.roll_deg = pitch, roll
        half = abs(yaw_radps) * TRACK_M / 2 * 3.6
        inner, outer = max(0.0, motion.speed_kmh - half), motion.speed_kmh + half
        left, right = (inner, outer) if self._curvature > 0 else (outer, inner)
        motion.wheel_kmh = (left, right, left, right)
