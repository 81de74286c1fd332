# SPDX-License-Identifier: Apache-2.0
"""Reads the fields of NMEA 0183 sentences (v2.3 to v4.11) of any talker.

Every function takes the fields after the address and returns a record or raises `ValueError` for fields that
cannot be read. Whether a readable value can be true is for `plausible`, what sentences say together for
`epoch` and `sky`. Field numbers: NMEA 0183 v4.11 §8.3, u-blox M9 interface description §2.7.
"""

from __future__ import annotations

from collections.abc import Callable

from smartcockpit.core.gnss.dates import day_number, full_year
from smartcockpit.core.gnss.fix import Augmentation, Dimension
from smartcockpit.core.gnss.nmea_fields import need, number, place, time_of_day, whole
from smartcockpit.core.gnss.nmea_sky import Active, InView, read_gsa, read_gsv
from smartcockpit.core.named import NamedTuple

KNOT_MPS = 1852.0 / 3600.0


class Position(NamedTuple):
    """GGA, GNS, RMC or GLL: what each of them says; None where it says nothing."""

    kind: str
    time_ms: int | None
    """Time of day, UTC."""
    dimension: Dimension | None = None
    """NONE: the receiver says that it has no fix. TWO_D: it has one, GSA may know better."""
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    augmentation: Augmentation = Augmentation.NONE
    by_motion: bool = False
    satellites_used: int | None = None
    hdop: float | None = None
    sea_level_m: float | None = None
    separation_m: float | None = None
    speed_mps: float | None = None
    course_deg: float | None = None
    day: int | None = None
    """Days since 1970-01-01."""


class Course(NamedTuple):
    """VTG."""

    course_deg: float | None
    speed_mps: float | None


class Moment(NamedTuple):
    """ZDA."""

    time_ms: int | None
    day: int | None


class Spread(NamedTuple):
    """GST: standard deviations, m."""

    time_ms: int | None
    latitude_m: float | None
    longitude_m: float | None
    altitude_m: float | None


Record = Position | Course | Active | InView | Moment | Spread


def read(sentence: bytes) -> Record | None:
    """Return what a sentence says, None for kinds that are not used; raises `ValueError`."""
    fields = sentence.decode("ascii").split(",")
    address = fields[0]
    reader = _READERS.get(address[2:])
    return reader(address[:2], fields) if reader is not None and len(address) == 5 else None


_QUALITY = {
    "": Dimension.NONE, "0": Dimension.NONE, "7": Dimension.NONE, "8": Dimension.NONE,
}  # fmt: skip
"""GGA field 6; manual input (7) and a simulator (8) are no fix."""


def _gga(_: str, fields: list[str]) -> Position:
    need(fields, 12)
    quality = fields[6]
    if len(quality) > 1 or quality not in "012345678":
        raise ValueError(quality)
    latitude, longitude = place(fields, 2)
    augmentation = Augmentation.NONE
    if quality in ("4", "5"):
        augmentation = Augmentation.GROUND
    elif quality == "2":
        station = fields[14] if len(fields) > 14 else ""
        # SBAS satellites go by 120 to 158 or 33 to 64 where a base station would stand.
        ground = station.isdecimal() and int(station) > 0 and not 120 <= int(station) <= 158
        augmentation = Augmentation.GROUND if ground else Augmentation.SATELLITE
    return Position(
        "GGA", time_of_day(fields[1]), _QUALITY.get(quality, Dimension.TWO_D), latitude, longitude,
        augmentation, quality == "6", whole(fields[7]), number(fields[8]), number(fields[9]),
        number(fields[11]),
    )  # fmt: skip


