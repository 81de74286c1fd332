# SPDX-License-Identifier: Apache-2.0
"""D-Bus face of the GNSS reader: org.smartcockpit.Gnss1.

The signals are served by `bus.signal_service`.
"""

from __future__ import annotations

from math import nan

from smartcockpit import __version__
from smartcockpit.bus.declare import notify
from smartcockpit.bus.interfaces.gnss1 import Calibration, Gnss1, GnssCounters, ReceiverStatus, SatelliteRow
from smartcockpit.core.clock import Clock
from smartcockpit.core.gnss.navigator import Navigator
from smartcockpit.daemons.gnss.listening import Listening

PAUSE_NS = 1_000_000_000
"""Changes of `Receiver` are announced at most once in this time."""


class GnssService(Gnss1):
    """Answers from the running reader; `changed` and `tick` decide when a change is announced."""

    def __init__(self, listening: Listening, navigator: Navigator, clock: Clock) -> None:
        self._listening, self._navigator, self._clock = listening, navigator, clock
        self._changed = False
        self._announced_ns = -PAUSE_NS
        self._positioning = ""

    def changed(self) -> None:
        """Note that the receiver's status has changed."""
        self._changed = True

    def tick(self, now_ns: int) -> None:
        """Announce what has changed; the receiver's status not more than once a second."""
        if self._positioning != self.positioning:
            self._positioning = self.positioning
            notify(self, "positioning")
        if self._changed and now_ns - self._announced_ns >= PAUSE_NS:
            self._changed, self._announced_ns = False, now_ns
            notify(self, "receiver", "time_to_first_fix")

    @property
    def version(self) -> str:
        """Version of this release."""
        return __version__

    @property
    def receiver(self) -> ReceiverStatus:
        """The receiver."""
        listening = self._listening
        version = listening.receiver.version
        return ReceiverStatus(
            state=listening.state.value,
            since=listening.since_us,
            reason=listening.reason,
            device=listening.device,
            baudrate=listening.baudrate,
            protocol=listening.receiver.protocol(self._clock.monotonic_ns()),
            model=(version.model or version.hardware) if version else "",
            firmware=version.software if version else "",
            setup=listening.setup,
        )

    @property
    def positioning(self) -> str:
        """What the position rests on."""
        return self._navigator.place.source.value

    @property
    def time_to_first_fix(self) -> float:
        """Seconds from opening the line to the first position."""
        found = self._listening.time_to_first_fix_s
        return -1.0 if found is None else round(found, 3)

    @property
    def rate(self) -> float:
        """Epochs a second."""
        return round(self._listening.receiver.rate_hz(self._clock.monotonic_ns()), 2)

    @property
    def satellites(self) -> list[SatelliteRow]:
        """Satellites in view."""
        return [
            SatelliteRow(
                s.constellation.value,
                s.number,
                _known(s.elevation_deg),
                _known(s.azimuth_deg),
                _known(s.cn0_dbhz),
                s.used,
            )
            for s in self._listening.receiver.satellites(self._clock.monotonic_ns())
        ]

    @property
    def counters(self) -> GnssCounters:
        """Counts since the start."""
        tally = self._listening.receiver.tally
        counts = {name: getattr(tally, name) for name in tally.__slots__}
        return GnssCounters(
            **counts | {"jumps": self._navigator.jumps, "opened": self._listening.opened_count}
        )

    @property
    def dead_reckoning(self) -> Calibration:
        """What dead reckoning has learned."""
        reckoning = self._navigator.reckoning
        return Calibration(
            ready=reckoning.usable,
            heading_error=round(min(180.0, reckoning.yaw.heading_error_deg), 3),
            yaw_bias=round(reckoning.yaw.bias_dps, 4),
            yaw_scale=round(reckoning.yaw.scale, 5),
            speed_scale=round(reckoning.speed.value, 5),
        )


def _known(value: float | None) -> float:
    return nan if value is None else float(value)
