# SPDX-License-Identifier: Apache-2.0
"""The health gate as a process on a private bus, with systemd and RAUC of paper: what it decides and keeps."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.dbus_daemon import PrivateBus
from support.paper_system import Face, PaperSystem, monotonic_us, running

TRIAL = "rauc.slot=B smartcockpit.trial quiet"
KNOWN = "rauc.slot=B quiet"
CANBRIDGE = "smartcockpit-canbridge.service"


class Unit:
    """The file system of one unit, and the program in it."""

    def __init__(self, root: Path, address: str) -> None:
        self.root = root
        self.environment = {**os.environ, "SMARTCOCKPIT_HEALTH_ROOT": str(root), "SMARTCOCKPIT_BUS": address}
        self.environment["PATH"] = f"{root / 'bin'}:{self.environment['PATH']}"
        self.state, self.run = root / "var/lib/smartcockpit-health", root / "run/smartcockpit-health"
        for folder in (
            self.state,
            self.run,
            root / "proc/sys/kernel/random",
            root / "usr/lib/smartcockpit/health",
        ):
            folder.mkdir(parents=True)
        (root / "usr/lib/os-release").write_text('NAME=x\nIMAGE_VERSION="1.2.3"\n')
        self.boots(TRIAL, "boot-1")

    def boots(self, kernel_line: str, boot_id: str) -> None:
        """Start a new boot: what was in memory is gone."""
        (self.root / "proc/cmdline").write_text(kernel_line + "\n")
        (self.root / "proc/sys/kernel/random/boot_id").write_text(boot_id + "\n")
        for path in self.run.iterdir():
            path.unlink()

    async def __call__(self, *arguments: str, module: str = "smartcockpit.health") -> tuple[int, str, str]:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, stdout=pipe, stderr=pipe, env=self.environment
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode or 0, out.decode(), err.decode()

    def verdict(self) -> dict[str, Any]:
        return dict(json.loads((self.state / "verdict.json").read_text()))

    @property
    def decided(self) -> bool:
        return (self.run / "decided").exists()

    @property
    def reboots(self) -> bool:
        return (self.run / "reboot").exists()


@pytest.fixture
def dbus(tmp_path: Path) -> Iterator[PrivateBus]:
    with PrivateBus(tmp_path) as bus:
        yield bus


@pytest.fixture
async def system(dbus: PrivateBus) -> AsyncIterator[PaperSystem]:
    system = await PaperSystem.on(dbus.address)
    system.start("player")
    yield system
    system.close()


@pytest.fixture
def unit(tmp_path: Path, dbus: PrivateBus) -> Unit:
    return Unit(tmp_path / "unit", dbus.address)


def results(document: dict[str, Any]) -> dict[str, tuple[bool, str]]:
    return {row["name"]: (row["ok"], row["detail"]) for row in document["checks"]}


async def test_a_slot_on_trial_that_works_is_marked_good(unit: Unit, system: PaperSystem) -> None:
    assert (await unit("early"))[0] == 0
    assert (system.marks, unit.decided) == ([], False)
    code, _, err = await unit("gate", "20")
    assert (code, system.marks) == (0, [("good", "booted")]), err
    assert (unit.decided, unit.reboots) == (True, False)
    document = unit.verdict()
    assert [document[key] for key in ("format", "boot_id", "slot", "version", "trial", "verdict")] == [
        1, "boot-1", "B", "1.2.3", True, "good",
    ]  # fmt: skip
    assert document["ended_us"] >= document["started_us"] > 1_600_000_000_000_000
    assert {"bus", "units", "can", "gnss", "audio", "data", "settings", "ota"} == set(results(document))
    assert (unit.state / "verdict.json").stat().st_mode & 0o777 == 0o644


async def test_nobody_is_told_that_it_is_good_before_it_is_marked(unit: Unit, system: PaperSystem) -> None:
    """The update daemon tells the server of success as soon as it reads the verdict."""
    system.rauc_marks = False
    code, _, err = await unit("gate", "20")
    assert (code != 0, "environment cannot be written" in err) == (True, True)
    assert ((unit.state / "verdict.json").exists(), unit.decided) == (False, False)


async def test_a_slot_that_failed_once_and_is_good_now_has_no_old_reason(
    unit: Unit, system: PaperSystem
) -> None:
    """The power went between the mark and the verdict: the next boot is no trial any more."""
    system.units["smartcockpit-player.service"] = running(ActiveState="failed", Result="exit-code")
    await unit("gate", "20")
    system.start("player")
    unit.boots(KNOWN, "boot-2")
    await unit("gate", "20")
    assert (unit.verdict()["verdict"], unit.verdict()["boot_id"]) == ("good", "boot-2")


async def test_what_has_proved_itself_is_marked_good_early_in_every_later_boot(
    unit: Unit, system: PaperSystem
) -> None:
    await unit("gate", "20")
    for line in (KNOWN, TRIAL):  # the second: twelve power cuts in a row, the counter says nothing any more
        system.marks.clear()
        unit.boots(line, "boot-2")
        assert (await unit("early"))[0] == 0
        assert (system.marks, unit.decided) == ([("good", "booted")], True)


async def test_another_installation_in_the_same_slot_is_on_trial_again(
    unit: Unit, system: PaperSystem
) -> None:
    await unit("gate", "20")
    system.marks.clear()
    unit.boots(TRIAL, "boot-2")
    system.slots["B"]["installed.count"] = 4
    await unit("early")
    assert (system.marks, unit.decided) == ([], False)


async def test_a_crash_loop_ends_the_trial_at_once(unit: Unit, system: PaperSystem) -> None:
    system.units["smartcockpit-player.service"] = running(ActiveState="activating", NRestarts=3)
    code, _, err = await unit("gate", "60")
    assert (code, system.marks) == (0, [("bad", "booted")]), err
    assert (unit.decided, unit.reboots) == (False, True)
    document = unit.verdict()
    assert (document["verdict"], document["trial"]) == ("failed", True)
    assert results(document)["units"] == (False, "smartcockpit-player.service was restarted 3 times")
    assert "has not proved itself, the other slot is booted: units: " in err


async def test_what_does_not_come_up_in_time_ends_the_trial(unit: Unit, system: PaperSystem) -> None:
    system.units["smartcockpit-player.service"] = running(ActiveState="activating")
    await unit("gate", "1")
    assert (unit.verdict()["verdict"], unit.reboots, system.marks) == ("timeout", True, [("bad", "booted")])


async def test_without_another_slot_a_trial_goes_on(unit: Unit, system: PaperSystem) -> None:
    system.slots["A"]["boot-status"] = "bad"
    system.units["smartcockpit-player.service"] = running(ActiveState="failed", Result="exit-code")
    _, _, err = await unit("gate", "20")
    assert (unit.decided, unit.reboots, system.marks) == (True, False, [])
    assert "no other slot to boot" in err


async def test_a_slot_that_was_good_is_never_rebooted(unit: Unit, system: PaperSystem) -> None:
    unit.boots(KNOWN, "boot-1")
    await unit("early")
    system.units["smartcockpit-player.service"] = running(ActiveState="failed", Result="watchdog")
    code, _, err = await unit("gate", "20")
    assert (code, unit.reboots, system.marks) == (0, False, [("good", "booted")])
    assert (unit.verdict()["verdict"], unit.verdict()["trial"]) == ("failed", False)
    assert "which was good before, is not well" in err
    await unit("give-up")
    assert not unit.reboots


@pytest.mark.parametrize("line", [KNOWN, TRIAL])
async def test_rauc_out_of_order_ends_a_trial_only(unit: Unit, system: PaperSystem, line: str) -> None:
    system.rauc_answers = False
    unit.boots(line, "boot-1")
    assert (await unit("early"))[0] != 0
    assert unit.decided == (line == KNOWN)
    # Then systemd starts the deadline (OnFailure=), whose second line asks for the reboot unless it is decided.
    code, _, _ = await unit("gate", "1")
    assert (code != 0, unit.reboots) == (line == TRIAL, False)
    assert unit.decided == (line == KNOWN)
    assert (
        unit.verdict()["verdict"] == "good" if line == KNOWN else not (unit.state / "verdict.json").exists()
    )


async def test_rauc_that_installs_is_waited_for(unit: Unit, system: PaperSystem) -> None:
    system.rauc_is_busy = 2
    assert (await unit("gate", "20"))[0] == 0
    assert (system.rauc_is_busy, system.marks) == (0, [("good", "booted")])


async def test_a_proven_slot_whose_counters_were_lost_gets_them_back_and_stays(
    unit: Unit, system: PaperSystem
) -> None:
    """The boot loader takes it for one on trial: many power cuts, or an environment that was made anew."""
    await unit("gate", "20")
    unit.boots(TRIAL, "boot-2")
    system.marks.clear()
    assert (await unit("gate", "20"))[0] == 0  # `early` has not had its turn
    assert (system.marks, unit.decided, unit.verdict()["trial"]) == ([("good", "booted")], True, False)
    unit.boots(TRIAL, "boot-3")
    await unit("give-up")
    assert (unit.decided, unit.reboots) == (True, False)


async def test_reason_is_kept_when_there_is_no_bus_to_end_the_trial_by(unit: Unit, dbus: PrivateBus) -> None:
    unit.environment["SMARTCOCKPIT_BUS"] = "unix:path=/nonexistent"
    code, _, _ = await unit("give-up")
    assert (code != 0, unit.decided) == (True, False)
    detail = results(unit.verdict())["deadline"][1]
    assert "did not come up in time: " in detail
    assert "/nonexistent" in detail


async def test_an_empty_slot_is_nothing_to_fall_back_to(unit: Unit, system: PaperSystem) -> None:
    """A unit as it leaves the factory, with counters that were lost: the boot loader gives both slots attempts."""
    system.units["smartcockpit-player.service"] = running(NRestarts=3)
    system.slots["B"] = {"state": "booted", "boot-status": "good"}
    await unit("gate", "20")
    assert (unit.reboots, unit.decided, system.marks) == (False, True, [])


async def test_a_daemon_that_crashes_after_it_has_passed_is_seen(unit: Unit, system: PaperSystem) -> None:
    """The last word: units are looked at once more when the slowest check has passed."""
    slow = unit.root / "usr/lib/smartcockpit/health/slow.py"
    slow.write_text(
        "NAME = 'slow'\nlooks = []\nfrom smartcockpit.health.check import CheckFailedError\n"
        "async def check(cockpit):\n    looks.append(1)\n"
        "    if len(looks) < 3:\n        raise CheckFailedError('not yet')\n    return 'here'\n"
    )
    running_gate = asyncio.create_task(unit("gate", "20"))
    await asyncio.wait_for(system.asked_for(CANBRIDGE.replace("canbridge", "player")), 20)
    system.units["smartcockpit-player.service"] = running(ActiveState="activating", SubState="auto-restart")
    await running_gate
    assert (unit.verdict()["verdict"], unit.reboots) == ("timeout", True)


async def test_a_trial_without_a_verdict_is_given_up(unit: Unit, system: PaperSystem) -> None:
    assert (await unit("give-up"))[0] == 0
    assert (unit.reboots, system.marks, unit.verdict()["verdict"]) == (True, [("bad", "booted")], "timeout")


async def test_without_a_boot_loader_nothing_is_marked(unit: Unit, system: PaperSystem) -> None:
    unit.boots("quiet", "boot-1")
    await unit("early")
    await unit("gate", "20")
    assert (system.marks, unit.verdict()["slot"], unit.verdict()["verdict"]) == ([], "", "good")


ABILITIES = {
    "gnss": ("Gnss1", "Receiver", {"State": "no-fix", "Reason": ""}, {"State": "unavailable", "Reason": "no line"}),
    "audio": ("Audio1", "Server", {"State": "ready"}, {"State": "no-device", "Reason": "no sound card"}),
    "ota": ("Ota1", "Server", {"Url": "https://x", "Answered": 7, "Trouble": ""}, {"Url": "https://x", "Trouble": "no route"}),
}  # fmt: skip


@pytest.mark.parametrize("daemon", ABILITIES)
async def test_what_does_not_work_counts_only_if_it_worked_before(
    daemon: str, unit: Unit, system: PaperSystem, dbus: PrivateBus
) -> None:
    face, member, works, broken = ABILITIES[daemon]
    system.start(daemon)
    name = f"org.smartcockpit.{face}"
    for before, value, ok in (
        (None, works, True), ([], broken, True), ([daemon], works, True), ([daemon], broken, False)
    ):  # fmt: skip
        (unit.state / "baseline.json").unlink(missing_ok=True)
        if before is not None:
            (unit.state / "baseline.json").write_text(json.dumps({"format": 1, "able": before}))
        unit.boots(KNOWN, "boot-1")
        service = await Face.on(dbus.address, name, {member: value})
        await unit("gate", "1")
        found = results(unit.verdict())[daemon]
        assert found[0] == (ok or daemon == "ota"), (before, value, found)
        assert found[1].startswith("skipped") == (value is broken and found[0])
        service.close()
    able = json.loads((unit.state / "baseline.json").read_text())["able"]
    # Without a network nobody can tell whether the server would answer: what was known stays known.
    assert able == (["ota"] if daemon == "ota" else [])


GNSS = "org.smartcockpit.Gnss1"
NO_RECEIVER = {"Receiver": {"State": "unavailable", "Reason": "no line"}}


async def test_what_was_never_there_makes_no_good_slot_unwell(
    unit: Unit, system: PaperSystem, dbus: PrivateBus
) -> None:
    system.start("gnss")
    unit.boots(KNOWN, "boot-1")
    service = await Face.on(dbus.address, GNSS, NO_RECEIVER)
    _, _, err = await unit("gate", "1")
    service.close()
    assert results(unit.verdict())["gnss"] == (True, "skipped: the receiver is unavailable (no line)")
    assert (unit.verdict()["verdict"], "is not well" in err) == ("good", False)


async def test_a_receiver_that_is_slow_to_come_counts_in_the_next_trial(
    unit: Unit, system: PaperSystem, dbus: PrivateBus
) -> None:
    system.start("gnss")
    unit.boots(KNOWN, "boot-1")
    (unit.state / "baseline.json").write_text('{"format": 1, "able": []}')
    service = await Face.on(dbus.address, GNSS, NO_RECEIVER)
    gate = asyncio.create_task(unit("gate", "20"))
    await asyncio.wait_for(service.asked.wait(), 20)
    service.properties = {"Receiver": {"State": "fix"}}
    await gate
    service.close()
    assert json.loads((unit.state / "baseline.json").read_text())["able"] == ["gnss"]


async def test_broken_settings_of_a_daemon_that_does_not_run_are_told_in_its_words(
    unit: Unit, system: PaperSystem
) -> None:
    program = unit.root / "bin/smartcockpit-canbridge"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'canbridge.toml: unknown key vehcle' >&2\nexit 78\n")
    program.chmod(0o755)
    system.units[CANBRIDGE] = running(ActiveState="inactive")
    await unit("gate", "20")
    assert results(unit.verdict())["settings"] == (False, "canbridge.toml: unknown key vehcle")


async def test_a_product_drops_its_own_check_into_the_image(unit: Unit, system: PaperSystem) -> None:
    folder = unit.root / "usr/lib/smartcockpit/health"
    (folder / "tow_bar.py").write_text(
        "NAME = 'tow bar'\nasync def check(cockpit):\n    return 'is folded in'\n"
    )
    await unit("gate", "20")
    assert results(unit.verdict())["tow bar"] == (True, "is folded in")


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        (
            "NAME = 'x'\nasync def check(cockpit):\n    return 1 / 0\n",
            "the check is broken: ZeroDivisionError",
        ),
        ("NAME = 'x'\ndef check(cockpit):\n    return 'fine'\n", "the check is broken: TypeError"),
        ("NAME = 'x'\n", "does not load: AttributeError"),
        ("this is no Python", "does not load: SyntaxError"),
    ],
)
async def test_a_check_that_is_broken_fails(
    unit: Unit, system: PaperSystem, source: str, complaint: str
) -> None:
    (unit.root / "usr/lib/smartcockpit/health/x.py").write_text(source)
    await unit("gate", "20")
    ok, detail = results(unit.verdict())["x"]
    assert (ok, complaint in detail, unit.reboots) == (False, True, True), detail


async def test_a_full_or_read_only_data_partition_ends_the_trial(unit: Unit, system: PaperSystem) -> None:
    (unit.state / "check-data").mkdir()
    (unit.state / "verdict.json.new").mkdir()
    code, _, err = await unit("gate", "1")
    assert (code, unit.reboots, system.marks) == (0, True, [("bad", "booted")])
    assert "data: " in err
    assert "cannot be written" in err


@pytest.mark.parametrize("wrong", [["sleep"], [], ["gate", "x"]])
async def test_wrong_words_are_refused(unit: Unit, system: PaperSystem, wrong: list[str]) -> None:
    code, _, err = await unit(*wrong)
    assert (code, "Traceback" in err) == (2, False)


async def test_after_a_fall_back_the_reason_is_kept_until_the_next_trial(
    unit: Unit, system: PaperSystem
) -> None:
    system.units["smartcockpit-player.service"] = running(ActiveState="failed", Result="exit-code")
    await unit("gate", "20")
    reason = unit.verdict()
    system.start("player")
    unit.boots("rauc.slot=A quiet", "boot-2")
    system.slots["A"]["state"], system.slots["B"]["state"] = "booted", "inactive"
    await unit("early")
    await unit("gate", "20")
    assert (unit.verdict(), reason["verdict"]) == (reason, "failed")
    code, out, _ = await unit("health", module="smartcockpit.cli")
    assert (code, out.splitlines()[0]) == (0, "good: slot A, version 1.2.3, not on trial")
    assert (
        "the last trial failed: slot B, version 1.2.3: units: smartcockpit-player.service has failed" in out
    )
    unit.boots(TRIAL, "boot-3")
    system.slots["A"]["state"], system.slots["B"]["state"] = "inactive", "booted"
    await unit("gate", "20")
    assert (unit.verdict()["verdict"], unit.verdict()["boot_id"]) == ("good", "boot-3")


async def test_cockpitctl_shows_the_verdict(unit: Unit, system: PaperSystem) -> None:
    code, _, err = await unit("health", module="smartcockpit.cli")
    assert (code, "has not judged this system yet" in err) == (69, True)
    await unit("gate", "20")
    code, out, _ = await unit("health", module="smartcockpit.cli")
    assert (code, out.splitlines()[0]) == (0, "good: slot B, version 1.2.3, on trial")
    assert "units     ok" in out
    code, out, _ = await unit("health", "--json", module="smartcockpit.cli")
    assert (code, json.loads(out)["this_boot"], json.loads(out)["verdict"]) == (0, True, "good")
    unit.boots(KNOWN, "boot-2")
    assert (await unit("health", module="smartcockpit.cli"))[0] == 69
    (unit.state / "newest.json").write_text('{"format": 2}')
    assert "holds no verdict" in (await unit("health", module="smartcockpit.cli"))[2]


def test_a_silent_bus_has_been_listened_to() -> None:
    from smartcockpit.bus.interfaces.canbridge1 import BusCounters, BusStatus
    from smartcockpit.health.checks.can import judge

    status = BusStatus(interface="can0", state="error-active", since=1_000_000)
    assert judge(status, BusCounters(), 2_000_000) == (False, "has only just begun to listen")
    assert judge(status, BusCounters(), 6_000_000) == (True, "is silent")
    assert judge(status, BusCounters(frames=1), 2_000_000) == (True, "decodes")
    assert judge(status, BusCounters(unknown_id=1), 6_000_000)[0] is False
    passive = BusStatus(interface="can0", state="error-passive", since=1_000_000)
    assert judge(passive, BusCounters(), 60_000_000) == (False, "is error-passive")


def test_units_that_have_only_just_started_are_waited_for() -> None:
    from smartcockpit.health.checks.units import judge

    now = monotonic_us()
    fresh = running(ActiveEnterTimestampMonotonic=now - 1_000_000)
    assert judge(fresh, now) == ("has only just started", False)
    starved = running(WatchdogTimestampMonotonic=now - 30_000_000)
    assert judge(starved, now) == ("does not feed its watchdog", False)
    unfed = running(WatchdogTimestampMonotonic=0)
    assert judge(unfed, now) == ("does not feed its watchdog", False)
    assert judge(unfed | {"WatchdogUSec": 150_000_000}, now) == ("", False), "it feeds every 75 s at the most"
    assert judge(unfed | {"WatchdogUSec": 150_000_000}, now + 91_000_000)[0] == "does not feed its watchdog"
    assert judge(running(WatchdogUSec=2**64 - 1, WatchdogTimestampMonotonic=0), now) == ("", False)
    assert judge(running(ActiveState="inactive", ConditionResult=False), now) == ("", False)
    assert judge({"LoadState": "not-found"}, now) == ("is not-found", True)
