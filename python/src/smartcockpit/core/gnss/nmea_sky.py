# SPDX-License-Identifier: Apache-2.0
"""GSA and GSV: which satellites there are and which of them a fix rests on, over all constellations.

Satellites are called by constellation and number within it, whatever numbering the receiver uses. Source:
NMEA 0183 v4.11 §8.3 and table 20 (system and signal ids).
"""

from __future__ import annotations

from smartcockpit.core.gnss.fix import Constellation, Dimension
from smartcockpit.core.gnss.nmea_fields import need, number, whole
from smartcockpit.core.named import NamedTuple

SYSTEMS = {
    "1": Constellation.GPS, "2": Constellation.GLONASS, "3": Constellation.GALILEO, "4": Constellation.BEIDOU,
    "5": Constellation.QZSS, "6": Constellation.NAVIC,
}  # fmt: skip
TALKERS = {
    "GP": Constellation.GPS, "GL": Constellation.GLONASS, "GA": Constellation.GALILEO,
    "GB": Constellation.BEIDOU, "BD": Constellation.BEIDOU, "GQ": Constellation.QZSS,
    "QZ": Constellation.QZSS, "GI": Constellation.NAVIC,
}  # fmt: skip


class Active(NamedTuple):
    """GSA: the satellites that a fix of one constellation rests on."""

    dimension: Dimension
    satellites: tuple[tuple[Constellation, int], ...]
    pdop: float | None
    hdop: float | None


class InView(NamedTuple):
    """One GSV sentence of a series."""

    group: str
    """Talker and signal: series of different groups come side by side."""
    total: int
    number: int
    satellites: tuple[tuple[Constellation, int, float | None, float | None, float | None], ...]
    """Constellation, number, elevation, azimuth, C/N0."""


def satellite(system: Constellation | None, prn: int) -> tuple[Constellation, int]:
    """Return constellation and number within it; `system` is what talker or system id say, None: nothing.

    Ranges: NMEA 0183 v4.11 table 20, and u-blox' extended ones.
    """
    if 120 <= prn <= 158:
        return Constellation.SBAS, prn
    if system in (Constellation.GPS, None):
        if 33 <= prn <= 64:
            return Constellation.SBAS, prn + 87
        if 65 <= prn <= 99:
            return Constellation.GLONASS, prn - 64
        if 193 <= prn <= 202:
            return Constellation.QZSS, prn - 192
        if 301 <= prn <= 336:
            return Constellation.GALILEO, prn - 300
        if 401 <= prn <= 463:
            return Constellation.BEIDOU, prn - 400
        return (Constellation.GPS if prn <= 32 else Constellation.UNKNOWN), prn
    first = {
        Constellation.GLONASS: 64, Constellation.BEIDOU: 400 if prn > 400 else 200, Constellation.QZSS: 192,
        Constellation.GALILEO: 300,
    }.get(system, prn)  # fmt: skip
    return system, prn - first if prn > first else prn


def read_gsa(talker: str, fields: list[str]) -> Active:
    """Read GSA; the system id of version 4.1 wins over the talker."""
    need(fields, 18)
    if fields[2] not in ("1", "2", "3"):
        raise ValueError(fields[2])
    system = SYSTEMS.get(fields[18]) if len(fields) > 18 else None
    system = system or TALKERS.get(talker)
    used = tuple(satellite(system, int(field)) for field in fields[3:15] if field and whole(field))
    dimension = (Dimension.NONE, Dimension.TWO_D, Dimension.THREE_D)[int(fields[2]) - 1]
    return Active(dimension, used, number(fields[15]), number(fields[16]))


def read_gsv(talker: str, fields: list[str]) -> InView:
    """Read GSV; a signal id of version 4.1 is the one field that does not come in fours."""
    need(fields, 4)
    total, place = whole(fields[1]), whole(fields[2])
    if not total or not place or place > total or total > 30:
        raise ValueError("series")
    body = fields[4:]
    signal = body.pop() if len(body) % 4 == 1 else ""
    if len(body) % 4:
        raise ValueError(f"{len(fields)} fields")
    system = TALKERS.get(talker)
    found = []
    for i in range(0, len(body), 4):
        prn = whole(body[i])
        if prn:
            values = (number(body[i + 1]), number(body[i + 2]), number(body[i + 3]))
            found.append((*satellite(system, prn), *values))
    return InView(talker + signal, total, place, tuple(found))
