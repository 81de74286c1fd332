# SPDX-License-Identifier: Apache-2.0
"""gpsd's reports as plain dictionaries, for those who speak its JSON protocol.

Class names, keys, units and number ranges: gpsd_json(5) of gpsd 3.25, protocol 3.15. What is not known is
left out, as gpsd does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smartcockpit.core.gnss.dates import iso8601
from smartcockpit.core.gnss.fix import Augmentation, Constellation, Dimension, Fix, Satellite
from smartcockpit.core.gnss.navigator import Place, Source

VERSION: dict[str, Any] = {
    "class": "VERSION", "release": "3.25", "rev": "smartcockpit", "proto_major": 3, "proto_minor": 15,
}  # fmt: skip
IDS = {
    Constellation.GPS: (0, 0), Constellation.SBAS: (1, 0), Constellation.GALILEO: (2, 300),
    Constellation.BEIDOU: (3, 400), Constellation.QZSS: (5, 192), Constellation.GLONASS: (6, 64),
    Constellation.NAVIC: (7, 500),
}  # fmt: skip
"""gnssid, and what is added to a satellite's number to give its PRN."""
STATUS = {Augmentation.NONE: 1, Augmentation.SATELLITE: 2, Augmentation.GROUND: 3}
DEAD_RECKONING = 6
TWO_SIGMA = 2.0
"""gpsd's errors hold the truth in 95 % of cases."""


def tpv(device: str, fix: Fix | None, place: Place, utc_us: int) -> dict[str, Any]:
    """Return the report on time, position and velocity; `utc_us` is the time of `place`, 0: not known."""
    report: dict[str, Any] = {"class": "TPV", "device": device, "mode": 1}
    if utc_us:
        report["time"] = iso8601(utc_us)
    if place.source not in (Source.SATELLITES, Source.ESTIMATED):
        return report
    estimated = place.source is Source.ESTIMATED
    three = fix is not None and fix.dimension is Dimension.THREE_D and not estimated
    error_m = place.error_m if estimated else TWO_SIGMA * place.error_m
    report |= {
        "mode": 3 if three else 2, "status": DEAD_RECKONING if estimated else 1,
        "lat": round(place.latitude_deg, 9), "lon": round(place.longitude_deg, 9), "eph": round(error_m, 3),
        "epx": round(error_m, 3), "epy": round(error_m, 3),
    }  # fmt: skip
    if place.course_deg is not None and place.course_holds:
        report["track"] = round(place.course_deg, 4)
    if fix is None or estimated:
        return report
    report["status"] = STATUS[fix.augmentation]
    known = {
        "alt": fix.sea_level_m, "altMSL": fix.sea_level_m, "altHAE": fix.altitude_m, "speed": fix.speed_mps,
        "climb": fix.climb_mps, "ept": fix.time_error_s, "epv": _double(fix.vertical_error_m),
        "eps": _double(fix.speed_error_mps), "epd": _double(fix.course_error_deg),
    }  # fmt: skip
    return report | {key: round(value, 4) for key, value in known.items() if value is not None}


def sky(device: str, fix: Fix | None, satellites: Sequence[Satellite]) -> dict[str, Any]:
    """Return the report on satellites."""
    report: dict[str, Any] = {"class": "SKY", "device": device}
    if fix is not None:
        if fix.utc_us:
            report["time"] = iso8601(fix.utc_us)
        report |= {k: v for k, v in (("hdop", fix.hdop), ("pdop", fix.pdop)) if v is not None}
    rows = [_row(satellite) for satellite in satellites if satellite.constellation in IDS]
    used = sum(satellite.used for satellite in satellites)
    return report | {"nSat": len(rows), "uSat": used, "satellites": rows}


def _row(satellite: Satellite) -> dict[str, Any]:
    system, first = IDS[satellite.constellation]
    row: dict[str, Any] = {"PRN": satellite.number + first, "gnssid": system, "svid": satellite.number}
    known = {"el": satellite.elevation_deg, "az": satellite.azimuth_deg, "ss": satellite.cn0_dbhz}
    return row | {k: v for k, v in known.items() if v is not None} | {"used": satellite.used}


def device(path: str, protocol: str, baudrate: int, rate_hz: float, activated_us: int) -> dict[str, Any]:
    """Return the report on the receiver; without an open line (`activated_us` 0) just its path."""
    report: dict[str, Any] = {"class": "DEVICE", "path": path}
    if not activated_us:
        return report
    report |= {"activated": iso8601(activated_us), "flags": 1, "bps": baudrate, "parity": "N", "stopbits": 1}
    if protocol:
        report |= {"driver": "u-blox" if protocol == "UBX" else "NMEA0183", "native": int(protocol == "UBX")}
    return report | ({"cycle": round(1.0 / rate_hz, 3)} if rate_hz else {})


def watch(enable: bool, json: bool) -> dict[str, Any]:
    """Return what a client is watching."""
    return {
        "class": "WATCH", "enable": enable, "json": json, "nmea": False, "raw": 0, "scaled": False,
        "timing": False, "split24": False, "pps": False,
    }  # fmt: skip


def error(message: str) -> dict[str, Any]:
    """Return a refusal."""
    return {"class": "ERROR", "message": message}


def _double(value: float | None) -> float | None:
    return None if value is None else TWO_SIGMA * value
