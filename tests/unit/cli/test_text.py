# SPDX-License-Identifier: Apache-2.0
"""How cockpitctl writes things for people and for programs."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.cli import boot, can, inventory, output, signals, status, text
from smartcockpit.core.errors import UsageError


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "0 ms"),
        (0.04, "40 ms"),
        (3.21, "3.2 s"),
        (42, "42 s"),
        (300, "5 min"),
        (7300, "2 h"),
        (260_000, "3 d"),
    ],
)
def test_age(seconds: float, shown: str) -> None:
    assert text.age_text(seconds) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "yes"), (88.25, "88.25"), (2.0, "2"), (-0.0001, "0"), (1e12, "1e+12"), ("", "–"),
        (["a", "b"], "a, b"), (7, "7"),
    ],
)  # fmt: skip
def test_value(value: object, shown: str) -> None:
    assert text.value_text(value) == shown  # type: ignore[arg-type]


@given(st.lists(st.lists(st.text(max_size=12), min_size=3, max_size=3), max_size=8))
def test_table_is_aligned_and_never_passes_control_characters_on(rows: list[list[str]]) -> None:
    shown = text.table(("A", "B", "C"), rows, right=(1,))
    assert "\x1b" not in shown
    assert len(shown.split("\n")) == len(rows) + 1


def test_json_has_no_nan() -> None:
    body = {"a": [math.nan, 1.5, math.inf], "b": {"c": -math.inf}}
    assert json.loads(output.line(body)) == {"a": [None, 1.5, None], "b": {"c": None}}


def test_prefix_matches_whole_names_only() -> None:
    assert signals.below("Vehicle.Cabin.Door", "Vehicle.Cabin")
    assert signals.below("Vehicle.Cabin", "Vehicle.Cabin.")
    assert signals.below("Vehicle.Cabin.Door", "Vehicle.Cabin.*")
    assert not signals.below("Vehicle.CabinX", "Vehicle.Cabin")


def test_bus_name_is_found_by_the_daemons_short_name() -> None:
    names = ["org.smartcockpit.CanBridge1", "org.smartcockpit.Ota12", ":1.5"]
    assert inventory.bus_name("canbridge", names) == names[0]
    assert inventory.bus_name("ota", names) == names[1]
    assert inventory.bus_name("gnss", names) == ""


def test_unit_and_program_names_are_understood_as_daemons() -> None:
    assert inventory.chosen(["smartcockpit-canbridge.service"]) == ["canbridge"]
    with pytest.raises(UsageError, match="no daemon"):
        inventory.chosen(["x" * 1000])


def test_boot_slot_comes_from_the_kernel_command_line(tmp_path: object) -> None:
    from pathlib import Path

    line = Path(str(tmp_path)) / "cmdline"
    assert status.boot_slot(line) is None
    line.write_text("root=/dev/vda2 rauc.slot=B quiet\n")
    assert status.boot_slot(line) == "B"
    assert len(boot.STAMPS) + 1 == boot.COMPLETE
    assert len(can.ERROR_COUNTERS) > 5
