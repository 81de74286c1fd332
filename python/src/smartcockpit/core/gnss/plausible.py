# SPDX-License-Identifier: Apache-2.0
"""Whether what a receiver says can be true of a car on this planet."""

from __future__ import annotations

from smartcockpit.core.gnss.fix import Fix

MAX_SPEED_MPS = 140.0
"""500 km/h: faster than a car, slower than most wrong values."""
ALTITUDE_M = (-1000.0, 10_000.0)
"""From below the Dead Sea to above every road, with the geoid's and the receiver's errors."""


def reason(fix: Fix) -> str:
    """Return what is wrong with the values of `fix`, "" when nothing is."""
    if not fix.has_position:
        return ""
    if not -90.0 <= fix.latitude_deg <= 90.0:
        return f"latitude {fix.latitude_deg:g}"
    if not -180.0 <= fix.longitude_deg <= 180.0:
        return f"longitude {fix.longitude_deg:g}"
    if fix.latitude_deg == 0.0 == fix.longitude_deg:
        return "latitude and longitude 0"  # what broken receivers fill in; nobody drives there
    if fix.altitude_m is not None and not ALTITUDE_M[0] <= fix.altitude_m <= ALTITUDE_M[1]:
        return f"altitude {fix.altitude_m:g} m"
    if fix.speed_mps is not None and not 0.0 <= fix.speed_mps <= MAX_SPEED_MPS:
        return f"speed {fix.speed_mps:g} m/s"
    if fix.course_deg is not None and not 0.0 <= fix.course_deg <= 360.0:
        return f"course {fix.course_deg:g}"
    return ""
