# SPDX-License-Identifier: Apache-2.0
"""What a receiver says of one moment: the fix, and the satellites behind it.

Owns the vocabulary of this package. Angles are degrees, heights metres above the WGS 84 ellipsoid, speeds
m/s; None stands for what the receiver did not say.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from smartcockpit.core.named import NamedTuple


class Dimension(IntEnum):
    """How many coordinates of the position are solved for."""

    NONE = 0
    TWO_D = 2
    THREE_D = 3


class Augmentation(StrEnum):
    """Which corrections went into the fix; the words are the tails of VSS' `GNSSReceiver.FixType`."""

    NONE = ""
    SATELLITE = "SATELLITE_BASED_AUGMENTATION"
    GROUND = "GROUND_BASED_AUGMENTATION"


class Constellation(StrEnum):
    """Satellite systems by their own names."""

    GPS = "GPS"
    SBAS = "SBAS"
    GALILEO = "Galileo"
    BEIDOU = "BeiDou"
    QZSS = "QZSS"
    GLONASS = "GLONASS"
    NAVIC = "NavIC"
    UNKNOWN = "unknown"


class Satellite(NamedTuple):
    """One satellite as the receiver sees it; `number` counts within its constellation."""

    constellation: Constellation
    number: int
    elevation_deg: float | None = None
    azimuth_deg: float | None = None
    cn0_dbhz: float | None = None
    """Carrier to noise density; None while it is not tracked."""
    used: bool = False


class Fix(NamedTuple):
    """One epoch of a receiver; without a `dimension` the position is a filler."""

    at_ns: int
    """Monotonic time when its first byte was there."""
    received_us: int
    """The same moment by the system's clock, µs CLOCK_REALTIME."""
    dimension: Dimension = Dimension.NONE
    augmentation: Augmentation = Augmentation.NONE
    utc_us: int = 0
    """The receiver's time, µs since the Unix epoch; 0: not known."""
    time_error_s: float | None = None
    latitude_deg: float = 0.0
    longitude_deg: float = 0.0
    altitude_m: float | None = None
    sea_level_m: float | None = None
    """Height above mean sea level."""
    horizontal_error_m: float | None = None
    vertical_error_m: float | None = None
    speed_mps: float | None = None
    speed_error_mps: float | None = None
    course_deg: float | None = None
    """Direction of travel over ground, clockwise from north."""
    course_error_deg: float | None = None
    climb_mps: float | None = None
    satellites_used: int = 0
    hdop: float | None = None
    pdop: float | None = None
    by_motion: bool = False
    """The receiver itself went on by dead reckoning."""
    corrected_weeks: int = 0
    """Weeks that were added to undo a roll-over of the receiver's week number."""

    @property
    def has_position(self) -> bool:
        """True when latitude and longitude mean something."""
        return self.dimension is not Dimension.NONE


def fix_type(fix: Fix) -> str:
    """Return the word of VSS' `Vehicle.CurrentLocation.GNSSReceiver.FixType`."""
    if not fix.has_position:
        return "NONE"
    word = "TWO_D" if fix.dimension is Dimension.TWO_D else "THREE_D"
    return f"{word}_{fix.augmentation}" if fix.augmentation else word
