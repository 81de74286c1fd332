# SPDX-License-Identifier: Apache-2.0
"""The vehicle folder as a whole: settings, broken files, the demo car, and the command line."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smartcockpit.core.errors import ConfigError, SmartCockpitError
from smartcockpit.core.table import FORMAT, VehicleTable
from smartcockpit.vehicle.__main__ import main
from smartcockpit.vehicle.compiler import compile_vehicle
from support.vehicles import DBC, DEMO, SIGNALS, VSS, compiled, load, write_folder

BUS = '[[bus]]\nname = "b"\nchannel = "can0"\ndbc = ["car.dbc"]\n'


def test_folder_without_settings_is_one_classic_bus_on_can0(tmp_path):
    table = compiled(write_folder(tmp_path / "my car"))
    assert (table.name, [(b.channel, b.fd) for b in table.buses]) == ("my_car", [("can0", False)])


def test_declared_cycle_and_timeout_win_over_three_cycles_of_the_dbc(tmp_path):
    dbc = DBC + 'BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;\nBA_ "GenMsgCycleTime" BO_ 256 20;\n'
    motion = compiled(write_folder(tmp_path / "a", dbc)).messages[0]
    assert (motion.cycle_ms, motion.timeout_ms) == (20, 60)
    toml = BUS + "[message.Motion]\ncycle_ms = 50\ntimeout_ms = 500\n"
    motion = compiled(write_folder(tmp_path / "b", dbc, toml=toml)).messages[0]
    assert (motion.cycle_ms, motion.timeout_ms) == (50, 500)


def test_attributes_become_constant_signals(tmp_path):
    toml = BUS + '[attributes]\n"Vehicle.VehicleIdentification.Brand" = "Own"\n'
    table = compiled(write_folder(tmp_path / "car", toml=toml))
    ((index, value),) = table.attributes
    assert (table.signals[index].path, value) == ("Vehicle.VehicleIdentification.Brand", "Own")


SETTINGS_MISTAKES = [
    ("[[bus]\n", "broken TOML"),
    ("name = 3\n" + BUS, "name of vehicle.toml is 3"),
    ("buss = 1\n" + BUS, "unknown key 'buss'"),
    ("name = 'x'\n", "no [[bus]]"),
    (BUS.replace("car.dbc", "cra.dbc"), "no file 'cra.dbc'"),
    (BUS + "bitrate = 3\n", "bitrate is 3"),
    (BUS + BUS, "two buses have the same name"),
    (BUS + "[message.Moton]\ncycle_ms = 5\n", "unknown message 'Moton'"),
    (BUS + "[message.Motion]\ncycle = 5\n", "unknown key 'cycle'"),
    (BUS + "[message.Motion]\ncycle_ms = -5\n", "cycle_ms is -5"),
    (
        BUS + '[message.Motion]\nchecksum = {signal = "Crc", algorithm = "crc8"}\n',
        "unknown checksum algorithm 'crc8'",
    ),
    (BUS + '[message.Motion]\nchecksum = {signal = "Crk", algorithm = "xor8"}\n', "unknown signal 'Crk'"),
    (BUS + '[message.Motion]\nchecksum = {signal = "Count", algorithm = "xor8"}\n', "is not 1 whole byte(s)"),
    (BUS + '[message.Motion]\ncounter = {signal = "Cnt"}\n', "unknown signal 'Cnt'"),
    (BUS + '[limits]\n"Vehicle.Speed" = [9, 1]\n', "limits of Vehicle.Speed are [9, 1]"),
    (BUS + '[limits]\n"Vehicle.Sped" = [1, 9]\n', "limits of Vehicle.Sped, which is not mapped"),
    (BUS + '[attributes]\n"Vehicle.Powertrain.Type" = "STEAM"\n', "may not be 'STEAM'"),
    (BUS + '[attributes]\n"Vehicle.IsMoving" = true\n', "is a sensor"),
]


@pytest.mark.parametrize(("toml", "said"), SETTINGS_MISTAKES, ids=lambda value: str(value)[-40:])
def test_mistake_in_the_settings_is_named(tmp_path, toml, said):
    with pytest.raises(ConfigError) as caught:
        compile_vehicle(write_folder(tmp_path / "car", toml=toml), VSS)
    assert said in caught.value.message
    assert "vehicle.toml" in caught.value.message


@pytest.mark.parametrize(
    ("dbc", "said"),
    [
        ("", "no message in this DBC"),
        ("hello world\n", "broken DBC"),
        (DBC[: DBC.index("SG_ Door") + 14], "broken DBC"),
        (DBC.replace("0|16@1+ (0.1,0)", "0|16@1+ (0.1;0)"), "broken DBC"),
    ],
)
def test_broken_dbc_is_one_sentence_with_the_file(tmp_path, dbc, said):
    with pytest.raises(ConfigError) as caught:
        compile_vehicle(write_folder(tmp_path / "car", dbc), VSS)
    assert said in caught.value.message
    assert "car.dbc" in caught.value.message
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_binary_dbc_does_not_raise_anything_else(tmp_path):
    folder = write_folder(tmp_path / "car")
    (folder / "car.dbc").write_bytes(bytes(range(256)))
    with pytest.raises(ConfigError):
        compile_vehicle(folder, VSS)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    which=st.sampled_from(["car.dbc", "signals.vspec", "vehicle.toml"]),
    cut=st.floats(0, 1),
    put=st.binary(max_size=6),
)
def test_damaged_file_compiles_or_is_refused_but_never_crashes(tmp_path, which, cut, put):
    folder = write_folder(tmp_path / "car", toml=BUS)
    text = (folder / which).read_bytes()
    at = int(cut * len(text))
    (folder / which).write_bytes(text[:at] + put)
    try:
        compile_vehicle(folder, VSS)
    except SmartCockpitError as error:
        refused = error
    else:
        return
    assert refused.exit_code in (69, 78)
    assert "\n" not in refused.message


def test_signal_that_does_not_fit_its_message_is_left_out_with_a_warning(tmp_path):
    dbc = DBC.replace("SG_ Volume : 32|8", "SG_ Volume : 60|8")
    vehicle = compile_vehicle(write_folder(tmp_path / "car", dbc), VSS)
    assert any("signal Volume ends in byte 9 of 8, signal left out" in w for w in vehicle.warnings)


def test_two_files_with_one_id_on_one_bus_are_refused(tmp_path):
    folder = write_folder(tmp_path / "car")
    (folder / "second.dbc").write_text(DBC.replace("Motion", "Other"))
    with pytest.raises(ConfigError, match="on the same bus"):
        compile_vehicle(folder, VSS)


def test_demo_car_is_what_its_page_promises():
    vehicle = compile_vehicle(DEMO, VSS)
    assert vehicle.warnings == ()
    assert len(vehicle.plan.signals) >= 60
    assert [b.data_bitrate > 0 for b in vehicle.plan.buses] == [False, True]
    assert any(m.checksum and m.counter for m in vehicle.plan.messages)
    assert any(f.conditions for m in vehicle.plan.messages for f in m.fields)
    assert any(m.length == 64 for m in vehicle.plan.messages)
    fast = [m for m in vehicle.plan.messages if m.cycle_ms <= 50]
    assert fast
    assert {m.timeout_ms for m in fast} == {500}


def test_table_of_another_format_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="table format 99"):
        VehicleTable.from_namespace({"FORMAT": 99})
    with pytest.raises(ConfigError, match="damaged"):
        VehicleTable.from_namespace({"FORMAT": FORMAT, "VEHICLE": "x"})


def test_compile_writes_a_table_once(tmp_path, capsys):
    folder, output = write_folder(tmp_path / "car"), tmp_path / "out" / "car.py"
    command = ["compile", str(folder), "-o", str(output), "--newer", "--json", "--vss", str(VSS)]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["changed"] is True
    assert load(output.read_text()).name == "car"
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["changed"] is False
    (folder / "signals.vspec").write_text(SIGNALS + "# touched\n")
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out)["changed"] is True
    assert [p.name for p in output.parent.iterdir()] == ["car.py"]


def test_failed_compile_leaves_the_old_table_alone(tmp_path, capsys):
    folder, output = write_folder(tmp_path / "car"), tmp_path / "car.py"
    output.write_text("old")
    (folder / "car.dbc").write_text("junk")
    assert main(["compile", str(folder), "-o", str(output), "--vss", str(VSS)]) == 78
    assert output.read_text() == "old"
    assert "Hint:" in capsys.readouterr().err


def test_output_that_cannot_be_written_is_exit_code_69(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    folder = write_folder(tmp_path / "car")
    assert main(["compile", str(folder), "-o", str(tmp_path / "file" / "car.py"), "--vss", str(VSS)]) == 69
    assert "cannot be written" in capsys.readouterr().err


def test_check_and_show_speak_json(tmp_path, capsys):
    assert main(["check", str(DEMO), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert main(["show", str(DEMO), "Vehicle.Speed", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["signals"][0]["message"] == "VehicleMotion"
    assert main(["show", str(DEMO), "Vehicle.Sped", "--json"]) == 2
    assert "Vehicle.Speed" in json.loads(capsys.readouterr().out)["hint"]
    assert main(["check", str(tmp_path / "none"), "--json"]) == 78


def test_wrong_use_is_exit_code_2(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["complie"])
    assert caught.value.code == 2


def test_running_parts_import_neither_cantools_nor_yaml():
    code = (
        "import sys, smartcockpit.core.decode, smartcockpit.core.table, smartcockpit.vehicle.sources, "
        "smartcockpit.vehicle.build; print(sorted({'cantools', 'yaml', 'can'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_interrupted_compile_leaves_nothing_behind(tmp_path, monkeypatch):
    from smartcockpit.vehicle.build import build

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    vehicle = compile_vehicle(write_folder(tmp_path / "car"), VSS)
    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        build(vehicle, tmp_path / "out" / "car.py")
    assert list((tmp_path / "out").iterdir()) == []
