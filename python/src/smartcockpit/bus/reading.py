# SPDX-License-Identifier: Apache-2.0
"""A reading as a client sees it."""

from __future__ import annotations

from typing import Any

from smartcockpit.core.named import NamedTuple
from smartcockpit.core.signals import SignalQuality, Value

_QUALITIES = {int(quality): quality for quality in SignalQuality}


class Reading(NamedTuple):
    """One reading of one signal."""

    path: str
    value: Value
    quality: SignalQuality
    time_us: int
    """Time of the source, µs CLOCK_REALTIME; 0: never received."""
    owner: str
    """Well-known name of the service."""

    @classmethod
    def from_wire(cls, row: tuple[Any, ...], owner: str) -> Reading:
        """Build from a received (svyt); a quality that we do not know counts as invalid."""
        path, value, quality, time_us = row
        return cls(path, value, _QUALITIES.get(quality, SignalQuality.INVALID), time_us, owner)

    def without_owner(self) -> Reading:
        """Return this reading after its owner went away."""
        return self._replace(quality=SignalQuality.UNAVAILABLE)
