# SPDX-License-Identifier: Apache-2.0
"""The VSS catalogue: vss-tools accepts it and sees the same leaves as our reader; its rules are enforced."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from smartcockpit.core.errors import ConfigError
from smartcockpit.core.signals import Datatype, SignalKind
from smartcockpit.core.vss import Unit, instance_names
from smartcockpit.vehicle.vspec import read_catalogue
from support.vehicles import VSS

VSPEC = Path(sys.executable).parent / "vspec"
LEAVES_OF_VSS_6 = 1267


@pytest.fixture(scope="module")
def catalogue():
    return read_catalogue(VSS)


def exported(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """What vss-tools makes of our files."""
    out = tmp_path / "vss.json"
    done = subprocess.run(
        [
            VSPEC,
            "export",
            "json",
            "-s",
            VSS / "Vehicle.vspec",
            "-l",
            VSS / "overlay.vspec",
            "-u",
            VSS / "units.yaml",
            "-q",
            VSS / "quantities.yaml",
            "--strict",
            "-o",
            out,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    leaves: dict[str, dict[str, Any]] = {}

    def walk(prefix: str, tree: dict[str, Any]) -> None:
        for name, node in tree.items():
            if node["type"] != "branch":
                leaves[prefix + name] = node
            walk(f"{prefix}{name}.", node.get("children", {}))

    walk("", json.loads(out.read_text()))
    return leaves


@pytest.mark.skipif(not VSPEC.exists(), reason="vss-tools is not installed")
def test_vss_tools_accepts_the_catalogue_and_sees_the_same_leaves(tmp_path, catalogue):
    theirs = exported(tmp_path)
    assert set(theirs) == set(catalogue.leaves)
    for path, node in theirs.items():
        spec = catalogue.leaves[path]
        assert (spec.unit, str(spec.kind), spec.minimum, spec.maximum, list(spec.allowed)) == (
            node.get("unit", ""),
            node["type"],
            node.get("min"),
            node.get("max"),
            [str(a) for a in node.get("allowed", [])],
        ), path
        if not node["datatype"].endswith("[]"):
            assert str(spec.datatype) == node["datatype"]


def test_all_of_vss_6_is_there_besides_our_overlay(catalogue):
    own = {p for p in catalogue.leaves if p.startswith(("Vehicle.SmartCockpit.", "Vehicle.Orientation."))}
    assert len(catalogue.leaves) - len(own) == LEAVES_OF_VSS_6


@pytest.mark.parametrize(
    ("path", "datatype", "unit", "kind"),
    [
        ("Vehicle.Speed", "float", "km/h", "sensor"),
        ("Vehicle.TraveledDistance", "uint32", "m", "sensor"),
        ("Vehicle.Powertrain.CombustionEngine.Speed", "float", "rpm", "sensor"),
        ("Vehicle.Cabin.Door.Row2.PassengerSide.IsOpen", "boolean", "", "actuator"),
        ("Vehicle.Chassis.Axle.Row1.Wheel.Left.Tire.Pressure", "uint16", "kPa", "sensor"),
        ("Vehicle.Exterior.AirTemperature", "float", "Celsius", "sensor"),
        ("Vehicle.VehicleIdentification.VIN", "string", "", "attribute"),
        ("Vehicle.Diagnostics.DTCList", "string[]", "", "sensor"),
        ("Vehicle.Orientation.Pitch", "float", "degrees", "sensor"),
    ],
)
def test_leaf(catalogue, path, datatype, unit, kind):
    spec = catalogue.leaves[path]
    assert (spec.datatype, spec.unit, spec.kind) == (Datatype(datatype), unit, SignalKind(kind))


def test_every_leaf_is_described_and_every_unit_declared(catalogue):
    assert [p for p, spec in catalogue.leaves.items() if not spec.description] == []
    assert catalogue.units["km/h"] == Unit("km/h", "velocity")


@pytest.mark.parametrize(
    ("written", "levels"),
    [
        (["Left", "Right"], [["Left", "Right"]]),
        ("Row[1,3]", [["Row1", "Row2", "Row3"]]),
        (["Row[1,2]", ["A", "B"]], [["Row1", "Row2"], ["A", "B"]]),
        ([["A", "B"]], [["A", "B"]]),
    ],
)
def test_instances(written, levels):
    assert instance_names(written) == levels


def overlaid(tmp_path: Path, text: str):
    layer = tmp_path / "layer.vspec"
    layer.write_text(text)
    return read_catalogue(VSS, (layer,))


def test_overlay_changes_one_instance_or_all(tmp_path):
    text = "Vehicle.Cabin.Door.Row1.DriverSide.IsOpen: {type: sensor}\nVehicle.Cabin.Seat.IsBelted: {type: actuator}\n"
    leaves = overlaid(tmp_path, text).leaves
    assert leaves["Vehicle.Cabin.Door.Row1.DriverSide.IsOpen"].kind == "sensor"
    assert leaves["Vehicle.Cabin.Door.Row2.DriverSide.IsOpen"].kind == "actuator"
    assert leaves["Vehicle.Cabin.Seat.Row2.Middle.IsBelted"].kind == "actuator"


def test_overlay_removes_a_branch(tmp_path):
    leaves = overlaid(tmp_path, "Vehicle.Cabin.Door: {type: branch, delete: true}\n").leaves
    assert not [p for p in leaves if p.startswith("Vehicle.Cabin.Door.")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "Vehicle.Spede.Now: {type: sensor, datatype: float}",
            "branch 'Vehicle.Spede' of 'Vehicle.Spede.Now' is not declared",
        ),
        ("Vehicle.Mine: {type: sensor, datatype: flaot}", "unknown datatype 'flaot'"),
        ("Vehicle.Mine: {type: sensr, datatype: float}", "unknown type 'sensr'"),
        ("Vehicle.Mine: {type: sensor, datatype: float, unit: celsius}", "unknown unit 'celsius'"),
        ("Vehicle.Mine: {type: sensor}", "has no datatype"),
        ("Vehicle.Mine: {type: sensor, datatype: float, min: low}", "min of Vehicle.Mine is 'low'"),
        ("Vehicle.mine: {type: sensor, datatype: float}", "is no VSS name"),
        ("Vehicle.Mine: 3", "has no keys"),
        ("Vehicle.Mine: {type: sensor", "broken YAML"),
        ("#include nowhere.vspec", "'nowhere.vspec' is not there"),
        (
            "Vehicle.Mine: {type: sensor, datatype: float}\nVehicle.Mine: {type: sensor, datatype: float}",
            "written twice",
        ),
    ],
)
def test_mistake_is_named_with_file_and_line(tmp_path, text, said):
    with pytest.raises(ConfigError) as caught:
        overlaid(tmp_path, "# first line\n" + text + "\n")
    assert said in caught.value.message
    assert str(tmp_path / "layer.vspec:") in caught.value.message
