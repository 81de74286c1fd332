# SPDX-License-Identifier: Apache-2.0
"""Every unit file is sound, sandboxed to 1.2 or less, and knows the users and ids that sysusers.d makes."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = ROOT / "systemd/system"
UNITS = sorted(p for p in SYSTEM.iterdir() if p.is_file())
SERVICES = [p for p in UNITS if p.suffix == ".service"]
THRESHOLD = 12
"""Exposure as `systemd-analyze security` counts it, times ten."""

PATIENT = {"smartcockpit-ota.service": 150}
"""Daemons whose watchdog may be slower, s: the update agent wakes up once a minute at most when it rests."""

needs_analyze = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing: apt install systemd"
)


class Sections(configparser.RawConfigParser):
    """A unit file; of a key that stands several times the last value is kept."""

    def __init__(self, *paths: Path) -> None:
        super().__init__(strict=False, delimiters=("=",), comment_prefixes=("#",), allow_no_value=True)
        self.read(paths)

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def ids(paths: list[Path]) -> list[str]:
    return [p.name for p in paths]


@needs_analyze
@pytest.mark.parametrize("unit", SERVICES, ids=ids(SERVICES))
def test_sandbox_stays_within_the_limit(unit: Path) -> None:
    done = subprocess.run(
        [
            "systemd-analyze",
            "security",
            "--offline=true",
            f"--threshold={THRESHOLD}",
            "--no-pager",
            f"./{unit.name}",
        ],
        cwd=SYSTEM,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


@needs_analyze
def test_units_are_sound(tmp_path: Path) -> None:
    root = tmp_path / "usr/lib/systemd/system"
    shutil.copytree(SYSTEM, root)
    programs = {"/bin/sh"}
    for unit in SERVICES:
        programs.add(Sections(unit)["Service"]["ExecStart"].split()[0])
    for program in programs:
        stub = tmp_path / program.lstrip("/")
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.write_text("")
        stub.chmod(0o755)
    for name in (
        "dbus.socket",
        "sysinit.target",
        "basic.target",
        "multi-user.target",
        "systemd-sysctl.service",
    ):
        (root / name).write_text(
            "[Socket]\nListenStream=/run/x\n" if name.endswith("socket") else
            "[Service]\nExecStart=/bin/sh\n" if name.endswith("service") else "[Unit]\nDescription=stub\n"
        )  # fmt: skip
    done = subprocess.run(
        [
            "systemd-analyze",
            "verify",
            "--man=no",
            "--recursive-errors=one",
            f"--root={tmp_path}",
            *ids(UNITS),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    words = [line for line in done.stderr.splitlines() if "smartcockpit" in line]
    assert words == []


@pytest.mark.parametrize("unit", SERVICES, ids=ids(SERVICES))
def test_openings_are_few_and_each_has_its_reason(unit: Path) -> None:
    drop_ins = sorted((SYSTEM / f"{unit.name}.d").glob("*.conf"))
    assert [p.name for p in drop_ins] in ([], ["20-openings.conf"])
    for drop_in in drop_ins:
        before = ""
        for line in drop_in.read_text().splitlines():
            if re.match(r"\w+=", line):
                assert before.startswith("#") or re.match(r"\w+=", before), f"{line}: no reason above it"
            before = line
    loosened = set(Sections(unit)["Service"]) & set(
        Sections(SYSTEM / "smartcockpit-.service.d/10-hardening.conf")["Service"]
    )
    assert loosened == set(), "the drop-in is read later and would win"


@pytest.mark.parametrize(
    "unit",
    [u for u in SERVICES if Sections(u)["Service"]["Type"] == "notify"],
    ids=[u.name for u in SERVICES if Sections(u)["Service"]["Type"] == "notify"],
)
def test_daemons_are_watched_restarted_and_unprivileged(unit: Path) -> None:
    parsed = Sections(unit)
    service = parsed["Service"]
    assert int(service["WatchdogSec"]) <= PATIENT.get(unit.name, 30)
    assert service["Restart"] == "always"
    assert service["RestartPreventExitStatus"] == "2 78"
    assert int(service["TimeoutStopSec"]) <= 5
    assert int(parsed["Unit"]["StartLimitBurst"]) * int(service["RestartSec"]) < int(
        parsed["Unit"]["StartLimitIntervalSec"]
    ), "the limit could never be reached"
    assert service["User"].startswith("smartcockpit-")


def test_users_have_fixed_ids_of_their_own() -> None:
    lines = (ROOT / "systemd/sysusers.d/smartcockpit.conf").read_text().splitlines()
    made = [line.split()[:3] for line in lines if line[:2] in ("u ", "g ")]
    numbers = [number for _, _, number in made]
    assert len(set(numbers)) == len(numbers)
    assert all(100 <= int(n) <= 999 for n in numbers)
    used = {Sections(u)["Service"].get("User", "") for u in SERVICES}
    assert used <= {name for kind, name, _ in made if kind == "u"} | {"root"}


def test_root_is_only_who_has_no_capability_left() -> None:
    roots = [u for u in SERVICES if Sections(u)["Service"].get("User") == "root"]
    assert [u.name for u in roots] == ["smartcockpit-power-off.service"]
    for unit in roots:
        drop_in = SYSTEM / f"{unit.name}.d/20-openings.conf"
        for path in (unit, drop_in):
            assert not re.search(r"^(Capability|Ambient|NoNewPrivileges)", path.read_text(), re.M)


def test_everything_that_can_be_enabled_is_in_the_preset() -> None:
    preset = (ROOT / "systemd/system-preset/80-smartcockpit.preset").read_text()
    named = dict(reversed(found) for found in re.findall(r"^(enable|disable) (\S+)$", preset, re.M))
    assert set(named) == {u.name for u in UNITS if "Install" in Sections(u)}
    sockets = {u.name for u in UNITS if Sections(u).has_option("Socket", "ListenStream")}
    assert {unit for unit, verb in named.items() if verb == "disable"} == sockets, "nothing listens by itself"


@pytest.mark.parametrize(
    ("request_", "asked"),
    [
        ("check\n", "poweroff --no-wall --check-inhibitors=yes"),
        ("force\n", "poweroff --no-wall --check-inhibitors=no"),
        ("$(reboot)\n", "poweroff --no-wall --check-inhibitors=yes"),
        ("", "poweroff --no-wall --check-inhibitors=yes"),
    ],
)
def test_power_off_helper_takes_the_request_away_and_asks_once(
    tmp_path: Path, request_: str, asked: str
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "off").write_text(request_)
    (tmp_path / "systemctl").write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nls {folder} >> {tmp_path}/calls\n'
    )
    (tmp_path / "systemctl").chmod(0o755)
    subprocess.run(
        ["/bin/sh", str(ROOT / "systemd/libexec/power-off"), str(folder)],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=True,
        timeout=10,
    )
    assert (tmp_path / "calls").read_text() == f"{asked}\n"


def test_restart_helper_acts_on_can_interfaces_alone(tmp_path: Path) -> None:
    folder = tmp_path / "restart"
    folder.mkdir()
    for name in ("lo", "$(reboot)", "a b", "nosuch", "x" * 40):
        (folder / name).touch()
    (folder / "dir").mkdir()
    calls = tmp_path / "calls"
    (tmp_path / "ip").write_text(f'#!/bin/sh\necho "$@" >> {calls}\n')
    (tmp_path / "ip").chmod(0o755)
    subprocess.run(
        ["/bin/sh", str(ROOT / "systemd/libexec/can-restart"), str(folder)],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=True,
        timeout=10,
    )
    assert list(folder.iterdir()) == []
    assert not calls.exists()
