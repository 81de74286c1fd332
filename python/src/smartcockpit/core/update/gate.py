# SPDX-License-Identifier: Apache-2.0
"""May the car be kept from driving now? Asked before an installation and again before the reboot.

Parked means gear P or the parking brake engaged, and a speed of 0; a signal that is missing, stale or invalid
counts as moving, because nobody knows. UN R156 7.2.2.1.2 (energy) and 7.2.2.1.3 (safe state).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from smartcockpit.core.named import NamedTuple
from smartcockpit.core.signals import SignalQuality, Value
from smartcockpit.core.update.codes import Waiting

SPEED = "Vehicle.Speed"
GEAR = "Vehicle.Powertrain.Transmission.SelectedGear"
PARKING_BRAKE = "Vehicle.Chassis.ParkingBrake.IsEngaged"
VOLTAGE = "Vehicle.LowVoltageBattery.CurrentVoltage"
VIN = "Vehicle.VehicleIdentification.VIN"
SIGNALS = (SPEED, GEAR, PARKING_BRAKE, VOLTAGE)
PARK = 126
"""VSS' number of gear P."""
STANDSTILL_KMH = 0.1


class Block(NamedTuple):
    """Why not now; `reason` NONE: nothing speaks against it."""

    reason: Waiting = Waiting.NONE
    text: str = ""

    def __bool__(self) -> bool:
        return self.reason is not Waiting.NONE


class Rules(NamedTuple):
    """What this unit demands; a voltage of 0 demands none."""

    parked: bool = True
    lowest_v: float = 11.8


Known = Mapping[str, tuple[Value, int]]
"""Value and quality of each signal by path; one that nobody offers is missing."""


def block(known: Known, inhibitors: Sequence[str], rules: Rules) -> Block:
    """Return what speaks against it now: movement first, then voltage, then whoever inhibits."""
    return (
        (_movement(known) if rules.parked else Block())
        or _voltage(known, rules.lowest_v)
        or (Block(Waiting.INHIBITED, "inhibited by " + ", ".join(inhibitors)) if inhibitors else Block())
    )


def _valid(known: Known, path: str) -> Value | None:
    value, quality = known.get(path, (None, SignalQuality.UNAVAILABLE))
    return value if quality == SignalQuality.VALID else None


def _movement(known: Known) -> Block:
    speed = _valid(known, SPEED)
    if not isinstance(speed, int | float):
        return Block(Waiting.VEHICLE, "the speed is not known, so the car counts as moving")
    if not abs(speed) <= STANDSTILL_KMH:
        return Block(Waiting.MOVING, f"the car moves at {speed:.0f} km/h")
    gear, brake = _valid(known, GEAR), _valid(known, PARKING_BRAKE)
    if gear == PARK or brake is True:
        return Block()
    if gear is None and brake is None:
        return Block(Waiting.VEHICLE, "neither gear nor parking brake is known, so the car counts as moving")
    return Block(Waiting.MOVING, "the car is not parked: put it in P or set the parking brake")


def _voltage(known: Known, lowest_v: float) -> Block:
    if lowest_v <= 0:
        return Block()
    voltage = _valid(known, VOLTAGE)
    if not isinstance(voltage, int | float):
        return Block(Waiting.VOLTAGE, "the battery's voltage is not known")
    if not voltage >= lowest_v:
        return Block(Waiting.VOLTAGE, f"the battery has {voltage:.1f} V, {lowest_v:.1f} V are needed")
    return Block()
