# SPDX-License-Identifier: Apache-2.0
"""`cockpitctl config`: every setting of a daemon, its value and the file that it comes from.

Asks the daemon's own program (`--show-config`), which owns its settings; works whether it runs or not.
JSON: {"canbridge": [{key, value, origin}]}.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from smartcockpit.cli import inventory, output, text
from smartcockpit.core.errors import ConfigError, UnavailableError

TIMEOUT_S = 30.0


def run(options: argparse.Namespace) -> int:
    """Print the settings of the chosen daemons."""
    found = {daemon: settings_of(daemon) for daemon in inventory.chosen(options.daemon)}
    if options.json:
        print(output.document(found))
        return 0
    for number, (daemon, rows) in enumerate(found.items()):
        if len(found) > 1:
            print(("\n" if number else "") + daemon)
        cells = [(str(row["key"]), _value(row["value"]), str(row["origin"])) for row in rows]
        print(text.table(("SETTING", "VALUE", "FROM"), cells))
    return 0


def settings_of(daemon: str) -> list[dict[str, Any]]:
    """Return the settings in force; raises `ConfigError` with the daemon's own words when they are broken."""
    command = [program(daemon), "--show-config"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(
            f"{command[0]} does not answer: {error}", "is the package complete?"
        ) from error
    if done.returncode:
        words = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        said = words[-1].removeprefix(f"smartcockpit-{daemon}: ").removeprefix("ERROR: ")
        message, _, hint = said.partition(". Hint: ")
        raise ConfigError(f"{daemon}: {message}", hint)
    try:
        rows: list[dict[str, Any]] = json.loads(done.stdout)
    except ValueError as error:
        raise UnavailableError(
            f"{command[0]} --show-config prints no JSON", "are the versions mixed?"
        ) from error
    return rows


def program(daemon: str) -> str:
    """Return the daemon's program: beside this one (a venv), else on the search path."""
    name = f"smartcockpit-{daemon}"
    beside = Path(sys.argv[0]).parent / name
    if beside.is_file():
        return str(beside)
    found = shutil.which(name)
    if not found:
        raise UnavailableError(f"{name} is not installed", "is the package complete?")
    return found


def _value(value: Any) -> str:
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
