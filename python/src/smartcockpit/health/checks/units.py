# SPDX-License-Identifier: Apache-2.0
"""Every unit of smartcockpit.target runs, has done so for a while, and feeds its watchdog if it has one.

Not counted: units whose condition is not met, and those that run once and end.
"""

from __future__ import annotations

import time
from typing import Any

from smartcockpit.bus.systemd1 import unit_properties
from smartcockpit.health.check import TARGET, CheckFailedError, Cockpit

NAME = "units"
LAST_WORD = True
SETTLED_US = 5_000_000
"""What is up for shorter may still crash."""
MANY_RESTARTS = 3
SELDOM_US = 60_000_000
"""A watchdog with more patience than this, such as the idle update agent's, is not waited for."""


async def check(cockpit: Cockpit) -> str:
    """Look at each unit that the target wants or requires."""
    target = await unit_properties(cockpit.bus, TARGET)
    wanted = sorted({*target.get("Wants", ()), *target.get("Requires", ())})
    if not wanted:
        raise CheckFailedError(f"{TARGET} has no units", final=True)
    judged = [(unit, judge(await unit_properties(cockpit.bus, unit), now_us())) for unit in wanted]
    bad = [f"{unit} {word}" for unit, (word, _) in judged if word]
    if bad:
        raise CheckFailedError(", ".join(bad), final=any(final for _, (_, final) in judged))
    return f"{len(wanted)} units run"


def judge(unit: dict[str, Any], now: int) -> tuple[str, bool]:
    """Return what is wrong with a unit, "" if nothing, and whether that is final; times are µs monotonic."""
    state = unit.get("ActiveState", "")
    if unit.get("LoadState") != "loaded":
        return f"is {unit.get('LoadState', 'unknown')}", True
    if state == "failed":
        return f"has failed ({unit.get('Result', 'unknown')})", True
    since = int(unit.get("ActiveEnterTimestampMonotonic", 0))
    settled = state == "active" and now - since >= SETTLED_US
    if (restarts := int(unit.get("NRestarts", 0))) >= MANY_RESTARTS:
        return f"was restarted {restarts} times", True
    if state == "inactive" and (unit.get("ConditionResult") is False or unit.get("Type") == "oneshot"):
        return "", False
    if state != "active":
        return f"is {state} ({unit.get('SubState', '')})", False
    if not settled:
        return "has only just started", False
    patience, fed = int(unit.get("WatchdogUSec", 0)), int(unit.get("WatchdogTimestampMonotonic", 0))
    if 0 < patience < 2**63:
        hungry = fed <= since and patience <= SELDOM_US
        if hungry or now - max(fed, since) > patience:
            return "does not feed its watchdog", False
    return "", False


def now_us() -> int:
    """Return systemd's monotonic time, µs."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
