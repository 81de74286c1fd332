# SPDX-License-Identifier: Apache-2.0
"""What the simulated car means by each VSS path: the model's state in VSS' datatypes and units.

Paths that the model knows nothing of are absent. Keyed by VSS path, not by DBC signal, so that the car can
drive any vehicle whose mapping names these paths.
"""

from __future__ import annotations

from collections.abc import Callable

from smartcockpit.core.signals import Scalar

from smartcockpit_bench.car.powertrain import TANK_L, TYRE_ROLLING_M
from smartcockpit_bench.car.state import PARK, REVERSE, CarState

Value = Callable[[CarState], Scalar]
ENGINE = "Vehicle.Powertrain.CombustionEngine"
GEARBOX = "Vehicle.Powertrain.Transmission"
FUEL = "Vehicle.Powertrain.FuelSystem"
LIGHTS = "Vehicle.Body.Lights"
HVAC = "Vehicle.Cabin.HVAC"
WHEELS = tuple((f"Row{row}", side) for row in (1, 2) for side in ("Left", "Right"))
SEATS = tuple((f"Row{row}", side) for row in (1, 2) for side in ("DriverSide", "PassengerSide"))
LOW_FUEL_L, LOW_TYRE_KPA = 7.0, 190.0


def range_m(car: CarState) -> float:
    """Return the range with the fuel on board at the average consumption."""
    return car.powertrain.fuel_l / max(3.0, car.powertrain.average_l_100km) * 100_000.0


def _motion() -> dict[str, Value]:
    return {
        "Vehicle.Speed": lambda c: c.motion.speed_kmh,
        "Vehicle.IsMoving": lambda c: c.motion.speed_kmh > 0.5,
        "Vehicle.AverageSpeed": lambda c: c.motion.trip_m / max(1.0, c.trip_s) * 3.6,
        "Vehicle.TraveledDistance": lambda c: c.motion.odometer_m,
        "Vehicle.TraveledDistanceSinceStart": lambda c: c.motion.trip_m,
        "Vehicle.TripMeterReading": lambda c: c.motion.odometer_m - 48_000_000.0,
        "Vehicle.TripDuration": lambda c: c.trip_s,
        "Vehicle.Acceleration.Longitudinal": lambda c: c.motion.acceleration_mps2,
        "Vehicle.Acceleration.Lateral": lambda c: c.motion.lateral_mps2,
        "Vehicle.Acceleration.Vertical": lambda c: c.motion.vertical_mps2,
        "Vehicle.AngularVelocity.Yaw": lambda c: c.motion.yaw_rate_dps,
        "Vehicle.AngularVelocity.Pitch": lambda c: c.motion.pitch_rate_dps,
        "Vehicle.AngularVelocity.Roll": lambda c: c.motion.roll_rate_dps,
        "Vehicle.Orientation.Pitch": lambda c: c.motion.pitch_deg,
        "Vehicle.Orientation.Roll": lambda c: c.motion.roll_deg,
        "Vehicle.Chassis.SteeringWheel.Angle": lambda c: c.motion.steering_deg,
        "Vehicle.Chassis.Accelerator.PedalPosition": lambda c: c.powertrain.throttle_percent,
        "Vehicle.Chassis.Brake.PedalPosition": lambda c: c.controls.brake_percent,
        "Vehicle.Chassis.ParkingBrake.IsEngaged": lambda c: c.controls.parking_brake,
        "Vehicle.ADAS.ABS.IsEngaged": lambda c: c.surroundings.abs_active,
        "Vehicle.ADAS.ABS.IsError": lambda _: False,
        "Vehicle.ADAS.ESC.IsEngaged": lambda c: c.surroundings.esc_active,
        "Vehicle.ADAS.TCS.IsEngaged": lambda c: c.surroundings.tcs_active,
        "Vehicle.ADAS.CruiseControl.IsActive": lambda c: c.controls.cruise,
        "Vehicle.ADAS.CruiseControl.SpeedSet": lambda c: c.controls.cruise_kmh,
    }


