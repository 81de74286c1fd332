# SPDX-License-Identifier: Apache-2.0
"""How weak the battery is, in stages, from a voltage that dips for many reasons.

Pure. A stage is reached when the voltage has been below its threshold for `HOLD_NS` (a fan that starts, a
door lamp), and left when it has been `RECOVERY_V` above it for as long. Thresholds are for a 12 V lead
battery at rest; a car with another one has its own in the settings. Unknown (never received, stale) forgets
all: it shortens nothing.
"""

from __future__ import annotations

from enum import IntEnum

from smartcockpit.core.named import NamedTuple

HOLD_NS = 10_000_000_000
RECOVERY_V = 0.2


class Stage(IntEnum):
    """Larger is worse."""

    UNKNOWN = 0
    NORMAL = 1
    LOW = 2
    VERY_LOW = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        """Return the word that people and JSON see."""
        return self.name.lower().replace("_", " ")


class Thresholds(NamedTuple):
    """Below which a stage begins, V."""

    low: float = 12.0
    very_low: float = 11.6
    critical: float = 11.0

    def stage(self, voltage_v: float) -> Stage:
        """Return the stage that a steady voltage means."""
        if voltage_v >= self.low:
            return Stage.NORMAL
        if voltage_v >= self.very_low:
            return Stage.LOW
        return Stage.VERY_LOW if voltage_v >= self.critical else Stage.CRITICAL


class VoltageMonitor:
    """Follows one battery."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._thresholds = thresholds
        self.stage = Stage.UNKNOWN
        self._towards: Stage | None = None
        self._since_ns = 0

    def update(self, voltage_v: float | None, now_ns: int) -> Stage:
        """Take in the present voltage (None: unknown) and return the stage."""
        if voltage_v is None:
            self.stage, self._towards = Stage.UNKNOWN, None
            return self.stage
        target = self._target(voltage_v)
        if self.stage is Stage.UNKNOWN and target is Stage.NORMAL:
            self.stage = Stage.NORMAL
        if target is self.stage:
            self._towards = None
        elif self._towards is None or (target > self.stage) is not (self._towards > self.stage):
            self._towards, self._since_ns = target, now_ns
        else:
            # The mildest of what was seen on the way: a short dip deeper does not count in full.
            self._towards = min(self._towards, target) if target > self.stage else max(self._towards, target)
            if now_ns - self._since_ns >= HOLD_NS:
                self.stage, self._towards = self._towards, None
        return self.stage

    def _target(self, voltage_v: float) -> Stage:
        found = self._thresholds.stage(voltage_v)
        if self.stage > found:  # recovery needs some more
            found = max(found, min(self.stage, self._thresholds.stage(voltage_v - RECOVERY_V)))
        return found
