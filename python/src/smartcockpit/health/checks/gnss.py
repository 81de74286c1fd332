# SPDX-License-Identifier: Apache-2.0
"""The GNSS receiver delivers sentences; whether there is a fix is up to the sky."""

from __future__ import annotations

from smartcockpit.bus.client import properties
from smartcockpit.health.check import Cockpit

NAME = "gnss"
SERVICE = "org.smartcockpit.Gnss1"


async def check(cockpit: Cockpit) -> str:
    """Look at the state of the receiver (Gnss1.Receiver)."""
    await cockpit.needs("gnss")
    found = await properties(cockpit.bus, SERVICE, "/org/smartcockpit/Gnss1", SERVICE)
    receiver = found.get("Receiver", {})
    state, reason = receiver.get("State", "unknown"), receiver.get("Reason", "")
    detail = f"the receiver is {state}" + (f" ({reason})" if reason else "")
    return cockpit.judge("gnss", state in ("no-fix", "fix"), detail)