def _powertrain() -> dict[str, Value]:
    return {
        f"{ENGINE}.Speed": lambda c: c.powertrain.engine_rpm,
        f"{ENGINE}.IsRunning": lambda c: c.powertrain.running,
        f"{ENGINE}.Torque": lambda c: c.powertrain.torque_nm,
        f"{ENGINE}.Power": lambda c: c.powertrain.power_kw,
        f"{ENGINE}.TPS": lambda c: c.powertrain.throttle_percent,
        f"{ENGINE}.MAF": lambda c: c.powertrain.intake_g_s,
        f"{ENGINE}.EngineHours": lambda c: c.powertrain.engine_s / 3600.0,
        f"{ENGINE}.EngineCoolant.Temperature": lambda c: c.powertrain.coolant_c,
        f"{ENGINE}.EngineOil.Temperature": lambda c: c.powertrain.oil_c,
        f"{ENGINE}.EngineOil.Level": lambda _: "NORMAL",
        f"{FUEL}.RelativeLevel": lambda c: c.powertrain.fuel_l / TANK_L * 100.0,
        f"{FUEL}.Range": range_m,
        "Vehicle.Powertrain.Range": range_m,
        f"{FUEL}.InstantConsumption": lambda c: c.powertrain.consumption_l_100km,
        f"{FUEL}.AverageConsumption": lambda c: c.powertrain.average_l_100km,
        f"{FUEL}.IsFuelLevelLow": lambda c: c.powertrain.fuel_l < LOW_FUEL_L,
        f"{GEARBOX}.SelectedGear": lambda c: c.powertrain.selector,
        f"{GEARBOX}.CurrentGear": lambda c: c.powertrain.gear,
        f"{GEARBOX}.PerformanceMode": lambda _: "NORMAL",
        f"{GEARBOX}.IsParkLockEngaged": lambda c: c.powertrain.selector == PARK,
        f"{GEARBOX}.IsLowRangeEngaged": lambda _: False,
        f"{GEARBOX}.DiffLockFrontEngagement": lambda _: 0.0,
        f"{GEARBOX}.DiffLockRearEngagement": lambda _: 0.0,
        f"{GEARBOX}.Temperature": lambda c: c.powertrain.gearbox_c,
        "Vehicle.LowVoltageSystemState": lambda c: c.controls.ignition.value,
        "Vehicle.LowVoltageBattery.CurrentVoltage": lambda c: c.powertrain.voltage_v,
        "Vehicle.LowVoltageBattery.CurrentCurrent": lambda c: c.powertrain.current_a,
    }


