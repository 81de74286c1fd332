# SPDX-License-Identifier: Apache-2.0
"""Talks a u-blox receiver into UBX at the wanted rate, or leaves it as it is.

Asks who it is (MON-VER; receivers of other makes do not answer and are not spoken to again), sets rate and
messages in its RAM (CFG-VALSET), waits for its acknowledgement and reads the rate back. Nothing is written
to its flash, so unplugging undoes all. Any silence or refusal ends it: a receiver that works is not pestered.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from smartcockpit.core.gnss import ubx

PATIENCE_NS = 1_200_000_000
TRIES = 2
FORGOTTEN_NS = 3_000_000_000
OLDEST_PROTOCOL = 23.01
PVT_BYTES, SAT_BYTES = 100, 504
"""On the line: NAV-PVT, and NAV-SAT of 40 satellites."""
SHARE = 0.8
"""Of the line's capacity that may be filled."""
RATES_HZ = (10, 8, 5, 4, 2, 1)
PORTS = ("UART1", "USB")


class Setup(StrEnum):
    """How far the conversation is."""

    OFF = "off"
    ASKING = "asking"
    SETTING = "setting"
    CHECKING = "checking"
    DONE = "done"
    LEFT = "left as it is"


def fitting_rate(wanted_hz: int, baud: int) -> int:
    """Return the highest usual rate up to `wanted_hz` that fits the line, beside NAV-SAT once a second."""
    room = baud / 10 * SHARE - SAT_BYTES
    return next((hz for hz in RATES_HZ if hz <= wanted_hz and hz * PVT_BYTES <= room), 1)


class Configurator:
    """`step` returns bytes to be sent, often none; `answer` takes what the receiver replies."""

    def __init__(self, wanted_hz: int, baud: int, now_ns: int) -> None:
        self.state = Setup.ASKING if wanted_hz else Setup.OFF
        self.reason = ""
        self.rate_hz = fitting_rate(wanted_hz, baud) if wanted_hz else 0
        self._tries = 0
        self._due_ns = self._nmea_since_ns = now_ns

    @property
    def is_over(self) -> bool:
        """True when nothing more will be said."""
        return self.state in (Setup.DONE, Setup.LEFT)

    def was_forgotten(self, protocol: str, now_ns: int) -> bool:
        """True when the receiver was set up and speaks `protocol` NMEA again; look now and then."""
        if self.state is not Setup.DONE or protocol != "NMEA":
            self._nmea_since_ns = now_ns
        return now_ns - self._nmea_since_ns > FORGOTTEN_NS

    def settings(self) -> dict[int, int]:
        """Return what is set in the receiver."""
        values = {ubx.RATE_MEAS_MS: 1000 // self.rate_hz}
        for port in PORTS:
            values |= {ubx.OUT_UBX[port]: 1, ubx.OUT_PVT[port]: 1, ubx.OUT_SAT[port]: self.rate_hz}
            values[ubx.OUT_NMEA[port]] = 0
        return values

    def answer(self, body: bytes) -> None:
        """Take a UBX frame that is no navigation."""
        identity = body[:2]
        if self.state is Setup.ASKING and identity == ubx.MON_VER:
            protocol = ubx.mon_ver(body).protocol
            if protocol < OLDEST_PROTOCOL:
                self._leave(f"its protocol version {protocol:g} has no CFG-VALSET")
            else:
                self._go(Setup.SETTING)
        elif self.state is Setup.SETTING and body[4:6] == ubx.CFG_VALSET:
            if identity == ubx.ACK_ACK:
                self._go(Setup.CHECKING)
            elif identity == ubx.ACK_NAK:
                self._leave("it refuses CFG-VALSET")
        elif self.state is Setup.CHECKING and identity == ubx.CFG_VALGET:
            period_ms = ubx.values_of(body).get(ubx.RATE_MEAS_MS)
            if period_ms == 1000 // self.rate_hz:
                self.state = Setup.DONE
            else:
                self._leave(f"it says that it measures every {period_ms} ms")

    def step(self, now_ns: int) -> bytes:
        """Return what is to be sent now; call it again and again."""
        if self.state not in _REQUESTS or now_ns < self._due_ns:
            return b""
        if self._tries == TRIES:
            self._leave(
                "no u-blox receiver" if self.state is Setup.ASKING else f"no answer while {self.state.value}"
            )
            return b""
        self._tries += 1
        self._due_ns = now_ns + PATIENCE_NS
        return _REQUESTS[self.state](self)

    def _go(self, state: Setup) -> None:
        self.state, self._tries, self._due_ns = state, 0, 0

    def _leave(self, reason: str) -> None:
        self.state, self.reason = Setup.LEFT, reason


_REQUESTS: dict[Setup, Callable[[Configurator], bytes]] = {
    Setup.ASKING: lambda _: ubx.frame(ubx.MON_VER),
    Setup.SETTING: lambda self: ubx.valset(self.settings()),
    Setup.CHECKING: lambda _: ubx.valget(ubx.RATE_MEAS_MS),
}
