# SPDX-License-Identifier: Apache-2.0
"""What VSS 3 to 5 called differently, so that older mapping files load with a note instead of an error.

Owns the renamed paths and units. Sources: the VSS 6.0 release notes; the replacements of Vehicle.OBD.*
beyond Speed and EngineSpeed are our choice.
"""

from __future__ import annotations

_ENGINE = "Vehicle.Powertrain.CombustionEngine."

RENAMED_PATHS = {
    _ENGINE + "ECT": _ENGINE + "EngineCoolant.Temperature",
    _ENGINE + "EOT": _ENGINE + "EngineOil.Temperature",
    "Vehicle.OBD.Speed": "Vehicle.Speed",
    "Vehicle.OBD.EngineSpeed": "Vehicle.Powertrain.CombustionEngine.Speed",
    "Vehicle.OBD.AmbientAirTemperature": "Vehicle.Exterior.AirTemperature",
    "Vehicle.OBD.ControlModuleVoltage": "Vehicle.LowVoltageBattery.CurrentVoltage",
    "Vehicle.OBD.CoolantTemperature": "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature",
    "Vehicle.OBD.OilTemperature": "Vehicle.Powertrain.CombustionEngine.EngineOil.Temperature",
    "Vehicle.OBD.FuelLevel": "Vehicle.Powertrain.FuelSystem.RelativeLevel",
    "Vehicle.OBD.MAF": "Vehicle.Powertrain.CombustionEngine.MAF",
    "Vehicle.OBD.ThrottlePosition": "Vehicle.Powertrain.CombustionEngine.TPS",
    "Vehicle.Powertrain.FuelSystem.Level": "Vehicle.Powertrain.FuelSystem.RelativeLevel",
}
"""Former path -> path in VSS 6.0 with the same meaning."""

GONE_BRANCH = "Vehicle.OBD."
"""Removed in 6.0; leaves without a successor are skipped with a note."""

RENAMED_UNITS = {"celsius": "Celsius", "mpg": "mpg-us"}

FORMER_UNITS = {
    ("Vehicle.TraveledDistance", "float"): "km",
    ("Vehicle.TripMeterReading", "float"): "km",
    ("Vehicle.TraveledDistanceSinceStart", "float"): "km",
}
"""(path, datatype in the file) -> the unit it had then: how a file from before 6.0 gives itself away."""

_SIDES = {"Left": "DriverSide", "Right": "PassengerSide", "Pos1": "DriverSide", "Pos2": "PassengerSide"}


def successor(path: str) -> str | None:
    """Return the path in VSS 6.0 of a `path` of VSS 3 to 5, None when there is no plain one.

    Doors and mirrors were Left and Right, seats Pos1 and Pos2 before 4.0; a car with the wheel on the left
    is assumed.
    """
    if path in RENAMED_PATHS:
        return RENAMED_PATHS[path]
    if path.startswith(("Vehicle.Cabin.Door.", "Vehicle.Cabin.Seat.", "Vehicle.Body.Mirrors.")):
        moved = ".".join(_SIDES.get(part, part) for part in path.split("."))
        return moved if moved != path else None
    return None
