# SPDX-License-Identifier: Apache-2.0
"""Small distances on the WGS 84 ellipsoid: degrees to metres north and east, and back.

Flat within some kilometres, which is as far as dead reckoning goes. Source: NIMA TR8350.2, radii of
curvature.
"""

from __future__ import annotations

import math

SEMI_MAJOR_M = 6_378_137.0
ECCENTRICITY_2 = 6.694_379_990_14e-3


def metres_per_degree(latitude_deg: float) -> tuple[float, float]:
    """Return the length of a degree of latitude and of longitude; the latter at least 1 m, at the poles."""
    phi = math.radians(latitude_deg)
    w = 1.0 - ECCENTRICITY_2 * math.sin(phi) ** 2
    north = SEMI_MAJOR_M * (1.0 - ECCENTRICITY_2) / w**1.5
    east = SEMI_MAJOR_M / math.sqrt(w) * math.cos(phi)
    return math.radians(north), max(1.0, math.radians(east))


def moved(latitude_deg: float, longitude_deg: float, north_m: float, east_m: float) -> tuple[float, float]:
    """Return the place that lies `north_m` and `east_m` from here."""
    per_latitude, per_longitude = metres_per_degree(latitude_deg)
    latitude = max(-90.0, min(90.0, latitude_deg + north_m / per_latitude))
    return latitude, (longitude_deg + east_m / per_longitude + 180.0) % 360.0 - 180.0


def between(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Return metres north and east from `start` to `end` (latitude, longitude), the short way round."""
    per_latitude, per_longitude = metres_per_degree(start[0])
    turn = (end[1] - start[1] + 180.0) % 360.0 - 180.0
    return (end[0] - start[0]) * per_latitude, turn * per_longitude


def angle_between(a_deg: float, b_deg: float) -> float:
    """Return how far it is from direction `b_deg` to `a_deg`, −180 to 180."""
    return (a_deg - b_deg + 180.0) % 360.0 - 180.0
