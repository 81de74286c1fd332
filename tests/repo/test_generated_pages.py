# SPDX-License-Identifier: Apache-2.0
"""What is generated equals what it is generated from (XML and default settings have their tests beside their makers)."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = tomllib.loads((ROOT / "python/pyproject.toml").read_text())["project"]["scripts"]
DAEMONS = [name.removeprefix("smartcockpit-") for name, entry in SCRIPTS.items() if ".daemons." in entry]
SETTINGS = "smartcockpit.runtime.settings_doc"


@pytest.mark.parametrize(
    ("page", "module", "args"),
    [
        ("docs/reference/dbus.md", "smartcockpit_bench.interface_page", ()),
        ("docs/reference/settings.md", SETTINGS, ("markdown", *DAEMONS)),
        *((f"systemd/config/{daemon}.toml", SETTINGS, ("toml", daemon)) for daemon in DAEMONS),
    ],
)
def test_committed_page_is_what_its_source_generates(page: str, module: str, args: tuple[str, ...]) -> None:
    made = subprocess.run(
        [sys.executable, "-m", module, *args],
        env={"PYTHONPATH": str(ROOT / "python/src")}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert (ROOT / page).read_text() == made.stdout, "run: make generate"
