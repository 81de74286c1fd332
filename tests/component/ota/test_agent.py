# SPDX-License-Identifier: Apache-2.0
"""The real agent process between a private bus, RAUC's stand-in and the simulated hawkBit over TLS."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import pytest
from smartcockpit.bus.ota_client import OtaClient
from smartcockpit.core.errors import UsageError
from smartcockpit_bench.hawkbit.faults import ALL, TRANSFER
from smartcockpit_bench.hawkbit.model import Status
from smartcockpit_bench.hawkbit.serve import HawkbitServer
from support.dbus_daemon import PrivateBus
from support.hawkbit import DEVICE
from support.ota_unit import COMPATIBLE, CarSignals, OtaUnit, bundle


async def test_an_update_from_offer_to_success(unit: OtaUnit, server: HawkbitServer) -> None:
    wanted = bundle(pad=200_000, purpose="security", changes="a better map", minutes="4", pauses="radio")
    action = server.model.assign(DEVICE, wanted)
    await unit.until(unit.wants_reboot)
    now = await unit.becomes("rebooting", "reboot")
    assert (now.update.purpose, now.update.changes, now.update.minutes) == ("security", "a better map", 4)
    assert action.finals == []
    trial = unit.folder / "state/trial.json"
    assert json.loads(trial.read_text())["slot"] == "B"
    assert trial.stat().st_mode & 0o777 == 0o644
    unit.reboot()
    await unit.until(lambda: bool(action.finals))
    assert (action.finals[0].execution, action.finals[0].finished) == ("closed", "success")
    await unit.becomes("idle")
    (entry,) = unit.record()
    assert (entry["from"], entry["to"], entry["outcome"]) == ("1.0.0", "1.1.0", "success")
    assert entry["vin"] == "WVWZZZ1JZXW000001"
    assert not trial.exists()
    assert list((unit.folder / "state/download").iterdir()) == []
    words = [e.execution for e in action.entries]
    assert words.index("download") < words.index("downloaded") < words.index("closed")
    assert len(action.entries) < 25
    await unit.until(lambda: server.model.attributes.get(DEVICE, {}).get("version") == "1.1.0")
    assert server.model.attributes[DEVICE]["hardware"] == COMPATIBLE


async def test_a_fall_back_is_told_with_its_reason(unit: OtaUnit, server: HawkbitServer) -> None:
    action = unit.assign()
    await unit.until(unit.wants_reboot)
    unit.reboot(healthy=False)
    await unit.until(lambda: bool(action.finals))
    assert action.finals[0].finished == "failure"
    assert "bus: it is dead" in action.finals[0].details[0]
    assert action.finals[0].code == 510


async def test_it_waits_for_the_car_and_says_why(
    unit: OtaUnit, server: HawkbitServer, car: CarSignals
) -> None:
    car.say(50.0, gear=127)
    action = unit.assign()
    now = await unit.becomes("downloaded", "moving")
    assert now.waiting_text == "the car moves at 50 km/h"
    await unit.until(lambda: any("50 km/h" in text for e in action.entries for text in e.details))
    car.say(0.0, quality=2)
    await unit.becomes("downloaded", "vehicle-unknown")
    car.say(0.0, volt=11.0)
    await unit.becomes("downloaded", "voltage")
    (unit.folder / "inhibit").mkdir()
    (unit.folder / "inhibit/dealer").touch()
    car.say(0.0)
    assert (await unit.becomes("downloaded", "inhibited")).waiting_text == "inhibited by dealer"
    (unit.folder / "inhibit/dealer").unlink()
    await OtaClient(unit.client).check()
    await unit.until(unit.wants_reboot)


async def test_killed_again_and_again_it_goes_on_alone(unit: OtaUnit, server: HawkbitServer) -> None:
    action = unit.assign(pad=50_000)
    kills = 0
    assert unit.agent is not None
    unit.kill_agent()
    while not unit.wants_reboot():
        unit.start_agent(f"step:{1 + kills % 3}")
        await unit.until(
            lambda: (unit.agent is not None and unit.agent.poll() is not None) or unit.wants_reboot()
        )
        kills += 1
        unit.kill_agent()
    unit.reboot()
    while not action.finals:
        unit.kill_agent()
        unit.start_agent(f"step:{1 + kills % 3}")
        await unit.until(
            lambda: (unit.agent is not None and unit.agent.poll() is not None) or bool(action.finals)
        )
        kills += 1
    unit.kill_agent()
    unit.start_agent()
    await unit.becomes("idle")
    assert kills > 5
    assert [e.finished for e in action.finals] == ["success"]
    assert len(unit.record()) == 1


async def test_killed_while_the_slot_is_written_it_finds_out_what_became_of_it(unit: OtaUnit) -> None:
    unit.disk(fault="hangs")
    action = unit.assign()
    await unit.becomes("installing")
    unit.kill_agent()
    unit.start_agent()
    await unit.becomes("installing")
    unit.disk(fault="")
    await unit.until(unit.wants_reboot)
    assert unit.disk()["slots"]["B"]["count"] == 1, "it was not written twice"
    unit.reboot()
    await unit.until(lambda: action.status is Status.FINISHED)


async def test_rauc_dying_in_the_middle_is_tried_again(unit: OtaUnit) -> None:
    unit.disk(fault="dies")
    unit.assign()
    await unit.until(lambda: unit.rauc is not None and unit.rauc.poll() is not None)
    unit.start_rauc()
    await unit.until(unit.wants_reboot)
    assert unit.disk()["slots"]["B"]["count"] == 2


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("fails", "failed to write block 4711"),
        ("busy", ""),
        ("no-inspect", ""),
        ("wild-progress", ""),
        ("denied", ""),
    ],
)
async def test_faults_of_rauc(unit: OtaUnit, fault: str, words: str) -> None:
    unit.disk(fault=fault)
    if fault == "no-inspect":
        unit.start_rauc()
    action = unit.assign()
    if fault in ("busy", "denied"):
        await unit.becomes("downloaded", "installer")
        unit.disk(fault="")
    if not words:
        await unit.until(unit.wants_reboot)
        return
    await unit.until(lambda: bool(action.finals))
    assert words in action.finals[0].details[0]
    assert unit.disk()["primary"] == "A"


async def test_the_message_bus_may_restart_in_the_middle(
    unit: OtaUnit, bus: PrivateBus, car: CarSignals
) -> None:
    unit.disk(fault="hangs")
    unit.assign()
    await unit.becomes("installing")
    bus.restart()
    unit.disk(fault="")
    unit.start_rauc()
    await unit.until(unit.wants_reboot)


async def test_cancel_while_downloading(unit: OtaUnit, server: HawkbitServer) -> None:
    server.piece_s = 0.05
    action = unit.assign(pad=2_000_000)
    await unit.becomes("downloading")
    await unit.until(lambda: server.sent() > 0)
    server.model.cancel(action)
    await unit.until(lambda: action.status is Status.CANCELED)
    await unit.becomes("idle")
    assert server.sent() < 2_000_000


async def test_consent_over_the_bus(unit: OtaUnit, server: HawkbitServer) -> None:
    server.model.confirmation_flow = True
    action = unit.assign()
    now = await unit.becomes("offered", "consent")
    client = OtaClient(unit.client)
    with pytest.raises(UsageError, match="no update 'x'"):
        await client.consent("x", True)
    await client.consent(now.update.id, True)
    await unit.until(unit.wants_reboot)
    assert action.entries[0].execution == "confirmed"


async def test_a_file_is_installed_with_the_same_checks(unit: OtaUnit, server: HawkbitServer) -> None:
    client = OtaClient(unit.client)
    await unit.becomes("idle")
    stick = unit.folder / "stick.raucb"
    for wrong, words in ((bundle("0.9.0"), "older"), (bundle("2.0.0", compatible="toaster"), "toaster")):
        stick.write_bytes(wrong.data)
        await client.install(str(stick))
        await unit.until(lambda words=words: bool(unit.record()) and words in unit.record()[-1]["text"])
        await unit.becomes("idle")
    stick.write_bytes(b"no bundle")
    await client.install(str(stick))
    await unit.until(lambda: "signature" in unit.record()[-1]["text"])
    await unit.becomes("idle")
    stick.write_bytes(bundle("1.1.0").data)
    await client.install(str(stick))
    await unit.until(unit.wants_reboot)
    with pytest.raises(UsageError, match="under way"):
        await client.install(str(stick))
    unit.reboot()
    await unit.until(lambda: unit.record()[-1]["outcome"] == "success")
    assert [e["source"] for e in unit.record()] == ["file"] * 4


@pytest.mark.parametrize("path", ["stick.raucb", "/a/../etc/passwd", ""])
async def test_odd_paths_are_refused(unit: OtaUnit, path: str) -> None:
    await unit.becomes("idle")
    with pytest.raises(UsageError, match="absolute"):
        await OtaClient(unit.client).install(path)


async def test_trouble_with_the_server_is_shown(unit: OtaUnit, server: HawkbitServer) -> None:
    server.faults.on("503", "controller/v1/car")
    await unit.until(lambda: server.faults.hits.get("503", 0) > 1)
    now = await unit.becomes("idle")
    assert "503" in now.server.trouble
    server.faults.off()
    await unit.until(lambda: server.model.polls > 0)
    unit.assign()
    await unit.until(unit.wants_reboot)


@pytest.mark.parametrize("where", ["car", "/artifacts/", "/feedback"])
async def test_every_fault_of_the_server_in_a_row_and_one_answer(
    unit: OtaUnit, server: HawkbitServer, where: str
) -> None:
    """Each fault once, whatever the agent is about; it goes on, and the server gets one true answer."""
    for fault in ALL:
        after = 16_384 if where == "/artifacts/" and fault in TRANSFER else 0
        server.faults.on(fault, where, times=1, after_bytes=after)
    action = unit.assign(pad=40_000)
    await unit.until(unit.wants_reboot)
    unit.reboot()
    await unit.until(lambda: bool(action.finals))
    await unit.becomes("idle")
    assert [e.finished for e in action.finals] == ["success"]
    assert len(unit.record()) == 1
    assert sum(server.faults.hits.values()) >= (15 if where != "/feedback" else 3)


async def test_without_a_server_it_is_inert(unit: OtaUnit) -> None:
    unit.kill_agent()
    (unit.folder / "ota.toml").write_text("")
    unit.start_agent()
    now = await unit.becomes("not-configured")
    assert now.server.url == ""
    assert unit.agent is not None
    proc = Path(f"/proc/{unit.agent.pid}")
    assert (proc / f"task/{unit.agent.pid}/children").read_text() == ""
    assert "libssl" not in (proc / "maps").read_text()
    assert len(list((proc / "task").iterdir())) == 1


async def test_term_ends_it_in_under_two_seconds_in_the_middle_of_a_download(
    unit: OtaUnit, server: HawkbitServer
) -> None:
    server.piece_s = 0.05
    unit.assign(pad=2_000_000)
    await unit.becomes("downloading")
    assert unit.agent is not None
    before = time.monotonic()
    unit.agent.terminate()
    assert await asyncio.to_thread(unit.agent.wait, 5) == 0
    assert time.monotonic() - before < 2
    assert "Traceback" not in unit.log.read_text()


async def test_a_state_file_of_nonsense_is_put_aside(unit: OtaUnit) -> None:
    await unit.becomes("idle")
    unit.kill_agent()
    (unit.folder / "state/state.json").write_bytes(os.urandom(100))
    unit.start_agent()
    unit.assign()
    await unit.until(unit.wants_reboot)
    assert (unit.folder / "state/state.json.bad").exists()


async def test_it_is_small(unit: OtaUnit) -> None:
    await unit.becomes("idle")
    assert unit.agent is not None
    await unit.until(lambda: unit.server.model.polls > 3)
    status = Path(f"/proc/{unit.agent.pid}/status").read_text()
    rss_mb = int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024
    assert rss_mb <= 26