def _body() -> dict[str, Value]:
    return {
        f"{LIGHTS}.Beam.Low.IsOn": lambda c: c.controls.low_beam,
        f"{LIGHTS}.Beam.High.IsOn": lambda c: c.controls.high_beam,
        f"{LIGHTS}.Fog.Rear.IsOn": lambda c: c.controls.rear_fog,
        f"{LIGHTS}.Fog.Front.IsOn": lambda _: False,
        f"{LIGHTS}.Parking.IsOn": lambda c: c.controls.parking_lamps,
        f"{LIGHTS}.Running.IsOn": lambda c: c.controls.running_lamps,
        f"{LIGHTS}.Backup.IsOn": lambda c: c.powertrain.selector == REVERSE,
        f"{LIGHTS}.DirectionIndicator.Left.IsSignaling": lambda c: c.controls.indicator_left,
        f"{LIGHTS}.DirectionIndicator.Right.IsSignaling": lambda c: c.controls.indicator_right,
        f"{LIGHTS}.Hazard.IsSignaling": lambda c: c.controls.hazard,
        f"{LIGHTS}.Brake.IsActive": lambda c: "ACTIVE" if c.controls.brake_percent > 0 else "INACTIVE",
        "Vehicle.Body.Hood.IsOpen": lambda c: c.controls.hood,
        "Vehicle.Body.Trunk.Rear.IsOpen": lambda c: c.controls.trunk,
        "Vehicle.Body.Horn.IsActive": lambda c: c.controls.horn,
        "Vehicle.Body.Windshield.Front.Wiping.Mode": lambda c: c.controls.wiper.value,
        "Vehicle.Body.Windshield.Front.WasherFluid.Level": lambda c: c.surroundings.washer_percent,
        f"{HVAC}.AmbientAirTemperature": lambda c: c.surroundings.cabin_c,
        f"{HVAC}.IsAirConditioningActive": lambda c: c.controls.air_conditioning,
        f"{HVAC}.IsFrontDefrosterActive": lambda c: c.controls.defroster,
        f"{HVAC}.IsRecirculationActive": lambda c: c.controls.recirculation,
        f"{HVAC}.Station.Row1.Driver.Temperature": lambda c: c.controls.wish_c,
        f"{HVAC}.Station.Row1.Driver.FanSpeed": lambda c: c.controls.fan_percent,
        f"{HVAC}.Station.Row1.Passenger.Temperature": lambda c: c.controls.wish_c - 0.5,
        f"{HVAC}.Station.Row1.Passenger.FanSpeed": lambda c: c.controls.fan_percent * 0.8,
        "Vehicle.Exterior.AirTemperature": lambda c: c.surroundings.outside_c,
        "Vehicle.Exterior.Humidity": lambda c: c.surroundings.humidity_percent,
        "Vehicle.Exterior.LightIntensity": lambda c: c.surroundings.light_percent,
        "Vehicle.Service.DistanceToService": lambda c: 60_000.0 - c.motion.odometer_m / 1000.0,
        "Vehicle.Service.TimeToService": lambda c: 9_590_400 - int(c.time_s),
        "Vehicle.Service.IsServiceDue": lambda _: False,
        "Vehicle.Diagnostics.DTCCount": lambda _: 0,
        "Vehicle.SmartCockpit.TerrainMode": lambda _: "ROAD",
        "Vehicle.SmartCockpit.IsRearCameraRequested": lambda c: c.powertrain.selector == REVERSE,
    }


def _wheel(number: int) -> dict[str, Value]:
    row, side = WHEELS[number]
    wheel = f"Vehicle.Chassis.Axle.{row}.Wheel.{side}"
    degrees_per_kmh = 360.0 / 3.6 / TYRE_ROLLING_M

    def turn(car: CarState) -> float:
        sign = -1.0 if car.powertrain.selector == REVERSE else 1.0
        return sign * car.motion.wheel_kmh[number] * degrees_per_kmh

    return {
        f"{wheel}.Speed": lambda c: c.motion.wheel_kmh[number],
        f"{wheel}.AngularSpeed": turn,
        f"{wheel}.Tire.Pressure": lambda c: c.surroundings.tyre_kpa[number],
        f"{wheel}.Tire.IsPressureLow": lambda c: c.surroundings.tyre_kpa[number] < LOW_TYRE_KPA,
        f"{wheel}.Tire.Temperature": lambda c: c.surroundings.tyre_c[number],
        f"{wheel}.Brake.PadWear": lambda _: 34 - 5 * (number // 2),
    }


def _seat(number: int) -> dict[str, Value]:
    row, side = SEATS[number]

    def belted(car: CarState) -> bool:
        return (car.controls.belted, car.controls.passenger_belted, False, False)[number]

    return {
        f"Vehicle.Cabin.Door.{row}.{side}.IsOpen": lambda c: c.controls.doors[number],
        f"Vehicle.Cabin.Door.{row}.{side}.IsLocked": lambda c: c.controls.locked,
        f"Vehicle.Cabin.Door.{row}.{side}.Window.Position":
            lambda c: c.controls.window_percent if number == 0 else 0,
        f"Vehicle.Cabin.Seat.{row}.{side}.IsBelted": belted,
    }  # fmt: skip


VALUES: dict[str, Value] = {
    **_motion(), **_powertrain(), **_body(),
    **{path: value for n in range(4) for path, value in {**_wheel(n), **_seat(n)}.items()},
}  # fmt: skip
"""VSS path → the value that the model has for it."""
