# SPDX-License-Identifier: Apache-2.0
"""D-Bus face of the power daemon: org.smartcockpit.Power1.

The signals are served by `bus.signal_service`. An inhibition is a pipe: the caller gets the end to read
from, ours reports an error as soon as all copies of that are closed.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os

from smartcockpit import __version__
from smartcockpit.bus.declare import notify
from smartcockpit.bus.interfaces.power1 import InhibitorRow, LineRow, Power1
from smartcockpit.bus.login1 import LOGIN1
from smartcockpit.core.clock import Clock
from smartcockpit.core.errors import UnavailableError
from smartcockpit.core.inhibit import Inhibitors
from smartcockpit.daemons.power import events
from smartcockpit.daemons.power.cockpit import Cockpit

log = logging.getLogger(__name__)


class PowerService(Power1):
    """Answers for `cockpit`; `update` announces what has changed."""

    def __init__(self, cockpit: Cockpit, inhibitors: Inhibitors, clock: Clock) -> None:
        self._cockpit, self._inhibitors, self._clock = cockpit, inhibitors, clock
        self._pipes: set[int] = set()
        self._announced: dict[str, object] = {}

    def update(self) -> None:
        """Announce those properties that are others than before."""
        names = ("state", "reason", "ignition", "inhibitors", "battery", "lines")
        now = {name: getattr(self, name) for name in names}
        changed = [name for name in names if now[name] != self._announced.get(name)]
        self._announced = now
        if changed:
            notify(self, *changed)

    def close(self) -> None:
        """End all inhibitions."""
        for fd in tuple(self._pipes):
            self._release(fd, told=False)

    # ---- methods -----------------------------------------------------------------------------------------

    def inhibit(self, what: str, who: str, why: str, *, sender: str) -> int:
        """Implement `Power1.inhibit`; raises `UsageError`, `LimitError`, `UnavailableError`."""
        if self._cockpit.machine.committed:
            raise UnavailableError("the system is going down already")
        self._inhibitors.check(what, who, sender)
        theirs, ours = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        held = self._inhibitors.add(ours, who, why, sender, self._clock.realtime_us())
        self._pipes.add(ours)
        # Nothing can be read from an end for writing: only the error that all readers are gone wakes it.
        asyncio.get_running_loop().add_reader(ours, self._release, ours)
        events.INHIBITED.log(log, who=held.who, why=held.why or "no reason given")
        self._cockpit.step()
        return theirs

    def _release(self, fd: int, told: bool = True) -> None:
        asyncio.get_running_loop().remove_reader(fd)
        self._pipes.discard(fd)
        os.close(fd)
        held = self._inhibitors.remove(fd)
        if held is not None and told:
            events.RELEASED.log(log, who=held.who)
            self._cockpit.step()

    def stay(self, seconds: int) -> int:
        """Implement `Power1.stay`."""
        granted = self._cockpit.machine.stay(seconds, self._clock.monotonic_ns())
        self._cockpit.step()
        return granted

    # ---- properties --------------------------------------------------------------------------------------

    @property
    def version(self) -> str:
        """Version of this release."""
        return __version__

    @property
    def state(self) -> str:
        """State of the cockpit."""
        return self._cockpit.decision.state.value

    @property
    def reason(self) -> str:
        """Why."""
        return self._cockpit.decision.reason

    @property
    def ignition(self) -> str:
        """Ignition as it is known."""
        known = self._cockpit.ignition
        return "unknown" if known is None else "on" if known else "off"

    @property
    def time_to_shutdown(self) -> int:
        """Seconds left."""
        deadline_ns = self._cockpit.decision.deadline_ns
        if deadline_ns is None:
            return -1
        return max(0, math.ceil((deadline_ns - self._clock.monotonic_ns()) / 1e9))

    @property
    def inhibitors(self) -> list[InhibitorRow]:
        """Ours, then logind's."""
        ours = [InhibitorRow(h.who, h.why, h.sender, h.since_us) for h in self._inhibitors.all()]
        return ours + [InhibitorRow(b.who, b.why, LOGIN1, 0) for b in self._cockpit.poweroff.blocks]

    @property
    def voltage(self) -> float:
        """Battery voltage in V."""
        voltage_v = self._cockpit.car.voltage_v
        return math.nan if voltage_v is None else voltage_v

    @property
    def battery(self) -> str:
        """Stage of the battery."""
        return self._cockpit.voltage.stage.label

    @property
    def lines(self) -> str:
        """State of the lines."""
        return self._cockpit.lines.reason or "ok"

    @property
    def line_states(self) -> list[LineRow]:
        """State of each line."""
        return self._cockpit.line_rows()
