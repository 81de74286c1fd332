# SPDX-License-Identifier: Apache-2.0
"""Each CAN bus decodes frames, or its controller takes part in a bus on which nobody speaks."""

from __future__ import annotations

from smartcockpit.bus.client import CanBridgeClient
from smartcockpit.bus.interfaces.canbridge1 import BusCounters, BusStatus, CanBusState
from smartcockpit.health.check import CheckFailedError, CheckSkippedError, Cockpit

NAME = "can"


async def check(cockpit: Cockpit) -> str:
    """Look at the state and the counters of every bus of the vehicle."""
    await cockpit.needs("canbridge")
    state = await CanBridgeClient(cockpit.bus).state()
    found, skipped = [], []
    for name, status in state.buses.items():
        works, detail = judge(status, state.counters.get(name) or BusCounters())
        try:
            found.append(cockpit.judge(f"can:{name}", works, f"{name} {detail}"))
        except CheckSkippedError as reason:
            skipped.append(str(reason))
    if not found and skipped:
        raise CheckSkippedError(", ".join(skipped))
    if not state.buses:
        raise CheckFailedError(f"the vehicle {state.vehicle} has no buses")
    return ", ".join([*found, *skipped])


def judge(status: BusStatus, counters: BusCounters) -> tuple[bool, str]:
    """Return whether a bus works, and how."""
    if status.state in (CanBusState.UNAVAILABLE, CanBusState.BUS_OFF):
        return False, f"is {status.state} {f'({status.reason})' if status.reason else ''}".rstrip()
    if counters.frames:
        return True, "decodes"
    if counters.unknown_id or counters.short_frame or counters.error_frames:
        return False, "has traffic and none of it is decoded"
    return True, "is silent"
