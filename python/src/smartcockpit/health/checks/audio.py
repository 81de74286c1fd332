# SPDX-License-Identifier: Apache-2.0
"""The sound server has a device to play on."""

from __future__ import annotations

from smartcockpit.bus.client import properties
from smartcockpit.health.check import Cockpit

NAME = "audio"
SERVICE = "org.smartcockpit.Audio1"


async def check(cockpit: Cockpit) -> str:
    """Look at the state of the sound server (Audio1.Server)."""
    await cockpit.needs("audio")
    found = await properties(cockpit.bus, SERVICE, "/org/smartcockpit/Audio1", SERVICE)
    server = found.get("Server", {})
    state, reason = server.get("State", "unknown"), server.get("Reason", "")
    detail = f"the sound server is {state}" + (f" ({reason})" if reason else "")
    return cockpit.judge("audio", state == "ready", detail)
