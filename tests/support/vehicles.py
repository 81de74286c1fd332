# SPDX-License-Identifier: Apache-2.0
"""Small vehicle folders and frames for tests of the compiler and the decoder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from smartcockpit.core.plan import BusPlan, Linear, MappedSignal, MessagePlan, VehiclePlan
from smartcockpit.core.signals import Datatype, SignalSpec
from smartcockpit.core.table import VehicleTable
from smartcockpit.vehicle.compiler import compile_vehicle
from smartcockpit.vehicle.database import read_dbc
from smartcockpit.vehicle.table_source import write_table

REPO = Path(__file__).parents[2]
DEMO = REPO / "dbc" / "demo"
VSS = REPO / "dbc" / "vss"
REAL_DBC = REPO.parent / "shared" / "data" / "dbc"

DBC = """VERSION ""
BU_: A B

BO_ 256 Motion: 8 A
 SG_ Speed : 0|16@1+ (0.1,0) [0|300] "km/h" B
 SG_ Gear : 16|3@1+ (1,0) [0|7] "" B
 SG_ Door : 19|2@1+ (1,0) [0|3] "" B
 SG_ Temp : 24|8@1+ (1,-40) [-40|214] "degC" B
 SG_ Volume : 32|8@1+ (1,0) [0|100] "%" B
 SG_ Count : 48|4@1+ (1,0) [0|15] "" B
 SG_ Crc : 56|8@1+ (1,0) [0|255] "" B

BO_ 2147483904 Tyres: 8 A
 SG_ Wheel M : 0|4@1+ (1,0) [0|15] "" B
 SG_ PressureLeft m0 : 8|16@1+ (1,0) [0|600] "kPa" B
 SG_ PressureRight m1 : 8|16@1+ (1,0) [0|600] "kPa" B
 SG_ Pitch : 32|32@1- (1,0) [0|0] "deg" B

SIG_VALTYPE_ 2147483904 Pitch : 1;
VAL_ 256 Gear 0 "P" 1 "R" 2 "N" 3 "D" 7 "SNA" ;
VAL_ 256 Door 0 "CLOSED" 1 "OPEN" 3 "SNA" ;
VAL_ 256 Temp 255 "SNA" ;
"""

SIGNALS = """
Vehicle.Speed: {dbc: {signal: Speed, on_change: true}}
Vehicle.Powertrain.Transmission.SelectedGear:
  dbc:
    signal: Gear
    on_change: true
    transform:
      mapping:
        - {from: P, to: 126}
        - {from: R, to: -1}
        - {from: D, to: 127}
Vehicle.Exterior.AirTemperature: {dbc: {signal: Temp, on_change: true}}
Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure: {dbc: {signal: PressureLeft, on_change: true}}
Vehicle.Chassis.Axle.Row1.Wheel.Right.Tire.Pressure: {dbc: {signal: PressureRight, on_change: true}}
Vehicle.Orientation.Pitch: {dbc: {signal: Pitch, on_change: true}}
"""

MOTION, TYRES = 0x100, 0x8000_0100


def write_folder(folder: Path, dbc: str = DBC, signals: str = SIGNALS, toml: str = "") -> Path:
    """Write a vehicle folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "car.dbc").write_text(dbc)
    (folder / "signals.vspec").write_text(signals)
    if toml:
        (folder / "vehicle.toml").write_text(toml)
    return folder


def load(source: str) -> VehicleTable:
    """Return the table of a generated module's text."""
    names: dict[str, Any] = {}
    exec(compile(source, "table", "exec"), names)
    return VehicleTable.from_namespace(names)


def compiled(folder: Path) -> VehicleTable:
    """Compile a vehicle folder in memory."""
    return load(write_table(compile_vehicle(folder, VSS).plan))


def whole_dbc(path: Path) -> VehicleTable:
    """Compile all messages of a DBC file, nothing mapped: for comparing `decode` with cantools."""
    messages = tuple(MessagePlan(0, m.can_id, m.name, m.length, m.fields) for m in read_dbc(path, []))
    return load(write_table(VehiclePlan("whole", (BusPlan("b", "can0", 500_000),), (), messages)))


def mapped_dbc(path: Path) -> VehicleTable:
    """Compile all messages of a DBC file, each signal mapped as it is to a double."""
    specs: list[SignalSpec] = []
    messages = []
    for message in read_dbc(path, []):
        mapped = []
        for i, place in enumerate(message.fields):
            limits = (-1.7e308, 1.7e308) if place.place.is_float else (None, None)
            line = Linear(Fraction(str(place.scale)), Fraction(str(place.offset)), *limits)
            spec = SignalSpec(f"Vehicle.S{len(specs)}", Datatype.DOUBLE)
            mapped.append(MappedSignal(len(specs), i, spec, line))
            specs.append(spec)
        plan = MessagePlan(0, message.can_id, message.name, message.length, message.fields, tuple(mapped))
        messages.append(plan)
    buses = (BusPlan("b", "can0", 500_000),)
    return load(write_table(VehiclePlan("mapped", buses, tuple(specs), tuple(messages))))


def classic(can_id: int, data: bytes) -> tuple[int, bytes]:
    """Return the record of a classic frame."""
    return can_id, bytes((len(data), 0, 0, 0)) + data.ljust(8, b"\0")


def fd(can_id: int, data: bytes) -> tuple[int, bytes]:
    """Return the record of an FD frame."""
    return can_id, bytes((len(data), 1, 0, 0)) + data.ljust(64, b"\0")


@dataclass
class Batch:
    """Frames in memory; record i was received at 1000 + i µs."""

    records: Iterable[tuple[int, bytes]] = field(default_factory=list)

    def time_us(self, i: int) -> int:
        return 1000 + i
