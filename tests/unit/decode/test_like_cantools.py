# SPDX-License-Identifier: Apache-2.0
"""`decode` of a compiled table gives bit by bit what cantools gives, on made-up, our own and real databases."""

from __future__ import annotations

import math
import random
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smartcockpit.vehicle.database import CAN_EFF_FLAG, load_cantools, read_dbc
from support.vehicles import DEMO, REAL_DBC, whole_dbc

REAL_FILES = sorted(REAL_DBC.glob("*.dbc"))
NO_REAL_FILES = f"the folder of real DBC files ({REAL_DBC}) is not there"


def bits(value: Any) -> Any:
    """Equal iff the values are of one type and equal to the last bit; all NaNs are alike."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else struct.pack("<d", value + 0.0)
    return value


def assert_alike(path: Path, rng: random.Random, frames: int) -> int:
    table = {(m.can_id, m.name): m for m in whole_dbc(path).messages}
    compared = 0
    for message in load_cantools(path).messages:
        own = table.get((message.frame_id | (CAN_EFF_FLAG if message.is_extended_frame else 0), message.name))
        if own is None or not decodes(message):
            continue
        for _ in range(frames):
            data = rng.randbytes(message.length)
            ours = {n: v for n, v in zip(own.fields, own.decode(data), strict=True) if v is not None}
            try:
                peer = message.decode(data, decode_choices=False)
            except Exception as error:
                if "multiplexer" not in str(error):
                    raise
                continue  # cantools raises for an unknown multiplexer value, we go on
            assert {n: bits(v) for n, v in ours.items()} == {n: bits(v) for n, v in peer.items()}, (
                message.name
            )
            compared += 1
    return compared


def decodes(message: Any) -> bool:
    """cantools refuses every frame of a message whose signals overlap in certain ways."""
    try:
        message.decode(bytes(message.length))
    except Exception as error:
        return "multiplexer" in str(error)
    return True


@pytest.mark.parametrize("name", ["powertrain", "body"])
def test_demo_car(name):
    assert assert_alike(DEMO / f"{name}.dbc", random.Random(1), 100) >= 500


@pytest.mark.skipif(not REAL_FILES, reason=NO_REAL_FILES)
@pytest.mark.parametrize("path", REAL_FILES, ids=lambda path: path.stem)
def test_real_car(path):
    assert assert_alike(path, random.Random(2), 25) >= 300


WARNED = {
    "chrysler_cusw": ["BSM_LEFT", "BSM_RIGHT"],
    "fca_giorgio": ["CAM_UNKNOWN_6"],
    "vw_mqb": ["PLA_01"],
}


@pytest.mark.skipif(not REAL_FILES, reason=NO_REAL_FILES)
@pytest.mark.parametrize("path", REAL_FILES, ids=lambda path: path.stem)
def test_what_cantools_strict_mode_refuses_is_a_warning_with_file_and_message(path):
    warnings: list[str] = []
    assert read_dbc(path, warnings)
    assert [w for w in warnings if not w.startswith(f"{path}: message ")] == []
    for name in WARNED.get(path.stem, []):
        assert any(f"message {name}:" in w for w in warnings)
    assert bool(warnings) == (path.stem in WARNED)


@st.composite
def databases(draw: st.DrawFn) -> str:
    """A DBC with one message: signals anywhere (overlap allowed), both byte orders, signed, float, scaled."""
    length = draw(st.sampled_from([1, 3, 8, 8, 20, 64]))
    lines, types = ["BU_: A", "", f"BO_ 291 M: {length} A"], []
    taken: set[int] = set()
    for number in range(draw(st.integers(1, 12))):
        is_float = length >= 8 and draw(st.integers(0, 5)) == 0
        size = draw(st.sampled_from([32, 64])) if is_float else draw(st.integers(1, min(64, 8 * length)))
        first = draw(st.integers(0, 8 * length - size))
        big = draw(st.booleans())
        places = (
            {8 * (b // 8) + 7 - b % 8 for b in range(first, first + size)}
            if big
            else set(range(first, first + size))
        )
        if taken & places:
            continue
        taken |= places
        start = 8 * (first // 8) + 7 - first % 8 if big else first
        scale = draw(st.sampled_from(["1", "2", "0.1", "0.25", "-0.5", "1e-3", "3.7"]))
        offset = draw(st.sampled_from(["0", "-40", "0.5", "1e6"]))
        sign = "-" if is_float or draw(st.booleans()) else "+"
        lines.append(f' SG_ S{number} : {start}|{size}@{0 if big else 1}{sign} ({scale},{offset}) [0|0] "" A')
        if is_float:
            types.append(f"SIG_VALTYPE_ 291 S{number} : {1 if size == 32 else 2};")
    return "\n".join(['VERSION ""', *lines, "", *types]) + "\n"


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=databases(), seed=st.integers(0, 2**32))
def test_any_layout(tmp_path, text, seed):
    path = tmp_path / "any.dbc"
    path.write_text(text)
    assert assert_alike(path, random.Random(seed), 10) == 10


EXTENDED = """VERSION ""
BU_: A
BO_ 100 M: 8 A
 SG_ Top M : 0|4@1+ (1,0) [0|0] "" A
 SG_ Inner m1M : 4|4@1+ (1,0) [0|0] "" A
 SG_ Plain : 56|8@1+ (1,0) [0|0] "" A
 SG_ ZeroA m0 : 8|8@1- (1,0) [0|0] "" A
 SG_ OneDeepA m2 : 8|8@1+ (1,0) [0|0] "" A
 SG_ OneDeepB m3 : 16|12@1+ (0.5,0) [0|0] "" A
 SG_ Ranged m0 : 24|8@1+ (1,0) [0|0] "" A
SG_MUL_VAL_ 100 Inner Top 1-1;
SG_MUL_VAL_ 100 ZeroA Top 0-0;
SG_MUL_VAL_ 100 OneDeepA Inner 2-2;
SG_MUL_VAL_ 100 OneDeepB Inner 3-3, 5-7;
SG_MUL_VAL_ 100 Ranged Top 0-0, 4-9;
"""


def test_extended_multiplexing(tmp_path):
    path = tmp_path / "mux.dbc"
    path.write_text(EXTENDED)
    assert assert_alike(path, random.Random(3), 2000) >= 500


def test_unknown_multiplexer_value_gives_the_base_signals(tmp_path):
    path = tmp_path / "mux.dbc"
    path.write_text(EXTENDED)
    message = whole_dbc(path).messages[0]
    values = dict(zip(message.fields, message.decode(b"\x0f" + bytes(6) + b"\x2a"), strict=True))
    assert {name for name, value in values.items() if value is not None} == {"Top", "Plain"}
    assert values["Plain"] == 42


def test_short_frame_gives_the_signals_that_it_carries():
    message = next(m for m in whole_dbc(DEMO / "powertrain.dbc").messages if m.name == "SteeringWheel")
    values = dict(zip(message.fields, message.decode(b"\x64\x00\x05"), strict=True))
    assert values == {
        "SteeringAngle": 10.0, "SteeringRate": None, "SteeringWheelCounter": None, "SteeringWheelCrc": None
    }  # fmt: skip
