# SPDX-License-Identifier: Apache-2.0
"""Each daemon in [project.scripts] has the same files, unit, policy, default settings and budget."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from smartcockpit.runtime.logging import Event
from smartcockpit.runtime.settings_doc import default_toml

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = tomllib.loads((ROOT / "python/pyproject.toml").read_text())["project"]["scripts"]
DAEMONS = sorted(
    m[1]
    for entry in SCRIPTS.values()
    if (m := re.match(r"smartcockpit\.daemons\.(\w+)\.__main__:main", entry))
)
CATALOG = (ROOT / "systemd/catalog/smartcockpit.catalog").read_text()


def package(daemon: str) -> Path:
    return ROOT / "python/src/smartcockpit/daemons" / daemon


EVENTS = {
    **{daemon: f"smartcockpit.daemons.{daemon}.events" for daemon in DAEMONS},
    "health": "smartcockpit.health.events",
}


def events(program: str) -> dict[str, Event]:
    module = importlib.import_module(EVENTS[program])
    return {name: value for name, value in vars(module).items() if isinstance(value, Event)}


def test_inventory_is_every_package() -> None:
    assert [p.parent.name for p in sorted(package("").glob("*/__main__.py"))] == DAEMONS != []


@pytest.mark.parametrize("daemon", DAEMONS)
def test_it_has_the_shape_of_all_daemons(daemon: str) -> None:
    assert SCRIPTS[f"smartcockpit-{daemon}"] == f"smartcockpit.daemons.{daemon}.__main__:main"
    names = {p.name for p in package(daemon).glob("*.py")}
    assert {"__main__.py", "settings.py", "service.py", "app.py"} <= names


@pytest.mark.parametrize("daemon", DAEMONS)
def test_it_has_unit_user_policy_and_budget(daemon: str) -> None:
    unit = (ROOT / f"systemd/system/smartcockpit-{daemon}.service").read_text()
    assert f"ExecStart=/usr/bin/smartcockpit-{daemon}\n" in unit
    assert f"User=smartcockpit-{daemon}\n" in unit
    name = importlib.import_module(f"smartcockpit.daemons.{daemon}.app").NAME
    assert (ROOT / f"systemd/dbus-1/system.d/{name}.conf").exists()
    assert daemon in tomllib.loads((ROOT / "tests/perf/budgets.toml").read_text())["daemons"]


@pytest.mark.parametrize("daemon", DAEMONS)
def test_committed_default_settings_are_generated_from_the_dataclass(daemon: str) -> None:
    settings = importlib.import_module(f"smartcockpit.daemons.{daemon}.settings").Settings
    committed = (ROOT / f"systemd/config/{daemon}.toml").read_text()
    assert committed == default_toml(daemon, settings), "run: make generate"


@pytest.mark.parametrize("daemon", EVENTS)
def test_events_are_explained_in_the_journal_catalog(daemon: str) -> None:
    entries = dict(re.findall(r"^-- (\w+)\n(.*?)(?=^-- |\Z)", CATALOG, re.M | re.S))
    for name, event in events(daemon).items():
        assert re.fullmatch("[0-9a-f]{32}", event.message_id), name
        assert event.message_id in entries, f"{name} has no entry in the catalog"
        fields = {f"SC_{field.upper()}" for field in re.findall(r"{(\w+)}", event.text)}
        assert set(re.findall(r"@(\w+)@", entries[event.message_id])) <= fields, name


def test_catalog_explains_nothing_that_is_never_logged() -> None:
    known = {event.message_id for program in EVENTS for event in events(program).values()}
    assert set(re.findall(r"^-- (\w+)$", CATALOG, re.M)) == known


@pytest.mark.parametrize("daemon", DAEMONS)
def test_it_imports_no_heavy_library(daemon: str) -> None:
    code = (
        f"import smartcockpit.daemons.{daemon}.__main__, sys;"
        "print([m for m in ('ssl', 'can', 'cantools', 'yaml', 'argparse', 'numpy', 'hashlib', 'tempfile')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20
    )
    assert done.stdout == "[]\n"
