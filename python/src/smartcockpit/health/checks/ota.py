# SPDX-License-Identifier: Apache-2.0
"""The update daemon reaches its server, if it could before: else the next repair could not be sent.

A car that stands where there is no network is not the new system's fault: then nothing is asked.
"""

from __future__ import annotations

from smartcockpit.bus.client import properties
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.health.check import CheckSkippedError, Cockpit

NAME = "ota"
SERVICE = "org.smartcockpit.Ota1"
NETWORK = "org.freedesktop.network1"


async def check(cockpit: Cockpit) -> str:
    """Look at how the talk with the server goes (Ota1.Server)."""
    await cockpit.needs("ota")
    found = await properties(cockpit.bus, SERVICE, "/org/smartcockpit/Ota1", SERVICE)
    server = found.get("Server", {})
    if not server.get("Url"):
        raise CheckSkippedError("no server is set")
    trouble = server.get("Trouble", "")
    if server.get("Answered") and not trouble:
        return cockpit.judge("ota", True, "the server answers")
    reason = f"the server does not answer: {trouble}" if trouble else "the server has not answered yet"
    if "ota" in (cockpit.before or ()) and not await _online(cockpit):
        cockpit.able.add("ota")  # for the next trial, which may be where there is a network
        raise CheckSkippedError(f"there is no network; {reason}")
    if cockpit.trial and cockpit.before is None:
        raise CheckSkippedError(f"{reason}; nobody knows whether it did before")
    return cockpit.judge("ota", False, reason)


async def _online(cockpit: Cockpit) -> bool:
    try:
        network = await properties(cockpit.bus, NETWORK, "/org/freedesktop/network1", f"{NETWORK}.Manager")
    except SmartCockpitError:
        return False
    return network.get("OperationalState") == "routable"
