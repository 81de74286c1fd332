# SPDX-License-Identifier: Apache-2.0
"""The simulated car's frames mean what its model says: judged by cantools, which shares no code with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cantools
import pytest
from smartcockpit.core.errors import UsageError
from smartcockpit.vehicle.settings import read_settings
from smartcockpit_bench.car.faults import Faults
from smartcockpit_bench.car.source import CarSource
from smartcockpit_bench.frame import Frame

DEMO = Path(__file__).resolve().parents[3] / "dbc" / "demo"


@pytest.fixture(scope="module")
def databases() -> dict[str, Any]:
    return {
        "can0": cantools.database.load_file(DEMO / "powertrain.dbc"),
        "can1": cantools.database.load_file(DEMO / "body.dbc"),
    }


def decoded(databases: dict[str, Any], frame: Frame) -> tuple[str, dict[str, Any]]:
    message = databases[frame.bus].get_message_by_frame_id(frame.can_id)
    assert message.is_extended_frame == frame.extended
    return message.name, message.decode(frame.data, decode_choices=False)


def test_frames_decode_to_what_the_model_says(databases: dict[str, Any]) -> None:
    source = CarSource.of(DEMO)
    checked = set()
    for tick in range(1, 7000):
        for frame in source.due(tick * 0.01):
            name, values = decoded(databases, frame)
            car = source.car.state
            if name == "VehicleMotion":
                assert values["YawRate"] == pytest.approx(car.motion.yaw_rate_dps, abs=2.0)
            elif name == "EngineStatus":
                assert values["EngineSpeed"] == pytest.approx(car.powertrain.engine_rpm, abs=60)
            elif name == "WheelSpeeds":
                assert values["WheelSpeedFrontLeft"] == pytest.approx(car.motion.wheel_kmh[0], abs=1.0)
            elif name == "DoorStatus":
                assert values["DoorFrontLeft"] == car.controls.doors[0]
            elif name == "ChassisState":
                assert values["BodyRoll"] == pytest.approx(car.motion.roll_deg, abs=0.3)
            else:
                continue
            checked.add(name)
    assert len(checked) == 5


def test_each_message_keeps_its_cycle_and_every_mapped_signal_moves_or_is_known(
    databases: dict[str, Any],
) -> None:
    source = CarSource.of(DEMO)
    count: dict[str, int] = {}
    for tick in range(1, 1001):
        for frame in source.due(tick * 0.01):
            name, _ = decoded(databases, frame)
            count[name] = count.get(name, 0) + 1
    for database in databases.values():
        for message in database.messages:
            assert count[message.name] == pytest.approx(10_000 / message.cycle_time, abs=1)
    assert len(source.paths) >= 120


def test_multiplexed_tyres_come_in_turn(databases: dict[str, Any]) -> None:
    source = CarSource.of(DEMO)
    frames = [f for tick in range(1, 300) for f in source.due(tick * 0.01)]
    tyres = [values for name, values in (decoded(databases, f) for f in frames) if name == "TyreStatus"]
    assert len({tuple(sorted(values)) for values in tyres}) >= 4
    pressures = [v for values in tyres for key, v in values.items() if key.startswith("TyrePressureFront")]
    assert pressures
    assert all(200 < p < 260 for p in pressures if p > 1)


def test_counters_roll_and_checksums_are_right_until_broken(databases: dict[str, Any]) -> None:
    settings = read_settings(DEMO).messages
    source = CarSource.of(DEMO)
    guards = {s.name: s._plan.checksum for s in source.senders if s._plan.checksum}
    assert set(guards) == {name for name, setting in settings.items() if setting.checksum}
    last: dict[str, int] = {}
    for tick in range(1, 300):
        for frame in source.due(tick * 0.01):
            name, values = decoded(databases, frame)
            if name in guards:
                assert guards[name].matches(frame.data)
                counter = values[f"{name}Counter"]
                modulus = 256 if name == "ChassisState" else 15 if name == "VehicleMotion" else 16
                assert counter == (last.get(name, -1) + 1) % modulus
                last[name] = counter
    source.faults.bad_checksum.add("EngineStatus")
    broken = [f for f in source.due(4.0) if f.can_id == 0xA0 and f.bus == "can0"]
    assert broken
    assert not any(guards["EngineStatus"].matches(f.data) for f in broken)


def sent(source: CarSource, until_s: float) -> list[Frame]:
    return [frame for tick in range(1, int(until_s * 100) + 1) for frame in source.due(tick / 100)]


def test_message_can_be_stopped_bus_silenced_and_frame_cut() -> None:
    source = CarSource.of(DEMO)
    source.faults = Faults(stopped={"EngineStatus"}, short={"WheelSpeeds"}, silent_buses={"can1"})
    frames = sent(source, 2.0)
    assert not any(f.can_id == 0xA0 for f in frames)
    assert {len(f.data) for f in frames if f.can_id == 0xB0} == {4}
    assert {f.bus for f in frames} == {"can0"}
    source.faults.clear()
    assert any(f.can_id == 0xA0 for f in source.due(3.0))


def test_value_and_raw_bits_can_be_forced(databases: dict[str, Any]) -> None:
    source = CarSource.of(DEMO)
    source.faults.values["Vehicle.Speed"] = 123.0
    source.faults.raw["LampStatus", "LowBeam"] = 3
    for frame in sent(source, 1.0):
        name, values = decoded(databases, frame)
        if name == "LampStatus":
            assert values["LowBeam"] == 3
        for key in ("VehicleSpeed",):
            if key in values:
                assert values[key] == pytest.approx(123.0, abs=0.02)


def test_counter_can_freeze_and_burst_adds_frames() -> None:
    source = CarSource.of(DEMO)
    natural = len(sent(source, 1.0))
    source.faults.burst["can1"] = 1000.0
    source.faults.frozen_counter.add("EngineStatus")
    frames = [f for tick in range(101, 201) for f in source.due(tick / 100)]
    assert len(frames) - natural == pytest.approx(1000, abs=15)
    engine = [f.data for f in frames if f.can_id == 0xA0]
    assert len({data[:7] for data in engine}) < len(engine)


def test_unknown_name_in_a_fault_is_refused() -> None:
    source = CarSource.of(DEMO)
    with pytest.raises(UsageError, match="EngineStatos"):
        Faults(stopped={"EngineStatos"}).check([s.name for s in source.senders], ["can0"])


def test_same_seed_gives_the_same_frames() -> None:
    assert sent(CarSource.of(DEMO, seed=5), 5.0) == sent(CarSource.of(DEMO, seed=5), 5.0)
