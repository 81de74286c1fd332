# SPDX-License-Identifier: Apache-2.0
"""cockpitctl as a person and a program meet it: a real process, a real bus, a fake car."""

from __future__ import annotations

import asyncio
import json
import math
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from component.cli.conftest import Car, Cockpitctl
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.interfaces.power1 import InhibitorRow, LineRow, Power1
from support.dbus_daemon import PrivateBus


async def test_list_shows_names_types_units_and_limits(car: Car, cockpitctl: Cockpitctl) -> None:
    done = await cockpitctl("signals", "list")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].split() == ["SIGNAL", "DATATYPE", "UNIT", "KIND", "LIMITS"]
    assert "Vehicle.Speed              float     km/h  sensor    0 … 300" in lines
    assert any(line.endswith("P | D") for line in lines)


async def test_list_in_json_and_by_kind(car: Car, cockpitctl: Cockpitctl) -> None:
    done = await cockpitctl("signals", "list", "--json", "--kind", "actuator")
    assert json.loads(done.out) == [
        {
            "path": "Vehicle.Cabin.Door.IsOpen", "datatype": "boolean", "signature": "b", "unit": "",
            "kind": "actuator", "description": "", "min": None, "max": None, "allowed": [],
        }
    ]  # fmt: skip


async def test_get_shows_value_quality_and_age(car: Car, cockpitctl: Cockpitctl) -> None:
    done = await cockpitctl("signals", "get")
    assert done.code == 0, done.err
    speed, door = (
        next(line.split() for line in done.out.splitlines() if name in line) for name in ("Speed", "Door")
    )
    assert speed[1:4] == ["88.25", "km/h", "valid"]
    assert door[1:] == ["–", "unavailable", "never"]


async def test_terminal_without_utf8_shows_a_stand_in(car: Car, cockpitctl: Cockpitctl) -> None:
    cockpitctl.environment |= {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    done = await cockpitctl("signals", "get")
    assert (done.code, done.err) == (0, "")
    assert "?  " in done.out


async def test_get_in_json_by_branch_and_quality(car: Car, cockpitctl: Cockpitctl) -> None:
    done = await cockpitctl("signals", "get", "Vehicle", "--quality", "valid", "--json")
    (row,) = json.loads(done.out)
    assert (row["path"], row["value"], row["unit"], row["quality"]) == (
        "Vehicle.Speed",
        88.25,
        "km/h",
        "valid",
    )
    assert row["owner"] == "org.smartcockpit.CanBridge1"
    assert row["time_us"] > 1e15


async def test_unknown_signal_names_the_nearest_one(car: Car, cockpitctl: Cockpitctl) -> None:
    done = await cockpitctl("signals", "get", "Vehicle.Sped")
    assert done.code == 2
    assert done.err.strip().endswith("Hint: did you mean 'Vehicle.Speed'?")
    assert "Traceback" not in done.err


async def test_watch_prints_the_present_and_then_changes(car: Car, cockpitctl: Cockpitctl) -> None:
    process = await cockpitctl.start("signals", "watch", "Vehicle.Speed", "--json", "--count", "2")
    assert process.stdout is not None
    first = json.loads(await asyncio.wait_for(process.stdout.readline(), 10))
    car.drive(90.5, quality=2)
    second = json.loads(await asyncio.wait_for(process.stdout.readline(), 10))
    assert await asyncio.wait_for(process.wait(), 10) == 0
    assert (first["value"], first["quality"]) == (88.25, "valid")
    assert (second["value"], second["quality"]) == (90.5, "stale")


async def test_watch_ends_cleanly_with_ctrl_c(car: Car, cockpitctl: Cockpitctl) -> None:
    process = await cockpitctl.start("signals", "watch")
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), 10)
    process.send_signal(signal.SIGINT)
    _, err = await asyncio.wait_for(process.communicate(), 10)
    assert (process.returncode, err) == (0, b"")


async def test_status_shows_the_daemon_and_its_version(car: Car, cockpitctl: Cockpitctl) -> None:
    done = await cockpitctl("status", "--json")
    (row,) = [row for row in json.loads(done.out)["daemons"] if row["daemon"] == "canbridge"]
    assert (row["bus_name"], row["version"], row["state"]) == (
        "org.smartcockpit.CanBridge1",
        "1.2.3",
        "unknown",
    )
    table = await cockpitctl("status", "canbridge")
    assert table.code == 0
    assert "org.smartcockpit.CanBridge1" in table.out


async def test_status_without_daemons_is_exit_code_69(dbus: PrivateBus, cockpitctl: Cockpitctl) -> None:
    done = await cockpitctl("status")
    assert done.code == 69
    assert "canbridge" in done.out


