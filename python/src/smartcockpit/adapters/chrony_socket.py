# SPDX-License-Identifier: Apache-2.0
"""Gives chrony the time: one datagram a sample to the socket of a SOCK reference clock.

chrony decides what to make of it. Without chrony the samples go nowhere. Source: `struct sock_sample` of
chrony's refclock_sock.c, for machines whose time_t has 64 bits.
"""

from __future__ import annotations

import socket
import struct

MAGIC = 0x534F_434B
_SAMPLE = struct.Struct("=qqdiiii")


class ChronySocket:
    """Sends to the socket at `path`, which chronyd makes and may make anew at any time."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)

    def send(self, system_us: int, offset_s: float) -> bool:
        """Say that the true time was `offset_s` ahead of the system's `system_us`; False: nobody heard it."""
        seconds, fraction_us = divmod(system_us, 1_000_000)
        sample = _SAMPLE.pack(seconds, fraction_us, offset_s, 0, 0, 0, MAGIC)
        try:
            self._socket.sendto(sample, self._path)
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
