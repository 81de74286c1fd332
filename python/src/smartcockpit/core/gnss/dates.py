# SPDX-License-Identifier: Apache-2.0
"""Dates of receivers, and the roll-over of their week number.

GPS counts weeks in 10 bits, so an old receiver is wrong by a multiple of 1024 weeks (19.6 years) and says
2003 for 2023 (IS-GPS-200 §20.3.3.3.1.1). No true date lies before the image was built; so a date is moved by
whole roll-overs into the 1024 weeks that begin there, whichever way the receiver is wrong.
"""

from __future__ import annotations

from smartcockpit.core.named import NamedTuple

ROLL_OVER_WEEKS = 1024
WEEK_S = 7 * 86_400
_ROLL_OVER_US = ROLL_OVER_WEEKS * WEEK_S * 1_000_000
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class Corrected(NamedTuple):
    """A date that can be: µs since the Unix epoch, and the weeks that were added."""

    utc_us: int
    weeks: int


def day_number(year: int, month: int, day: int) -> int | None:
    """Return days since 1970-01-01, None for a date that the calendar does not have (Gregorian)."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not (1970 <= year <= 2999 and 1 <= month <= 12):
        return None
    if not 1 <= day <= _MONTH_DAYS[month - 1] + (leap and month == 2):
        return None
    # Days from civil: the year begins in March, so that the leap day is its last.
    shifted = year - (month <= 2)
    era, year_of_era = divmod(shifted, 400)
    day_of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146_097 + year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year - 719_468


def full_year(two_digits: int) -> int:
    """Return the year that two digits stand for; 80 is 1980, where GPS time begins."""
    return two_digits + (1900 if two_digits >= 80 else 2000)


def correct(utc_us: int, floor_us: int) -> Corrected:
    """Move `utc_us` by roll-overs to at or after `floor_us`, less than 1024 weeks after it.

    A day before the floor is still believed: image builders' clocks err too.
    """
    start_us = floor_us - 86_400_000_000
    turns = -((utc_us - start_us) // _ROLL_OVER_US)
    return Corrected(utc_us + turns * _ROLL_OVER_US, turns * ROLL_OVER_WEEKS)


def iso8601(utc_us: int) -> str:
    """Return UTC as `2026-03-01T12:00:00.250Z`, to the millisecond."""
    import time

    seconds, fraction_us = divmod(utc_us, 1_000_000)
    now = time.gmtime(seconds)
    return (
        f"{now.tm_year:04}-{now.tm_mon:02}-{now.tm_mday:02}T"
        f"{now.tm_hour:02}:{now.tm_min:02}:{now.tm_sec:02}.{fraction_us // 1000:03}Z"
    )
