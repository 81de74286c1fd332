# SPDX-License-Identifier: Apache-2.0
"""The shape of a check, for those in `checks/` and for a product's own in /usr/lib/smartcockpit/health.

A check is a file with `NAME` and `async def check(cockpit: Cockpit) -> str`. It looks once, briefly, and
returns what it found in a few words; it raises `CheckFailedError` when something is wrong (it is asked again
until the time is up, unless `final`) and `CheckSkippedError` when there is nothing to look at. With
`LAST_WORD = True` it is asked once more when all have passed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.systemd1 import unit_properties
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.core.named import NamedTuple

ASK_AGAIN_S, SELDOM_S = 1.0, 5.0
"""Pause before the second look; it grows up to `SELDOM_S`."""
TARGET = "smartcockpit.target"
LOOK_S = 10.0
"""How long one look may take."""


class CheckFailedError(SmartCockpitError):
    """Something does not work. `final`: waiting will not help. `excused`: it may stay so."""

    def __init__(self, message: str, *, final: bool = False, excused: bool = False) -> None:
        super().__init__(message)
        self.final, self.excused = final, excused


class CheckSkippedError(SmartCockpitError):
    """There is nothing to look at; counts as passed."""


class Check(NamedTuple):
    """One check, loaded."""

    name: str
    look: Callable[[Cockpit], Awaitable[str]]
    last_word: bool = False
    """It is looked at once more when all have passed."""


class Cockpit:
    """What checks look at."""

    def __init__(self, bus: BusConnection, before: frozenset[str] | None, *, trial: bool = True) -> None:
        """Prepare; `before` is what worked in the last boot of a good slot, None when that is not known."""
        self.bus = bus
        self.before = before
        self.trial = trial
        self.able: set[str] = set()
        """What works now; the next `before`."""

    async def needs(self, daemon: str) -> None:
        """Skip the check unless the daemon is part of this image and of what is started."""
        unit = f"smartcockpit-{daemon}.service"
        if unit not in (await unit_properties(self.bus, TARGET)).get("Wants", ()):
            raise CheckSkippedError(f"{unit} is not part of {TARGET}")
        found = await unit_properties(self.bus, unit)
        if found.get("ActiveState") == "inactive" and found.get("ConditionResult") is False:
            raise CheckSkippedError(f"the condition of {unit} is not met")

    def judge(self, what: str, works: bool, detail: str) -> str:
        """Return `detail` if it works; what did not work before the update either is skipped, else it fails.

        `what` names the ability from one boot to the next: gnss, can:powertrain … A slot on trial does not
        wait for what did not work before; in one that is good it may yet come, for the next trial to know.
        """
        if works:
            self.able.add(what)
            return detail
        lacked = self.before is not None and what not in self.before
        if lacked and self.trial:
            raise CheckSkippedError(f"{detail}; nor did it work before")
        raise CheckFailedError(detail, excused=lacked or (self.before is None and not self.trial))
