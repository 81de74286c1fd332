# SPDX-License-Identifier: Apache-2.0
"""Where the time went between power-on and the first valid signal, from systemd's monotonic stamps.

Stages: userspace (systemd runs), units (they are loaded), canbridge (its unit is active), first signal (the
first frame with signals has been decoded), finished (all jobs of the boot are done). What the boot loader
took before is not visible from here.
"""

from __future__ import annotations

from smartcockpit.bus import names
from smartcockpit.bus.connection import BusConnection
from smartcockpit.core.errors import SmartCockpitError

SYSTEMD = "org.freedesktop.systemd1"
MANAGER = "/org/freedesktop/systemd1"
CANBRIDGE = "/org/freedesktop/systemd1/unit/smartcockpit_2dcanbridge_2eservice"
STAMPS = (
    ("userspace", MANAGER, "Manager", "UserspaceTimestampMonotonic"),
    ("units", MANAGER, "Manager", "UnitsLoadFinishTimestampMonotonic"),
    ("canbridge", CANBRIDGE, "Unit", "ActiveEnterTimestampMonotonic"),
    ("finished", MANAGER, "Manager", "FinishTimestampMonotonic"),
)
COMPLETE = len(STAMPS) + 1
"""Number of stages when all are known."""


async def stages(bus: BusConnection, first_frame_us: int) -> list[tuple[str, float]]:
    """Return (stage, seconds since the kernel started) in order of time; those not reached are left out.

    `first_frame_us` is the time of the first decoded frame, µs CLOCK_MONOTONIC, 0 when there is none yet.
    Without systemd on the bus the list is empty.
    """
    found: list[tuple[str, float]] = []
    try:
        for name, path, interface, key in STAMPS:
            reply = await bus.call(
                SYSTEMD, path, names.PROPERTIES, "Get", "ss", (f"{SYSTEMD}.{interface}", key)
            )
            if isinstance(reply[0], int) and reply[0] > 0:
                found.append((name, reply[0] / 1e6))
    except SmartCockpitError:
        return []
    if first_frame_us:
        found.append(("first signal", first_frame_us / 1e6))
    return sorted(found, key=lambda stage: stage[1])
