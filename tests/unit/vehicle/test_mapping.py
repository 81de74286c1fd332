# SPDX-License-Identifier: Apache-2.0
"""What a mapping may say: KUKSA's format and defaults, older VSS versions with notes, mistakes with place."""

from __future__ import annotations

import json

import pytest
from smartcockpit.core.errors import ConfigError
from smartcockpit.core.plan import Linear
from smartcockpit.vehicle.compiler import compile_vehicle
from support.vehicles import DBC, VSS, write_folder


def mapped(tmp_path, signals: str, dbc: str = DBC, toml: str = ""):
    return compile_vehicle(write_folder(tmp_path / "car", dbc, signals, toml), VSS)


def only(vehicle):
    (message,) = vehicle.plan.messages
    (signal,) = message.mapped
    return signal


@pytest.mark.parametrize(
    ("keys", "interval_ms", "on_change"),
    [
        ("", 1000, False),
        ("on_change: true", 0, True),
        ("on_change: false", 1000, False),
        ("interval_ms: 50", 50, False),
        ("interval_ms: 50, on_change: true", 50, True),
    ],
)
def test_defaults_of_interval_and_on_change_are_kuksas(tmp_path, keys, interval_ms, on_change):
    signal = only(mapped(tmp_path, f"Vehicle.Speed: {{dbc2vss: {{signal: Speed, {keys}}}}}"))
    assert (signal.interval_ms, signal.on_change) == (interval_ms, on_change)


def test_linear_formula_is_folded_into_scale_and_offset(tmp_path):
    signal = only(mapped(tmp_path, "Vehicle.Speed: {dbc: {signal: Speed, transform: {math: '(x+1)*2'}}}"))
    assert isinstance(signal.conversion, Linear)
    assert (signal.conversion.scale, signal.conversion.offset) == (pytest.approx(0.2), 2)


def test_kuksas_nested_json_loads(tmp_path):
    folder = write_folder(tmp_path / "car")
    (folder / "signals.vspec").unlink()
    leaf = {"type": "sensor", "datatype": "float", "dbc2vss": {"signal": "Speed"}}
    tree = {
        "Vehicle": {
            "type": "branch",
            "children": {"Speed": leaf, "Gone": {"type": "sensor", "datatype": "float"}},
        }
    }
    (folder / "signals.json").write_text(json.dumps(tree))
    assert only(compile_vehicle(folder, VSS)).spec.path == "Vehicle.Speed"


def test_file_for_vss_4_loads_with_a_note_for_each_change(tmp_path):
    vehicle = mapped(
        tmp_path,
        """
Vehicle.OBD.Speed: {type: sensor, datatype: float, dbc: {signal: Speed}}
Vehicle.OBD.AmbientAirTemperature: {type: sensor, datatype: float, unit: celsius, dbc: {signal: Temp}}
Vehicle.OBD.RunTime: {type: sensor, datatype: float, dbc: {signal: Volume}}
Vehicle.Cabin.Door.Row1.Left.IsOpen:
  type: actuator
  datatype: boolean
  dbc: {signal: Door, transform: {mapping: [{from: CLOSED, to: false}, {from: OPEN, to: true}]}}
""",
    )
    assert [s.path for s in vehicle.plan.signals] == [
        "Vehicle.Speed",
        "Vehicle.Exterior.AirTemperature",
        "Vehicle.Cabin.Door.Row1.DriverSide.IsOpen",
    ]
    text = "\n".join(vehicle.warnings)
    for part in (
        "signals.vspec:2: Vehicle.OBD.Speed is Vehicle.Speed in VSS 6.0",
        "unit celsius is written Celsius",
        "signals.vspec:4: Vehicle.OBD.RunTime was removed",
        "Row1.Left.IsOpen is Vehicle.Cabin.Door.Row1.DriverSide",
    ):
        assert part in text


def test_odometer_mapped_for_vss_5_in_km_is_converted_to_m_with_a_note(tmp_path):
    dbc = DBC.replace('"%" B', '"km" B').replace("SG_ Volume", "SG_ Odo").replace("[0|100]", "[0|255]")
    vehicle = mapped(
        tmp_path, "Vehicle.TraveledDistance: {type: sensor, datatype: float, dbc: {signal: Odo}}", dbc
    )
    conversion = only(vehicle).conversion
    assert isinstance(conversion, Linear)
    assert conversion.scale == 1000
    assert any("is in m in VSS 6.0, not in km" in w for w in vehicle.warnings)
    assert any("is uint32 in VSS 6.0, not float" in w for w in vehicle.warnings)


def test_message_and_bus_tell_equal_names_apart(tmp_path):
    dbc = DBC.replace(
        "BO_ 2147483904 Tyres",
        'BO_ 300 Copy: 8 A\n SG_ Speed : 0|8@1+ (1,0) [0|0] "" B\n\nBO_ 2147483904 Tyres',
    )
    with pytest.raises(ConfigError, match=r"in several messages: Motion \(bus can\), Copy \(bus can\)"):
        mapped(tmp_path, "Vehicle.Speed: {dbc: {signal: Speed}}", dbc)
    vehicle = mapped(tmp_path, "Vehicle.Speed: {dbc: {signal: Speed, message: Copy, bus: can}}", dbc)
    assert vehicle.plan.messages[0].name == "Copy"


