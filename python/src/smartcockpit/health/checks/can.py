# SPDX-License-Identifier: Apache-2.0
"""Each CAN bus decodes frames, or its controller takes part in a bus on which nobody speaks."""

from __future__ import annotations

import time

from smartcockpit.bus.client import CanBridgeClient
from smartcockpit.bus.interfaces.canbridge1 import BusCounters, BusStatus, CanBusState
from smartcockpit.health.check import CheckFailedError, CheckSkippedError, Cockpit

NAME = "can"
SILENT_US = 5_000_000
"""A bus counts as silent when its controller has listened for so long."""


async def check(cockpit: Cockpit) -> str:
    """Look at the state and the counters of every bus of the vehicle."""
    await cockpit.needs("canbridge")
    state = await CanBridgeClient(cockpit.bus).state()
    found, skipped = [], []
    for name, status in state.buses.items():
        counters = state.counters.get(name) or BusCounters()
        works, detail = judge(status, counters, time.time_ns() // 1000)
        try:
            found.append(cockpit.judge(f"can:{name}", works, f"{name} {detail}"))
        except CheckSkippedError as reason:
            skipped.append(str(reason))
    if not found and skipped:
        raise CheckSkippedError(", ".join(skipped))
    if not state.buses:
        raise CheckFailedError(f"the vehicle {state.vehicle} has no buses")
    return ", ".join([*found, *skipped])


def judge(status: BusStatus, counters: BusCounters, now_us: int) -> tuple[bool, str]:
    """Return whether a bus works, and how; `now_us` since the Unix epoch.

    Frames that no signal is mapped to stay in the kernel: a bus that carries nothing else is silent to us.
    """
    if status.state in (CanBusState.UNAVAILABLE, CanBusState.BUS_OFF):
        return False, f"is {status.state} {f'({status.reason})' if status.reason else ''}".rstrip()
    if counters.frames:
        return True, "decodes"
    if counters.unknown_id or counters.short_frame or counters.error_frames:
        return False, "has traffic and none of it is decoded"
    if status.state != CanBusState.ERROR_ACTIVE:
        return False, f"is {status.state}"
    if now_us - status.since < SILENT_US:
        return False, "has only just begun to listen"
    return True, "is silent"
