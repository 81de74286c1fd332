# SPDX-License-Identifier: Apache-2.0
"""The demo drive as data: where the road bends, how fast the driver wants to be, what the hands do.

One loop of `LOOP_S` seconds: get in, town with a traffic light, winding country road, motorway in the rain,
roundabout, reverse parking, get out. Everything is a function of the time within the loop.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Generic, TypeVar

from smartcockpit_bench.car.state import DRIVE, PARK, REVERSE, Ignition, Wiper

LOOP_S = 240.0
REFUEL_AT_S = 235.0
"""When the parked car is filled up, if it needs it."""

T = TypeVar("T")


class Timeline(Generic[T]):
    """A value that steps at given times (s within the loop); the first step is at 0."""

    def __init__(self, *steps: tuple[float, T]) -> None:
        self._times = [time_s for time_s, _ in steps]
        self._values = [value for _, value in steps]

    def at(self, time_s: float) -> T:
        """Return the value that holds at `time_s`."""
        return self._values[bisect_right(self._times, time_s) - 1]


class Spans:
    """A switch that is on during given spans (start and end in s within the loop)."""

    def __init__(self, *spans: tuple[float, float]) -> None:
        self._spans = spans

    def at(self, time_s: float) -> bool:
        """Return whether `time_s` lies in a span."""
        return any(start <= time_s < end for start, end in self._spans)


TARGET_KMH = Timeline(
    (0.0, 0.0), (10.0, 50.0), (19.5, 25.0), (27.0, 50.0),
    (40.0, 0.0), (51.0, 52.0),  # traffic light
    (62.0, 88.0), (83.5, 64.0), (90.0, 88.0), (98.0, 104.0), (104.0, 88.0),
    (109.0, 60.0), (118.0, 130.0),  # slip road, motorway
    (159.0, 60.0), (170.0, 24.0), (181.0, 46.0), (195.0, 0.0),
    (207.5, 5.0), (216.0, 0.0),  # backwards into the parking space
)  # fmt: skip
"""Speed that the driver aims at, km/h."""

CURVATURE_PER_M = Timeline(
    (0.0, 0.0), (22.5, -1 / 22), (26.5, 0.0), (32.0, 1 / 160), (36.0, 0.0),
    (66.0, 1 / 320), (72.0, -1 / 290), (78.0, 0.0), (80.0, 1 / 380), (86.5, -1 / 140), (90.5, 0.0),
    (94.0, 1 / 420), (98.0, 0.0), (111.5, -1 / 110), (118.0, 0.0), (128.0, 1 / 1200), (138.0, 0.0),
    (144.0, -1 / 1000), (152.0, 0.0), (163.0, -1 / 130), (168.0, 0.0),
    (173.5, -1 / 20), (174.8, 1 / 17), (179.5, -1 / 20), (181.0, 0.0),
    (208.0, -1 / 6), (212.0, 1 / 6), (215.5, 0.0),
)  # fmt: skip
"""Curvature of the path, 1/m, left positive."""

IGNITION = Timeline(
    (0.0, Ignition.LOCK), (2.0, Ignition.OFF), (3.2, Ignition.ACC), (4.2, Ignition.ON),
    (6.0, Ignition.START), (6.9, Ignition.ON), (223.0, Ignition.ACC), (226.0, Ignition.OFF),
    (233.0, Ignition.LOCK),
)  # fmt: skip
SELECTOR = Timeline((0.0, PARK), (8.5, DRIVE), (205.5, REVERSE), (218.5, PARK))
WIPER = Timeline(
    (0.0, Wiper.OFF), (124.0, Wiper.INTERVAL), (131.0, Wiper.SLOW), (139.0, Wiper.FAST),
    (145.0, Wiper.INTERVAL), (152.0, Wiper.OFF),
)  # fmt: skip

PARKING_BRAKE = Spans((0.0, 9.2), (219.5, LOOP_S))
INDICATOR_LEFT = Spans((9.0, 12.5), (97.0, 100.0), (118.0, 122.0))
INDICATOR_RIGHT = Spans(
    (18.5, 26.0), (102.5, 106.0), (108.0, 113.0), (157.0, 166.0), (177.5, 181.0), (197.0, 206.0)
)
HAZARD = Spans((206.0, 217.5))
LOW_BEAM = Spans((7.4, 223.0))
HIGH_BEAM = Spans((66.0, 77.0), (91.0, 96.0))
REAR_FOG = Spans((139.0, 146.0))
HORN = Spans((50.6, 51.1))
CRUISE = Spans((130.0, 157.5))
UNLOCKED = Spans((0.4, 11.0), (224.0, 233.5))
BELTED = Spans((4.6, 224.2))
PASSENGER_ON_BOARD = Spans((3.4, 226.5))
PASSENGER_BELTED = Spans((5.6, 224.8))
DRIVER_DOOR = Spans((0.8, 3.2), (225.0, 228.0))
PASSENGER_DOOR = Spans((1.6, 4.4), (226.0, 228.8))
REAR_DOOR = Spans((229.2, 231.6))
TRUNK = Spans((228.4, 232.2))
ESC_ACTIVE = Spans((87.0, 88.2))
ABS_ACTIVE = Spans((160.5, 161.3))
TCS_ACTIVE = Spans((119.0, 119.9))
DEFROSTER = Spans((124.0, 150.0))
AIR_CONDITIONING = Spans((20.0, 223.0))
RECIRCULATION = Spans((42.0, 50.0))
RAIN = Spans((123.0, 152.0))
TUNNEL = Spans((150.0, 171.0))
"""Dark, and no satellites: from the motorway through the bend of the exit."""

WINDOW_PERCENT = Timeline((0.0, 0.0), (54.0, 30.0), (61.0, 0.0))
WISH_C = Timeline((0.0, 21.5), (134.0, 22.5), (182.0, 21.5))
