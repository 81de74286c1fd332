# SPDX-License-Identifier: Apache-2.0
"""The simulated receiver's NMEA 4.11 sentences, in the order in which a u-blox M9 sends them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import reduce
from operator import xor

from smartcockpit_bench.gnss.sky import Seen
from smartcockpit_bench.gnss.solution import Solution

SYSTEMS = {0: ("GP", "1", 0), 6: ("GL", "2", 64), 2: ("GA", "3", 0), 3: ("GB", "4", 0)}
"""gnssId → talker, system id, and what NMEA adds to the satellite's number."""
KNOTS = 3600.0 / 1852.0


def sentence(body: str) -> bytes:
    """Return a whole sentence."""
    return f"${body}*{reduce(xor, body.encode()):02X}\r\n".encode()


def burst(now: Solution, *, with_sky: bool, talker: str = "GN") -> bytes:
    """Return all sentences of one epoch; `with_sky` those on satellites as well."""
    bodies = [*_navigation(now, talker)]
    if with_sky:
        bodies += _sky(now, talker)
    return b"".join(map(sentence, bodies))


def _navigation(now: Solution, talker: str) -> Iterator[str]:
    moment = time.gmtime(now.utc_s)
    hms = time.strftime("%H%M%S", moment) + f"{now.utc_s % 1:.2f}"[1:]
    stamp = hms if now.time_known else ""
    date = time.strftime("%d%m%y", moment) if now.time_known else ""
    place = _place(now) if now.fixed else ",,,"
    mode, valid = ("A", "A") if now.fixed else ("N", "V")
    knots = f"{now.speed_mps * KNOTS:.3f}" if now.fixed else ""
    course = f"{now.course_deg:.2f}" if now.fixed and now.speed_mps > 0.3 else ""
    yield f"{talker}RMC,{stamp},{valid},{place},{knots},{course},{date},,,{mode},V"
    kmh = f"{now.speed_mps * 3.6:.3f}" if now.fixed else ""
    yield f"{talker}VTG,{course},T,,M,{knots},N,{kmh},K,{mode}"
    if now.fixed:
        heights = f"{now.sea_level_m:.1f},M,{now.separation_m:.1f},M"
        yield f"{talker}GGA,{stamp},{place},1,{min(12, len(now.used)):02},{now.hdop:.2f},{heights},,"
    else:
        yield f"{talker}GGA,{stamp},,,,,0,00,99.99,,,,,,"
    yield f"{talker}GLL,{place},{stamp},{valid},{mode}"


def _place(now: Solution) -> str:
    return (
        f"{_angle(now.latitude_deg, 2)},{'N' if now.latitude_deg >= 0 else 'S'},"
        f"{_angle(now.longitude_deg, 3)},{'E' if now.longitude_deg >= 0 else 'W'}"
    )


def _angle(degrees: float, digits: int) -> str:
    minutes = round(abs(degrees) * 60.0 * 1e5)
    whole, rest = divmod(minutes, 6_000_000)
    return f"{whole:0{digits}}{rest // 100_000:02}.{rest % 100_000:05}"


def _sky(now: Solution, talker: str) -> Iterator[str]:
    for system, (own, number, first) in SYSTEMS.items():
        used = [s.number + first for s in now.used if s.system == system]
        for start in range(0, max(1, len(used)), 12):
            cells = [f"{n:02}" for n in used[start : start + 12]]
            cells += [""] * (12 - len(cells))
            vdop = max(0.0, now.pdop**2 - now.hdop**2) ** 0.5 if now.fixed else 99.99
            dops = f"{now.pdop:.2f},{now.hdop:.2f},{vdop:.2f}"
            yield f"{talker}GSA,A,{3 if now.fixed else 1},{','.join(cells)},{dops},{number}"
        yield from _in_view(own, [s for s in now.satellites if s.system == system], first)


def _in_view(talker: str, satellites: list[Seen], first: int) -> Iterator[str]:
    total = max(1, -(-len(satellites) // 4))
    for part in range(total):
        cells = [
            f"{s.number + first:02},{s.elevation_deg:02.0f},{s.azimuth_deg % 360:03.0f},{s.cn0_dbhz:02.0f}"
            for s in satellites[part * 4 : part * 4 + 4]
        ]
        yield ",".join([f"{talker}GSV,{total},{part + 1},{len(satellites):02}", *cells, "1"])