async def test_status_of_an_unknown_daemon_names_the_nearest(
    dbus: PrivateBus, cockpitctl: Cockpitctl
) -> None:
    done = await cockpitctl("status", "canbrige")
    assert done.code == 2
    assert "did you mean 'canbridge'?" in done.err


async def test_can_shows_buses_counters_and_reasons(car: Car, cockpitctl: Cockpitctl) -> None:
    done = await cockpitctl("can")
    assert done.code == 0, done.err
    assert "vehicle demo, decoder native" in done.out
    assert "body: can1 is down" in done.out
    assert "powertrain: 3 checksum errors" in done.out
    body = json.loads((await cockpitctl("can", "--json", "powertrain")).out)
    assert body["decoder"] == "native"
    assert body["buses"][0]["load_percent"] == 12.5
    assert body["buses"][0]["frames"] == 12


async def test_can_without_canbridge_is_exit_code_69(dbus: PrivateBus, cockpitctl: Cockpitctl) -> None:
    done = await cockpitctl("can")
    assert done.code == 69
    assert "Hint:" in done.err


async def test_signals_without_owner_is_exit_code_69(dbus: PrivateBus, cockpitctl: Cockpitctl) -> None:
    done = await cockpitctl("signals", "get")
    assert done.code == 69
    assert "no daemon on the bus offers vehicle signals" in done.err


async def test_no_bus_at_all_is_exit_code_69(cockpitctl: Cockpitctl, tmp_path: Path) -> None:
    done = await cockpitctl("status", "--bus", f"unix:path={tmp_path}/nowhere")
    assert done.code == 69
    assert "Traceback" not in done.err


@pytest.mark.parametrize("arguments", [["fly"], ["signals"], ["can", "--interval", "0"], []])
async def test_wrong_usage_is_exit_code_2(cockpitctl: Cockpitctl, arguments: list[str]) -> None:
    assert (await cockpitctl(*arguments)).code == 2


async def test_closed_pipe_is_no_error(car: Car, cockpitctl: Cockpitctl) -> None:
    process = await cockpitctl.start("signals", "watch")
    assert process.stdout is not None
    await asyncio.wait_for(process.stdout.readline(), 10)
    process.stdout._transport.close()  # type: ignore[attr-defined]
    for number in range(100):
        car.drive(number)
        if process.returncode is not None:
            break
        await asyncio.sleep(0.1)
    assert process.returncode == 0


async def test_full_disk_is_one_sentence(car: Car, cockpitctl: Cockpitctl) -> None:
    with Path("/dev/full").open("wb") as full:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "smartcockpit.cli", "signals", "list", "--json"),
            stdout=full, stderr=asyncio.subprocess.PIPE, env=cockpitctl.environment,
        )  # fmt: skip
        _, err = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, err.count(b"\n")) == (69, 1)
    assert b"no space left for the output" in err


async def test_live_streams_signals_daemons_and_buses(car: Car, cockpitctl: Cockpitctl) -> None:
    process = await cockpitctl.start("live", "--interval", "0.05")
    assert process.stdout is not None
    seen: dict[str, dict[str, object]] = {}
    changed = None
    while len(seen) < 3 or changed is None:
        message = json.loads(await asyncio.wait_for(process.stdout.readline(), 10))
        assert message["v"] == 1
        if message["type"] == "signals" and not message["full"]:
            changed = message
        if message["type"] not in seen and message["type"] == "signals":
            car.drive(91.0)
        seen.setdefault(message["type"], message)
    assert {row[0] for row in seen["signals"]["rows"]} == {
        "Vehicle.Speed",
        "Vehicle.Cabin.Door.IsOpen",
        "Vehicle.Cabin.Gear",
    }  # type: ignore[attr-defined]
    assert changed["rows"][0][:4] == ["Vehicle.Speed", 91.0, "km/h", "valid"]
    assert seen["buses"]["vehicle"] == "demo"
    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0


async def test_live_outlives_daemon_and_bus(dbus: PrivateBus, cockpitctl: Cockpitctl) -> None:
    process = await cockpitctl.start("live", "--interval", "0.05")
    assert process.stdout is not None

    async def until(kind: str) -> None:
        assert process.stdout is not None
        while json.loads(await asyncio.wait_for(process.stdout.readline(), 15))["type"] != kind:
            pass

    await until("trouble")
    car = Car(dbus.address)
    await car.bus.connect()
    await until("signals")
    await car.stop()
    await until("trouble")
    dbus.restart()
    car = Car(dbus.address)
    await car.bus.connect()
    await until("signals")
    await car.stop()
    process.terminate()
    await process.communicate()


