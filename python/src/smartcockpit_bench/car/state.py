# SPDX-License-Identifier: Apache-2.0
"""What the simulated car is doing at one moment, in physical units.

Owns the vocabulary of the model only. How these values become DBC signals is `signals.py`'s business.
Signs follow ISO 8855: left is positive (steering, yaw rate, lateral acceleration).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

PARK, DRIVE, NEUTRAL, REVERSE = 126, 127, 0, -1
"""Positions of the selector lever as VSS' `SelectedGear` numbers them."""


class Ignition(StrEnum):
    """Supply state of the control units; the words of VSS' `LowVoltageSystemState`."""

    LOCK = "LOCK"
    OFF = "OFF"
    ACC = "ACC"
    ON = "ON"
    START = "START"


class Wiper(StrEnum):
    """Words of VSS' `Windshield.Front.Wiping.Mode` that the demo drive uses."""

    OFF = "OFF"
    SLOW = "SLOW"
    FAST = "FAST"
    INTERVAL = "INTERVAL"


@dataclass(slots=True)
class Motion:
    """Movement of the body. Speed is a magnitude; the selector tells the direction."""

    speed_kmh: float = 0.0
    odometer_m: float = 48_213_400.0
    trip_m: float = 0.0
    acceleration_mps2: float = 0.0
    lateral_mps2: float = 0.0
    yaw_rate_dps: float = 0.0
    heading_deg: float = 78.0
    latitude_deg: float = 48.3984
    longitude_deg: float = 9.9916
    altitude_m: float = 478.0
    """Above sea level; the road is flat."""
    vertical_mps2: float = 0.0
    steering_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    pitch_rate_dps: float = 0.0
    roll_rate_dps: float = 0.0
    wheel_kmh: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """Front left, front right, rear left, rear right."""


@dataclass(slots=True)
class Powertrain:
    """Engine, gearbox, fuel and the 12 V system."""

    running: bool = False
    engine_rpm: float = 0.0
    throttle_percent: float = 0.0
    torque_nm: float = 0.0
    power_kw: float = 0.0
    coolant_c: float = 21.0
    oil_c: float = 20.0
    gearbox_c: float = 20.0
    intake_g_s: float = 0.0
    engine_s: float = 4_215_000.0
    selector: int = PARK
    gear: int = 0
    """Engaged gear: −1 reverse, 0 none, 1 to 6."""
    fuel_l: float = 38.5
    consumption_l_100km: float = 0.0
    average_l_100km: float = 6.4
    voltage_v: float = 12.5
    current_a: float = -4.0


@dataclass(slots=True)
class Controls:
    """What the driver's hands and feet do."""

    ignition: Ignition = Ignition.LOCK
    brake_percent: float = 0.0
    parking_brake: bool = True
    indicator_left: bool = False
    indicator_right: bool = False
    hazard: bool = False
    low_beam: bool = False
    high_beam: bool = False
    parking_lamps: bool = False
    running_lamps: bool = False
    rear_fog: bool = False
    wiper: Wiper = Wiper.OFF
    horn: bool = False
    cruise: bool = False
    cruise_kmh: float = 0.0
    locked: bool = True
    belted: bool = False
    passenger_belted: bool = False
    passenger_on_board: bool = False
    doors: tuple[bool, bool, bool, bool] = (False, False, False, False)
    """Open: driver, front passenger, rear driver's side, rear passenger's side."""
    trunk: bool = False
    hood: bool = False
    window_percent: float = 0.0
    fan_percent: float = 0.0
    air_conditioning: bool = False
    recirculation: bool = False
    defroster: bool = False
    wish_c: float = 21.5


@dataclass(slots=True)
class Surroundings:
    """Air, light and what slowly changes about the car itself."""

    outside_c: float = 17.0
    humidity_percent: float = 58.0
    light_percent: float = 72.0
    cabin_c: float = 19.0
    tyre_kpa: tuple[float, float, float, float] = (236.0, 235.0, 227.0, 226.0)
    tyre_c: tuple[float, float, float, float] = (19.0, 19.0, 19.0, 19.0)
    washer_percent: float = 81.0
    sky_open: bool = True
    """False in a tunnel: no satellite is seen."""
    abs_active: bool = False
    esc_active: bool = False
    tcs_active: bool = False


@dataclass(slots=True)
class CarState:
    """The whole car at `time_s` seconds after the start of the simulation."""

    time_s: float = 0.0
    trip_s: float = 0.0
    """Since the engine was started."""
    motion: Motion = field(default_factory=Motion)
    powertrain: Powertrain = field(default_factory=Powertrain)
    controls: Controls = field(default_factory=Controls)
    surroundings: Surroundings = field(default_factory=Surroundings)
