# SPDX-License-Identifier: Apache-2.0
"""The satellites in view, put together from series of GSV and GSA sentences, or from one NAV-SAT frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartcockpit.core.gnss.fix import Constellation, Satellite

if TYPE_CHECKING:
    from smartcockpit.core.gnss.nmea_sky import Active, InView

KEEP_NS = 5_000_000_000
"""A constellation that is not named again within this time has set."""

Key = tuple[Constellation, int]
Row = tuple[float | None, float | None, float | None]


class Sky:
    """Feed it what comes; `satellites` is the present picture."""

    def __init__(self) -> None:
        self._series: dict[str, dict[Key, Row]] = {}
        self._groups: dict[str, tuple[int, dict[Key, Row]]] = {}
        self._used: dict[Constellation, tuple[int, frozenset[int]]] = {}
        self._whole: tuple[int, tuple[Satellite, ...]] = (0, ())

    def gsv(self, seen: InView, now_ns: int) -> None:
        """Take one sentence of a series; the series counts when its last sentence is there."""
        rows = self._series.get(seen.group, {}) if seen.number > 1 else {}
        for constellation, number, elevation, azimuth, cn0 in seen.satellites:
            rows[constellation, number] = (elevation, azimuth, cn0)
        self._series[seen.group] = rows
        if seen.number == seen.total:
            self._groups[seen.group] = (now_ns, self._series.pop(seen.group))

    def gsa(self, active: Active, now_ns: int) -> None:
        """Take one GSA; a constellation may need several for more than twelve satellites in one epoch."""
        numbers: dict[Constellation, set[int]] = {}
        for constellation, number in active.satellites:
            numbers.setdefault(constellation, set()).add(number)
        for constellation, found in numbers.items():
            at_ns, before = self._used.get(constellation, (0, frozenset()))
            together = before if now_ns - at_ns < 50_000_000 else frozenset()
            self._used[constellation] = (now_ns, together | found)

    def nav_sat(self, satellites: tuple[Satellite, ...], now_ns: int) -> None:
        """Take the whole sky of a UBX receiver."""
        self._whole = (now_ns, satellites)

    def satellites(self, now_ns: int) -> tuple[Satellite, ...]:
        """Return what is in view, by constellation and number; nothing older than `KEEP_NS`."""
        at_ns, whole = self._whole
        if whole and now_ns - at_ns <= KEEP_NS:
            return whole
        merged: dict[Key, Row] = {}
        for seen_ns, rows in self._groups.values():
            if now_ns - seen_ns <= KEEP_NS:
                for key, row in rows.items():
                    known = merged.get(key)
                    if known is None or (known[2] or 0.0) < (row[2] or 0.0):
                        merged[key] = row
        return tuple(
            Satellite(constellation, number, *row, used=self._is_used(constellation, number, now_ns))
            for (constellation, number), row in sorted(merged.items())
        )

    def _is_used(self, constellation: Constellation, number: int, now_ns: int) -> bool:
        at_ns, numbers = self._used.get(constellation, (0, frozenset()))
        return number in numbers and now_ns - at_ns <= KEEP_NS

    def used(self, now_ns: int) -> int:
        """Return how many satellites GSA names."""
        return sum(len(numbers) for at_ns, numbers in self._used.values() if now_ns - at_ns <= KEEP_NS)