async def test_version(cockpitctl: Cockpitctl) -> None:
    from smartcockpit import __version__

    assert (await cockpitctl("--version")).out == f"cockpitctl {__version__}\n"


async def test_config_shows_each_value_and_its_file(cockpitctl: Cockpitctl, tmp_path: Path) -> None:
    cockpitctl.environment["SMARTCOCKPIT_CONFIG_PATH"] = str(tmp_path)
    mine = tmp_path / "canbridge.toml"
    mine.write_text('log_level = "debug"\n')
    done = await cockpitctl("config", "canbridge", "--json")
    assert done.code == 0, done.err
    rows = {row["key"]: row for row in json.loads(done.out)["canbridge"]}
    assert (rows["log_level"]["value"], rows["log_level"]["origin"]) == ("debug", str(mine))
    assert rows["vehicle"]["origin"] == "built-in default"
    table = (await cockpitctl("config", "canbridge")).out
    assert table.splitlines()[0].split() == ["SETTING", "VALUE", "FROM"]


async def test_broken_config_is_exit_code_78_with_file_and_nearest_key(
    cockpitctl: Cockpitctl, tmp_path: Path
) -> None:
    cockpitctl.environment["SMARTCOCKPIT_CONFIG_PATH"] = str(tmp_path)
    (tmp_path / "canbridge.toml").write_text("log_levl = 1\n")
    done = await cockpitctl("config", "canbridge")
    assert done.code == 78
    expected = f"{tmp_path}/canbridge.toml: log_levl: unknown key. Hint: did you mean 'log_level'?"
    assert done.err.strip() == f"cockpitctl: canbridge: {expected}"


class PaperPower(Power1):
    """org.smartcockpit.Power1 with invented figures."""

    version = "1.2.3"
    state, reason, ignition = "accessory", "held up by update (writing slot B)", "off"
    time_to_shutdown, voltage, battery, lines = 54, math.nan, "unknown", "ok"
    inhibitors = [InhibitorRow("update", "writing slot B", ":1.7", 7)]  # noqa: RUF012 - a fake
    line_states = [LineRow("ignition", "input", 17, "off"), LineRow("lamp", "output", 23, "on")]  # noqa: RUF012

    def inhibit(self, what: str, who: str, why: str, *, sender: str) -> int:
        raise NotImplementedError

    def stay(self, seconds: int) -> int:
        return 0


@pytest.fixture
async def paper_power(dbus: PrivateBus) -> AsyncIterator[None]:
    async with BusConnection(dbus.address, "org.smartcockpit.Power1") as bus:
        bus.export(PaperPower())
        yield


@pytest.mark.usefixtures("paper_power")
async def test_power_shows_state_time_lines_and_who_holds_it_up(cockpitctl: Cockpitctl) -> None:
    done = await cockpitctl("power")
    assert done.code == 0, done.err
    rows = [" ".join(line.split()) for line in done.out.splitlines()]
    assert "state accessory" in rows
    assert "shutdown in 54 s" in rows
    assert "battery unknown" in rows
    assert "ignition input 17 off" in rows
    assert any(row.startswith("update writing slot B :1.7") for row in rows)
    body = json.loads((await cockpitctl("power", "--json")).out)
    assert (body["state"], body["time_to_shutdown_s"], body["voltage_v"]) == ("accessory", 54, None)
    assert body["lines"][1] == {"name": "lamp", "direction": "output", "line": 23, "state": "on"}


@pytest.mark.usefixtures("paper_power")
async def test_power_watch_prints_a_line_each_time(cockpitctl: Cockpitctl) -> None:
    process = await cockpitctl.start("power", "--watch", "--json", "--interval", "0.05")
    assert process.stdout is not None
    lines = [json.loads(await asyncio.wait_for(process.stdout.readline(), 10)) for _ in range(2)]
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 10) == 0
    assert [line["state"] for line in lines] == ["accessory"] * 2


async def test_power_without_its_daemon_is_exit_code_69(dbus: PrivateBus, cockpitctl: Cockpitctl) -> None:
    done = await cockpitctl("power")
    assert (done.code, "Hint" in done.err) == (69, True)


@pytest.mark.usefixtures("paper_power")
async def test_live_tells_of_power(car: Car, cockpitctl: Cockpitctl) -> None:
    process = await cockpitctl.start("live", "--interval", "0.05")
    assert process.stdout is not None
    async with asyncio.timeout(10):
        while (line := json.loads(await process.stdout.readline()))["type"] != "power":
            pass
    process.send_signal(signal.SIGINT)
    await process.communicate()
    assert (line["state"], line["time_to_shutdown_s"]) == ("accessory", 54)
