# SPDX-License-Identifier: Apache-2.0
"""Every daemon can read its settings.

One that runs has done so in this boot; of any other its own program is asked (`--check-config`).
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import smartcockpit
from smartcockpit.bus.systemd1 import unit_state
from smartcockpit.health.check import CheckFailedError, Cockpit

NAME = "settings"
DAEMONS = Path(smartcockpit.__file__).parent / "daemons"


async def check(cockpit: Cockpit) -> str:
    """Ask each daemon of this image."""
    names = sorted(entry.name for entry in DAEMONS.iterdir() if (entry / "settings.py").is_file())
    wrong = [said for name in names if (said := await complaint(cockpit, name))]
    if wrong:
        raise CheckFailedError("; ".join(wrong), final=True)
    return f"of {len(names)} daemons readable"


async def complaint(cockpit: Cockpit, daemon: str) -> str:
    """Return what is wrong with a daemon's settings, in its own words; "" if nothing."""
    program = shutil.which(f"smartcockpit-{daemon}")
    unit = await unit_state(cockpit.bus, f"smartcockpit-{daemon}.service")
    if unit.active_state == "active" or unit.load_state != "loaded" or program is None:
        return ""
    process = await asyncio.create_subprocess_exec(
        program, "--check-config", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    try:
        _, said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    words = said.decode(errors="replace").strip().splitlines() or [
        f"{daemon}: exit code {process.returncode}"
    ]
    return words[-1] if process.returncode else ""
