# SPDX-License-Identifier: Apache-2.0
"""The message bus answers, and systemd on it."""

from __future__ import annotations

from smartcockpit.bus.client import properties
from smartcockpit.bus.systemd1 import MANAGER_PATH, SYSTEMD
from smartcockpit.health.check import Cockpit

NAME = "bus"


async def check(cockpit: Cockpit) -> str:
    """Ask the manager how it is."""
    manager = await properties(cockpit.bus, SYSTEMD, MANAGER_PATH, f"{SYSTEMD}.Manager")
    return f"systemd {manager.get('Version', '')} answers"