MISTAKES = [
    ("Vehicle.Sped: {dbc: {signal: Speed}}", "'Vehicle.Sped' is not in the VSS catalogue", "Vehicle.Speed"),
    ("Vehicle.Chassis: {dbc: {signal: Speed}}", "is a branch of the catalogue", ""),
    ("Vehicle.Speed: {dbc: {signal: Sped}}", "no DBC signal 'Sped' in the DBC files", "Speed"),
    ("Vehicle.Speed: {dbc: {signal: Speed, message: Moton}}", "unknown message 'Moton'", "Motion"),
    ("Vehicle.Speed: {dbc: {signal: Speed, bus: cn}}", "unknown bus 'cn'", "can"),
    ("Vehicle.Speed: {dbc: {signal: Speed, interval: 5}}", "unknown key 'interval'", "interval_ms"),
    (
        "Vehicle.Speed: {dbc: {signal: Speed, interval_ms: true}}",
        "interval_ms: of Vehicle.Speed is True",
        "whole",
    ),
    ("Vehicle.Speed: {dbc: {signal: Speed, on_change: 1}}", "neither true nor false", ""),
    ("Vehicle.Speed: {dbc: {}}", "signal: (name of the DBC signal) is missing", ""),
    ("Vehicle.Speed: {dbc: Speed}", "needs keys below it", "signal: NAME"),
    ("Vehicle.Speed: {dbc: {signal: Speed}, dbc2vss: {signal: Speed}}", "they mean the same", "keep one"),
    ("Vehicle.Speed: {dbc: {signal: Speed}, datatyp: float}", "unknown key 'datatyp'", "datatype"),
    ("Vehicle.Speed: {vss2dbc: {signal: Speed}}", "vss2dbc: is for actuators", ""),
    ("Vehicle.Speed: {dbc: {signal: Speed, transform: {math: 'flor(x)'}}}", "unknown name 'flor'", "floor"),
    ("Vehicle.Speed: {dbc: {signal: Speed, transform: {maths: x}}}", "unknown transform 'maths'", "math"),
    ("Vehicle.Speed: {dbc: {signal: Speed, transform: {math: '3'}}}", "does not depend on x", ""),
    (
        "Vehicle.Speed: {dbc: {signal: Temp}}",
        "is a velocity, DBC signal Temp (degC) is a temperature",
        "map another",
    ),
    ("Vehicle.Chassis.Axle.Row1.Wheel.Left.Brake.PadWear: {dbc: {signal: Temp}}", "is a relation", ""),
    (
        "Vehicle.IsMoving: {dbc: {signal: Door}}",
        "is boolean (0 … 1), DBC signal Door ranges from 0 to 3",
        "mapping",
    ),
    ("Vehicle.Powertrain.Transmission.CurrentGear: {dbc: {signal: Crc}}", "is int8 (-128 … 127)", "math"),
    (
        "Vehicle.LowVoltageSystemState: {dbc: {signal: Speed}}",
        "is a string, DBC signal Speed gives numbers",
        "mapping",
    ),
    ("Vehicle.LowVoltageSystemState: {dbc: {signal: Door}}", "may not be 'CLOSED'", "allowed are"),
    ("Vehicle.Diagnostics.DTCList: {dbc: {signal: Door}}", "is an array", ""),
    (
        "Vehicle.IsMoving: {dbc: {signal: Door, transform: {mapping: [{from: OPN, to: true}]}}}",
        "has no value called 'OPN'",
        "OPEN",
    ),
    (
        "Vehicle.IsMoving: {dbc: {signal: Door, transform: {mapping: [{from: 1, to: true}]}}}",
        "is called 'OPEN'",
        "name",
    ),
    (
        "Vehicle.IsMoving: {dbc: {signal: Door, transform: {mapping: [{from: ON, to: true}]}}}",
        "truth value",
        "quotes",
    ),
    (
        "Vehicle.IsMoving: {dbc: {signal: Door, transform: {mapping: [{from: OPEN, to: 1}]}}}",
        "is boolean, not 1",
        "",
    ),
    (
        "Vehicle.IsMoving: {dbc: {signal: Volume, transform: {mapping: [{from: 999, to: true}]}}}",
        "never has",
        "",
    ),
    ("Vehicle.IsMoving: {dbc: {signal: Door, transform: {mapping: [{from: OPEN}]}}}", "from: and to:", ""),
    ("Vehicle.Speed: {dbc: {signal: Speed}, unit: stars}", "the file says stars", "transform"),
    ("Vehicle.Speed: [1]", "has no keys", ""),
    ("Vehicle.Speed: {dbc: {signal: Speed}\n", "broken YAML", "indentation"),
    ("Vehicle.Speed:\n\t- x", "broken YAML", ""),
    ("", "no signal is mapped", "dbc:"),
]


@pytest.mark.parametrize(("text", "said", "hint"), MISTAKES, ids=lambda value: str(value)[:60])
def test_mistake_is_refused_with_file_line_and_remedy(tmp_path, text, said, hint):
    with pytest.raises(ConfigError) as caught:
        mapped(tmp_path, f"# a comment\n{text}\n")
    assert said in caught.value.message
    assert hint in caught.value.hint
    assert "signals.vspec" in caught.value.message
    if text and "broken" not in said:
        assert "signals.vspec:2:" in caught.value.message


def test_mph_is_refused_with_the_factor(tmp_path):
    with pytest.raises(ConfigError) as caught:
        mapped(tmp_path, "Vehicle.Speed: {dbc: {signal: Speed}}", DBC.replace('"km/h"', '"mph"'))
    assert "x*1.609344" in caught.value.hint
