# SPDX-License-Identifier: Apache-2.0
"""Which signals the view shows where, as data. What is missing on a vehicle is left out."""

from __future__ import annotations

from dataclasses import dataclass

ENGINE = "Vehicle.Powertrain.CombustionEngine"
GEARBOX = "Vehicle.Powertrain.Transmission"
FUEL = "Vehicle.Powertrain.FuelSystem"
LIGHTS = "Vehicle.Body.Lights"
WHEELS = "Vehicle.Chassis.Axle"
HVAC = "Vehicle.Cabin.HVAC"
DOORS = "Vehicle.Cabin.Door"


@dataclass(frozen=True, slots=True)
class Item:
    """One row: a label, the signal, decimals, and the range of its bar (None: no bar)."""

    label: str
    path: str
    decimals: int = 0
    bar: tuple[float, float] | None = None
    scale: float = 1.0
    unit: str | None = None
    """Instead of the signal's own unit, after multiplying with `scale`."""


SPEED = Item("Speed", "Vehicle.Speed", 0, (0, 160))
RPM = Item("Engine", f"{ENGINE}.Speed", 0, (0, 6000))
SELECTED, CURRENT = f"{GEARBOX}.SelectedGear", f"{GEARBOX}.CurrentGear"

DRIVE = (
    RPM,
    Item("Throttle", "Vehicle.Chassis.Accelerator.PedalPosition", 0, (0, 100)),
    Item("Brake", "Vehicle.Chassis.Brake.PedalPosition", 0, (0, 100)),
    Item("Steering", "Vehicle.Chassis.SteeringWheel.Angle", 0, (-180, 180)),
)
ENGINE_GROUP = (
    Item("Coolant", f"{ENGINE}.EngineCoolant.Temperature", 1, (20, 120)),
    Item("Oil", f"{ENGINE}.EngineOil.Temperature", 1, (20, 140)),
    Item("Gearbox", f"{GEARBOX}.Temperature", 1, (20, 120)),
    Item("Torque", f"{ENGINE}.Torque", 0, (0, 320)),
    Item("Fuel", f"{FUEL}.RelativeLevel", 0, (0, 100)),
    Item("Consumption", f"{FUEL}.InstantConsumption", 1, (0, 30)),
    Item("Range", "Vehicle.Powertrain.Range", 0, None, 0.001, "km"),
    Item("Charge", "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current", 1, (0, 100)),
    Item("Battery", "Vehicle.LowVoltageBattery.CurrentVoltage", 1, (9, 15)),
)
MOTION = (
    Item("Along", "Vehicle.Acceleration.Longitudinal", 1, (-5, 5)),
    Item("Across", "Vehicle.Acceleration.Lateral", 1, (-5, 5)),
    Item("Yaw rate", "Vehicle.AngularVelocity.Yaw", 1, (-30, 30)),
    Item("Odometer", "Vehicle.TraveledDistance", 1, None, 0.001, "km"),
    Item("Outside", "Vehicle.Exterior.AirTemperature", 1),
    Item("Cabin", f"{HVAC}.AmbientAirTemperature", 1),
    Item("Fan", f"{HVAC}.Station.Row1.Driver.FanSpeed", 0, (0, 100)),
)
HERE = "Vehicle.CurrentLocation"
POSITION = (
    Item("Latitude", f"{HERE}.Latitude", 5),
    Item("Longitude", f"{HERE}.Longitude", 5),
    Item("Heading", f"{HERE}.Heading", 0, (0, 360)),
    Item("Accuracy", f"{HERE}.HorizontalAccuracy", 1, (0, 50)),
    Item("Satellites", "Vehicle.SmartCockpit.Location.SatellitesUsed", 0, (0, 30)),
    Item("Fix", f"{HERE}.GNSSReceiver.FixType"),
    Item("Estimated", "Vehicle.SmartCockpit.Location.IsEstimated"),
)
LAMPS = (
    ("low", f"{LIGHTS}.Beam.Low.IsOn", "cyan"),
    ("high", f"{LIGHTS}.Beam.High.IsOn", "bright_blue"),
    ("fog", f"{LIGHTS}.Fog.Rear.IsOn", "yellow"),
    ("brake", f"{LIGHTS}.Brake.IsActive", "bright_red"),
    ("reverse", f"{LIGHTS}.Backup.IsOn", "bright_white"),
    ("hazard", f"{LIGHTS}.Hazard.IsSignaling", "bright_red"),
    ("wiper", "Vehicle.Body.Windshield.Front.Wiping.Mode", "cyan"),
    ("horn", "Vehicle.Body.Horn.IsActive", "yellow"),
    ("belt", "Vehicle.Cabin.Seat.Row1.DriverSide.IsBelted", "green"),
    ("lock", f"{DOORS}.Row1.DriverSide.IsLocked", "green"),
    ("handbrake", "Vehicle.Chassis.ParkingBrake.IsEngaged", "bright_red"),
    ("cruise", "Vehicle.ADAS.CruiseControl.IsActive", "green"),
    ("ABS", "Vehicle.ADAS.ABS.IsEngaged", "yellow"),
    ("ESC", "Vehicle.ADAS.ESC.IsEngaged", "yellow"),
    ("TCS", "Vehicle.ADAS.TCS.IsEngaged", "yellow"),
)
TYRES = tuple(
    f"{WHEELS}.{row}.Wheel.{side}.Tire.Pressure" for row in ("Row1", "Row2") for side in ("Left", "Right")
)
DOOR_PATHS = tuple(
    f"{DOORS}.{row}.{side}.IsOpen" for row in ("Row1", "Row2") for side in ("DriverSide", "PassengerSide")
)
INDICATORS = (
    f"{LIGHTS}.DirectionIndicator.Left.IsSignaling",
    f"{LIGHTS}.DirectionIndicator.Right.IsSignaling",
)
TRUNK, HOOD = "Vehicle.Body.Trunk.Rear.IsOpen", "Vehicle.Body.Hood.IsOpen"
BRAKE_LAMP = f"{LIGHTS}.Brake.IsActive"

CAR = (*(path for _, path, _ in LAMPS), *TYRES, *DOOR_PATHS, *INDICATORS, TRUNK, HOOD)
"""What the drawing of the car shows."""

PLACED = frozenset(
    [SPEED.path, SELECTED, CURRENT, *CAR]
    + [item.path for group in (DRIVE, ENGINE_GROUP, MOTION, POSITION) for item in group]
)
"""Signals that have their place; others go to the table of further signals."""
