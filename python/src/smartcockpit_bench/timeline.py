# SPDX-License-Identifier: Apache-2.0
"""Where the time goes between power-on and the first valid speed, for the end of `make run` and for tests.

What happens before the guest's clock runs (firmware, boot loader) is read off the serial console as it
appears; what happens after comes from the box itself (`boot` lines of the view port). In between the kernel
unpacks itself, which no clock sees: about 0.5 s under emulation, to be added to all that follows.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from smartcockpit_bench.view.cockpit import Cockpit

if TYPE_CHECKING:
    from smartcockpit_bench.qemu.box import Box

POLL_S = 0.05
KERNEL_STARTS = "Starting kernel"
SPEED = "Vehicle.Speed"


class Timeline:
    """Stages of one boot, in seconds since power-on."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._loader_s: float | None = None
        self._stages: list[tuple[str, float]] = []

    async def watch(self, cockpit: Cockpit) -> None:
        """Note when the boot loader hands over and tell the viewer's `cockpit`; returns then."""
        cockpit.boot_stage = "boot loader"
        while KERNEL_STARTS not in self._box.serial():  # noqa: ASYNC110 - a log that QEMU writes
            await asyncio.sleep(POLL_S)
        self._loader_s = time.monotonic() - self._box.started_s
        cockpit.boot_stage = "Linux and its services are starting"

    def finish(self, cockpit: Cockpit) -> None:
        """Take over the stages that the box reported."""
        self._stages = list(cockpit.stages)

    @property
    def first_signal_s(self) -> float | None:
        """Seconds from power-on to the first valid reading; None when it is not known."""
        found = dict(self._stages).get("first signal")
        return None if found is None else found + (self._loader_s or 0.0)

    def table(self) -> str:
        """Return the stages for people: when each was reached, and how long it took."""
        rows = [("boot loader", self._loader_s)] if self._loader_s is not None else []
        rows += [(name, at_s + (self._loader_s or 0.0)) for name, at_s in self._stages]
        if not rows:
            return "  the box did not get far enough to say where the time went"
        lines, before_s = ["  from power-on        at      took"], 0.0
        for name, at_s in rows:
            lines.append(f"  {name:<16}{at_s:7.1f} s{at_s - before_s:7.1f} s")
            before_s = at_s
        return "\n".join(lines)
