# SPDX-License-Identifier: Apache-2.0
"""What can go wrong in the simulated car, switched on and off by tests and campaigns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from smartcockpit.core.errors import UsageError
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.signals import Scalar


@dataclass(slots=True)
class Faults:
    """Standing faults; change them at any time, they hold for the frames sent from then on.

    Messages are called by their DBC name, buses by their channel (can0). `values` replaces what the model
    says of a VSS path; `raw` replaces the bits of a DBC signal, (message, signal) → raw number, for values
    that no conversion yields. `burst` adds that many frames a second, copies of the bus' messages in turn.
    """

    stopped: set[str] = field(default_factory=set)
    bad_checksum: set[str] = field(default_factory=set)
    frozen_counter: set[str] = field(default_factory=set)
    short: set[str] = field(default_factory=set)
    silent_buses: set[str] = field(default_factory=set)
    values: dict[str, Scalar] = field(default_factory=dict)
    raw: dict[tuple[str, str], int | float] = field(default_factory=dict)
    burst: dict[str, float] = field(default_factory=dict)

    def clear(self) -> None:
        """Mend everything."""
        for name in self.__slots__:
            getattr(self, name).clear()

    def check(self, messages: Iterable[str], buses: Iterable[str]) -> None:
        """Raise `UsageError` when a fault names a message or bus that the car does not have."""
        known = list(messages)
        named = self.stopped | self.bad_checksum | self.frozen_counter | self.short | {m for m, _ in self.raw}
        for name, pool in [(n, known) for n in named] + [
            (b, list(buses)) for b in self.silent_buses | set(self.burst)
        ]:
            if name not in pool:
                raise UsageError(
                    f"the car has no {name!r}", did_you_mean(name, pool, "known: " + ", ".join(pool))
                )
