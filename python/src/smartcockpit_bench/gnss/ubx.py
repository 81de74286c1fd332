# SPDX-License-Identifier: Apache-2.0
"""The simulated receiver's UBX: navigation out, and its half of the configuration dialogue.

Layouts: u-blox M9 SPG 4.04 interface description.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Mapping

from smartcockpit_bench.gnss.solution import Solution

VERSION = ("EXT CORE 4.04 (7f89f7)", "00190000")
EXTENSIONS = ("ROM BASE 0x118B2060", "FWVER=SPG 4.04", "PROTVER=32.01", "MOD=NEO-M9N", "GPS;GLO;GAL;BDS")
SIZES = {1: "<B", 2: "<B", 3: "<H", 4: "<I", 5: "<Q"}


def frame(group: int, number: int, payload: bytes = b"") -> bytes:
    """Return a whole frame with its checksum (8-bit Fletcher, RFC 1145)."""
    body = struct.pack("<BBH", group, number, len(payload)) + payload
    first = second = 0
    for byte in body:
        first = (first + byte) & 0xFF
        second = (second + first) & 0xFF
    return b"\xb5\x62" + body + bytes((first, second))


def nav_pvt(now: Solution) -> bytes:
    """Return NAV-PVT of an epoch."""
    moment = time.gmtime(now.utc_s)
    nano = round(now.utc_s % 1 * 1e9)
    itow = round((now.utc_s - 315_964_800 + 18) % 604_800 * 1000)
    velocity = (0, 0, 0)
    head = struct.pack(
        "<IHBBBBBBIiBBBB", itow, moment.tm_year, moment.tm_mon, moment.tm_mday, moment.tm_hour, moment.tm_min,
        moment.tm_sec, 7 if now.time_known else 0, 25, nano, 3 if now.fixed else 0, 1 if now.fixed else 0, 0,
        len(now.used),
    )  # fmt: skip
    height = now.sea_level_m + now.separation_m
    body = struct.pack(
        "<iiiiIIiiiiiIIHHIihH", round(now.longitude_deg * 1e7), round(now.latitude_deg * 1e7),
        round(height * 1000), round(now.sea_level_m * 1000), round(now.horizontal_error_m * 1000),
        round(now.vertical_error_m * 1000), *velocity, round(now.speed_mps * 1000),
        round(now.course_deg * 1e5), 120, round(1e5 * min(180.0, 8.0 / max(0.05, now.speed_mps))),
        round(min(99.99, now.pdop) * 100), 0, 0, 0, 0, 0,
    )  # fmt: skip
    return frame(0x01, 0x07, head + body)


def nav_sat(now: Solution) -> bytes:
    """Return NAV-SAT of an epoch."""
    rows = [
        struct.pack(
            "<BBBbhhI", s.system, s.number, round(s.cn0_dbhz), round(s.elevation_deg),
            round(s.azimuth_deg) % 360, 0, (8 if now.fixed and s.used else 0) | 4,
        )
        for s in now.satellites
    ]  # fmt: skip
    return frame(0x01, 0x35, struct.pack("<IBBH", 0, 1, len(rows), 0) + b"".join(rows))


def mon_ver() -> bytes:
    """Return MON-VER."""
    software, hardware = VERSION
    texts = b"".join(text.encode().ljust(30, b"\0") for text in EXTENSIONS)
    return frame(0x0A, 0x04, software.encode().ljust(30, b"\0") + hardware.encode().ljust(10, b"\0") + texts)


def acknowledge(group: int, number: int, *, yes: bool = True) -> bytes:
    """Return ACK-ACK or ACK-NAK."""
    return frame(0x05, 0x01 if yes else 0x00, bytes((group, number)))


def items(payload: bytes) -> dict[int, int]:
    """Return the key and value pairs of a CFG-VALSET payload."""
    found, at = {}, 4
    while at + 4 < len(payload):
        (key,) = struct.unpack_from("<I", payload, at)
        form = SIZES[key >> 28 & 7]
        (found[key],) = struct.unpack_from(form, payload, at + 4)
        at += 4 + struct.calcsize(form)
    return found


def valget(values: Mapping[int, int]) -> bytes:
    """Return CFG-VALGET's answer."""
    data = b"".join(struct.pack("<I", k) + struct.pack(SIZES[k >> 28 & 7], v) for k, v in values.items())
    return frame(0x06, 0x8B, bytes((1, 0, 0, 0)) + data)