def _of_modes(modes: str) -> tuple[Dimension, Augmentation, bool]:
    """Return what GNS' and RMC's mode letters (one per constellation) say: the best of them counts."""
    if not modes.isalpha():
        raise ValueError(modes)
    if any(m in "RF" for m in modes):
        return Dimension.TWO_D, Augmentation.GROUND, False
    if any(m in "DP" for m in modes):
        return Dimension.TWO_D, Augmentation.SATELLITE if "D" in modes else Augmentation.NONE, False
    if "A" in modes:
        return Dimension.TWO_D, Augmentation.NONE, False
    if "E" in modes:
        return Dimension.TWO_D, Augmentation.NONE, True
    return Dimension.NONE, Augmentation.NONE, False


def _gns(_: str, fields: list[str]) -> Position:
    need(fields, 11)
    dimension, augmentation, by_motion = _of_modes(fields[6] or "N")
    latitude, longitude = place(fields, 2)
    return Position(
        "GNS", time_of_day(fields[1]), dimension, latitude, longitude, augmentation, by_motion,
        whole(fields[7]), number(fields[8]), number(fields[9]), number(fields[10]),
    )  # fmt: skip


def _day_of(text: str) -> int | None:
    if not text:
        return None
    if len(text) != 6 or not text.isdecimal():
        raise ValueError(text)
    day = day_number(full_year(int(text[4:])), int(text[2:4]), int(text[:2]))
    if day is None:
        raise ValueError(text)
    return day


def _rmc(_: str, fields: list[str]) -> Position:
    need(fields, 10)
    if fields[2] not in ("A", "V", ""):
        raise ValueError(fields[2])
    mode = fields[12] if len(fields) > 12 and fields[12] else "A" if fields[2] == "A" else "N"
    dimension, augmentation, by_motion = _of_modes(mode)
    if fields[2] != "A" and not by_motion:
        dimension = Dimension.NONE
    latitude, longitude = place(fields, 3)
    speed = number(fields[7])
    return Position(
        "RMC", time_of_day(fields[1]), dimension, latitude, longitude, augmentation, by_motion,
        speed_mps=None if speed is None else speed * KNOT_MPS,
        course_deg=number(fields[8]), day=_day_of(fields[9]),
    )  # fmt: skip


def _gll(_: str, fields: list[str]) -> Position:
    need(fields, 7)
    mode = fields[7] if len(fields) > 7 and fields[7] else "A" if fields[6] == "A" else "N"
    dimension, augmentation, by_motion = _of_modes(mode)
    if fields[6] != "A" and not by_motion:
        dimension = Dimension.NONE
    latitude, longitude = place(fields, 1)
    return Position("GLL", time_of_day(fields[5]), dimension, latitude, longitude, augmentation, by_motion)


def _vtg(_: str, fields: list[str]) -> Course:
    if len(fields) < 9 or fields[2] not in ("T", ""):  # version 2.2 and older: numbers without letters
        need(fields, 5)
        knots = number(fields[3])
        return Course(number(fields[1]), None if knots is None else knots * KNOT_MPS)
    kmh, knots = number(fields[7]), number(fields[5])
    speed = kmh / 3.6 if kmh is not None else knots * KNOT_MPS if knots is not None else None
    return Course(number(fields[1]), speed)


def _zda(_: str, fields: list[str]) -> Moment:
    need(fields, 5)
    day, month, year = (whole(field) for field in fields[2:5])
    if day is None or month is None or year is None:
        return Moment(time_of_day(fields[1]), None)
    days = day_number(year, month, day)
    if days is None:
        raise ValueError(",".join(fields[2:5]))
    return Moment(time_of_day(fields[1]), days)


def _gst(_: str, fields: list[str]) -> Spread:
    need(fields, 9)
    return Spread(time_of_day(fields[1]), number(fields[6]), number(fields[7]), number(fields[8]))


_READERS: dict[str, Callable[[str, list[str]], Record]] = {
    "GGA": _gga, "GNS": _gns, "RMC": _rmc, "GLL": _gll, "VTG": _vtg, "GSA": read_gsa, "GSV": read_gsv,
    "ZDA": _zda, "GST": _gst,
}  # fmt: skip
