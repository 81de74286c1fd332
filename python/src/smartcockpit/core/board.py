# SPDX-License-Identifier: Apache-2.0
"""The board of last readings: value, quality and time of every signal that one daemon owns.

Knows neither where readings come from nor who is told; lists indexed by signal, because every frame passes
here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from smartcockpit.core.errors import UnknownSignalError
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.signals import SignalQuality, SignalSpec, Update, Value

Reading = tuple[str, Value, int, int]
"""Path, value, quality, time in µs CLOCK_REALTIME (0: never received)."""


class SignalBoard:
    """Last reading of each of `specs`; all start as unavailable."""

    def __init__(self, specs: Sequence[SignalSpec]) -> None:
        self.specs = tuple(specs)
        self.index = {spec.path: i for i, spec in enumerate(self.specs)}
        self.values: list[Value] = [spec.datatype.zero for spec in self.specs]
        self.qualities: list[int] = [int(SignalQuality.UNAVAILABLE)] * len(self.specs)
        self.times_us: list[int] = [0] * len(self.specs)

    def apply(self, updates: Iterable[Update]) -> None:
        """Take over `updates`, in order."""
        values, qualities, times = self.values, self.qualities, self.times_us
        for i, value, quality, time_us in updates:
            values[i] = value
            qualities[i] = quality
            times[i] = time_us

    def read(self, path: str) -> Reading:
        """Return the last reading of `path`; raises `UnknownSignalError` with the nearest known path."""
        i = self.index.get(path)
        if i is None:
            hint = did_you_mean(path, self.index, "list what there is with: cockpitctl signals list")
            raise UnknownSignalError(f"unknown signal {path[:256]!r}", hint)
        return path, self.values[i], self.qualities[i], self.times_us[i]

    def mark(
        self, indices: Iterable[int], quality: SignalQuality, time_us: int | None = None
    ) -> list[Update]:
        """Set the quality of `indices`, keep their values, and return those that changed.

        `time_us` replaces the time of the reading when given (µs CLOCK_REALTIME).
        """
        changed: list[Update] = []
        for i in indices:
            if self.qualities[i] != quality:
                when = self.times_us[i] if time_us is None else time_us
                changed.append((i, self.values[i], int(quality), when))
        self.apply(changed)
        return changed

    def select(self, prefix: str) -> list[SignalSpec]:
        """Return the specs at or below `prefix` ("" for all), in the order of the catalogue."""
        if not prefix:
            return list(self.specs)
        below = prefix + "."
        return [s for s in self.specs if s.path == prefix or s.path.startswith(below)]
