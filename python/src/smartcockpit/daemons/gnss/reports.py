# SPDX-License-Identifier: Apache-2.0
"""What gpsd's clients are told: the same position as on D-Bus, in gpsd's words.

Loaded only when systemd passes a socket (smartcockpit-gnss-gpsd.socket).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from smartcockpit.adapters.gpsd_server import GpsdServer, passed_sockets
from smartcockpit.core.gnss import gpsd
from smartcockpit.core.gnss.dates import iso8601
from smartcockpit.core.gnss.navigator import Navigator
from smartcockpit.daemons.gnss.listening import Listening

SKY_NS = 1_000_000_000


class GpsdReports:
    """`epoch` sends a TPV to all who watch, and once a second a SKY; see `adapters.gpsd_server.Reports`."""

    def __init__(self, listening: Listening, navigator: Navigator, utc_us: Callable[[], int]) -> None:
        self._listening, self._navigator, self._utc_us = listening, navigator, utc_us
        self._server = GpsdServer(self)
        self._sky_ns = 0

    async def start(self) -> None:
        """Accept clients on the sockets that systemd has passed."""
        await self._server.start(passed_sockets())

    def epoch(self) -> None:
        """There is a new position."""
        if not self._server.is_watched:
            return
        self._server.publish(self.tpv())
        now_ns = time.monotonic_ns()
        if now_ns - self._sky_ns >= SKY_NS:
            self._sky_ns = now_ns
            self._server.publish(self.sky())

    def close(self) -> None:
        """Hang up."""
        self._server.close()

    def tpv(self) -> dict[str, Any]:
        """Return the present TPV."""
        listening = self._listening
        return gpsd.tpv(listening.device, listening.last_fix, self._navigator.place, self._utc_us())

    def sky(self) -> dict[str, Any]:
        """Return the present SKY."""
        listening = self._listening
        satellites = listening.receiver.satellites(time.monotonic_ns())
        return gpsd.sky(listening.device, listening.last_fix, satellites)

    def device(self) -> dict[str, Any]:
        """Return the present DEVICE."""
        listening, now_ns = self._listening, time.monotonic_ns()
        receiver = listening.receiver
        protocol, rate_hz = receiver.protocol(now_ns), receiver.rate_hz(now_ns)
        return gpsd.device(listening.device, protocol, listening.baudrate, rate_hz, listening.opened_us)

    def utc(self) -> str:
        """Return the time for POLL."""
        return iso8601(self._utc_us() or time.time_ns() // 1000)
