# SPDX-License-Identifier: Apache-2.0
"""Sentences for tests of what reads them, made without our own code."""

from __future__ import annotations

from functools import reduce
from operator import xor


def sentence(body: str) -> bytes:
    """Return a whole sentence with its checksum."""
    return f"${body}*{reduce(xor, body.encode(), 0):02X}\r\n".encode()


def rmc(time: str = "120000.00", place: str = "4823.90400,N,00959.49600,E", date: str = "010326") -> bytes:
    """Return an RMC of a car at 10 m/s to the east."""
    return sentence(f"GNRMC,{time},A,{place},19.438,90.00,{date},,,A,V")


def gga(time: str = "120000.00", place: str = "4823.90400,N,00959.49600,E", hdop: str = "0.9") -> bytes:
    """Return a GGA with 10 satellites, 478 m above the sea, 47 m of geoid."""
    return sentence(f"GNGGA,{time},{place},1,10,{hdop},478.0,M,47.0,M,,")
