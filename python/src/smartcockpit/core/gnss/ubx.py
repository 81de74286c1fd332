# SPDX-License-Identifier: Apache-2.0
"""Reads and makes UBX frames, u-blox' own protocol: as many as a cockpit needs.

A frame is class, id, length and payload, as `framing` cuts it out. Source: u-blox M9 SPG 4.04 and F10 SPG
6.00 interface descriptions, §3.8 (CFG), §3.10 (ACK), §3.14 (MON), §3.15 (NAV), §5 (configuration keys).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from smartcockpit.core.gnss.dates import correct, day_number
from smartcockpit.core.gnss.fix import Augmentation, Constellation, Dimension, Fix, Satellite
from smartcockpit.core.gnss.framing import SYNC, fletcher
from smartcockpit.core.named import NamedTuple

NAV_PVT, NAV_SAT = b"\x01\x07", b"\x01\x35"
ACK_NAK, ACK_ACK = b"\x05\x00", b"\x05\x01"
CFG_VALSET, CFG_VALGET = b"\x06\x8a", b"\x06\x8b"
MON_VER = b"\x0a\x04"

RATE_MEAS_MS = 0x3021_0001
OUT_PVT = {"UART1": 0x2091_0007, "USB": 0x2091_0009}
OUT_SAT = {"UART1": 0x2091_0016, "USB": 0x2091_0018}
OUT_UBX = {"UART1": 0x1074_0001, "USB": 0x1078_0001}
OUT_NMEA = {"UART1": 0x1074_0002, "USB": 0x1078_0002}
"""Configuration keys by the receiver's port: we do not know which of them the line ends at."""
_SIZES = {1: "<B", 2: "<B", 3: "<H", 4: "<I"}
"""Bits 28 to 30 of a key: the size of its value."""

_PVT = struct.Struct("<IHBBBBBBIiBBBBiiiiIIiiiiiIIH")
_SV = struct.Struct("<BBBbhhI")
_SYSTEMS = {
    0: Constellation.GPS, 1: Constellation.SBAS, 2: Constellation.GALILEO, 3: Constellation.BEIDOU,
    5: Constellation.QZSS, 6: Constellation.GLONASS, 7: Constellation.NAVIC,
}  # fmt: skip
_DIMENSIONS = {1: Dimension.TWO_D, 2: Dimension.TWO_D, 3: Dimension.THREE_D, 4: Dimension.THREE_D}
"""fixType: 1 dead reckoning only, 2 2D, 3 3D, 4 GNSS and dead reckoning; 5 is time only."""


class Version(NamedTuple):
    """MON-VER: who the receiver says it is."""

    software: str
    hardware: str
    model: str
    protocol: float
    """u-blox protocol version; CFG-VALSET exists from 23.01 on. 0: not told."""


def frame(identity: bytes, payload: bytes = b"") -> bytes:
    """Return a whole frame, sync characters and checksum included."""
    body = identity + struct.pack("<H", len(payload)) + payload
    return SYNC + body + fletcher(body)


def nav_pvt(body: bytes, at_ns: int, wall_us: int, floor_us: int) -> Fix:
    """Read NAV-PVT; raises `ValueError` when it is too short or its date does not exist."""
    if len(body) < 4 + 84:
        raise ValueError(f"NAV-PVT of {len(body) - 4} bytes")
    (_, year, month, day, hour, minute, second, valid, t_acc, nano, kind, flags, _, used, lon, lat,
     height, sea, h_acc, v_acc, _, _, down, speed, course, s_acc, c_acc, pdop) = (
        _PVT.unpack_from(body, 4)
    )  # fmt: skip
    utc_us, weeks = 0, 0
    if valid & 3 == 3:
        days = day_number(year, month, day)
        if days is None or hour > 23 or minute > 59 or second > 60:
            raise ValueError(f"{year}-{month}-{day} {hour}:{minute}:{second}")
        at_s = ((days * 24 + hour) * 60 + minute) * 60 + second
        utc_us, weeks = correct(at_s * 1_000_000 + nano // 1000, floor_us)
    dimension = _DIMENSIONS.get(kind, Dimension.NONE) if flags & 1 else Dimension.NONE
    if dimension is Dimension.NONE:
        return Fix(at_ns, wall_us, utc_us=utc_us, satellites_used=used, corrected_weeks=weeks)
    carrier = flags >> 6
    augmentation = Augmentation.SATELLITE if flags & 2 else Augmentation.NONE
    return Fix(
        at_ns, wall_us, dimension, Augmentation.GROUND if carrier else augmentation, utc_us,
        t_acc / 1e9 if utc_us else None, lat / 1e7, lon / 1e7, height / 1e3, sea / 1e3, h_acc / 1e3,
        v_acc / 1e3, speed / 1e3, s_acc / 1e3, course / 1e5, c_acc / 1e5, -down / 1e3, used, None, pdop / 100,
        kind == 1, weeks,
    )  # fmt: skip


def nav_sat(body: bytes) -> tuple[Satellite, ...]:
    """Read NAV-SAT; raises `ValueError` when its length and its number of satellites differ."""
    if len(body) < 12 or len(body) != 12 + 12 * body[9]:
        raise ValueError(f"NAV-SAT of {len(body) - 4} bytes")
    found = []
    for system, number, cn0, elevation, azimuth, _, flags in _SV.iter_unpack(body[12:]):
        known = -90 <= elevation <= 90 and 0 <= azimuth <= 360
        found.append(
            Satellite(
                _SYSTEMS.get(system, Constellation.UNKNOWN), number, elevation if known else None,
                azimuth if known else None, cn0 or None, bool(flags & 8),
            )
        )  # fmt: skip
    return tuple(found)


def mon_ver(body: bytes) -> Version:
    """Read MON-VER; raises `ValueError` when it is too short."""
    payload = body[4:]
    if len(payload) < 40:
        raise ValueError(f"MON-VER of {len(payload)} bytes")
    texts = [payload[i : i + 30] for i in range(40, len(payload) - 29, 30)]
    words = dict(_text(t).partition("=")[::2] for t in texts)
    try:
        protocol = float(words.get("PROTVER", "0"))
    except ValueError:
        protocol = 0.0
    return Version(_text(payload[:30]), _text(payload[30:40]), words.get("MOD", ""), protocol)


def _text(field: bytes) -> str:
    return "".join(chr(c) for c in field.partition(b"\0")[0] if 0x20 <= c < 0x7F).strip()


def valset(values: Mapping[int, int]) -> bytes:
    """Return CFG-VALSET that changes `values` in RAM: they are gone when the receiver loses power."""
    data = b"".join(struct.pack("<I", key) + struct.pack(_SIZES[key >> 28], v) for key, v in values.items())
    return frame(CFG_VALSET, bytes((0, 1, 0, 0)) + data)


def valget(*keys: int) -> bytes:
    """Return the question for what holds in RAM."""
    return frame(CFG_VALGET, bytes(4) + struct.pack(f"<{len(keys)}I", *keys))


def values_of(body: bytes) -> dict[int, int]:
    """Read the key and value pairs of CFG-VALSET or of CFG-VALGET's answer; raises `ValueError`."""
    found: dict[int, int] = {}
    at = 8
    while at < len(body):
        try:
            (key,) = struct.unpack_from("<I", body, at)
            size = _SIZES[key >> 28 & 7]
            (found[key],) = struct.unpack_from(size, body, at + 4)
        except (struct.error, KeyError) as error:
            raise ValueError("configuration items cut off") from error
        at += 4 + struct.calcsize(size)
    return found
