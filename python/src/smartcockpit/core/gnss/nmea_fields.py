# SPDX-License-Identifier: Apache-2.0
"""The fields that NMEA 0183 sentences are made of; each reader raises `ValueError` for what it cannot read.

An empty field is None: the receiver does not know. Source: NMEA 0183 v4.11 §6.2, table 10.
"""

from __future__ import annotations


def number(text: str) -> float | None:
    """Return a decimal number as NMEA writes it; Python's other spellings (1e5, inf, _) are refused."""
    if not text:
        return None
    if not text.lstrip("-").replace(".", "", 1).isdecimal():
        raise ValueError(text)
    return float(text)


def whole(text: str) -> int | None:
    """Return a number of digits alone."""
    if not text:
        return None
    if not text.isdecimal():
        raise ValueError(text)
    return int(text)


def time_of_day(text: str) -> int | None:
    """Return hhmmss.sss as ms; second 60 of a leap second counts as the next minute's first."""
    if not text:
        return None
    digits, _, fraction = text.partition(".")
    if len(digits) != 6 or not digits.isdecimal() or (fraction and not fraction.isdecimal()):
        raise ValueError(text)
    hour, minute, second = int(digits[:2]), int(digits[2:4]), int(digits[4:])
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError(text)
    return ((hour * 60 + minute) * 60 + second) * 1000 + int((fraction + "000")[:3])


def angle(text: str, hemisphere: str, halves: str) -> float | None:
    """Return (d)ddmm.mmmm with its hemisphere, one of `halves` (positive first), as degrees."""
    if not text and not hemisphere:
        return None
    value = number(text)
    if value is None or len(hemisphere) != 1 or hemisphere not in halves or text[0] == "-":
        raise ValueError(f"{text},{hemisphere}")
    degrees, minutes = divmod(value, 100.0)
    if minutes >= 60.0:
        raise ValueError(text)
    result = degrees + minutes / 60.0
    return result if hemisphere == halves[0] else -result


def place(fields: list[str], at: int) -> tuple[float | None, float | None]:
    """Return latitude and longitude from the four fields that begin at `at`."""
    return angle(fields[at], fields[at + 1], "NS"), angle(fields[at + 2], fields[at + 3], "EW")


def need(fields: list[str], count: int) -> None:
    """Refuse a sentence with fewer fields."""
    if len(fields) < count:
        raise ValueError(f"{len(fields)} fields")
