# SPDX-License-Identifier: Apache-2.0
"""D-Bus face of the CAN bridge: org.smartcockpit.CanBridge1.

The signals are served by `bus.signal_service`.
"""

from __future__ import annotations

from collections.abc import Sequence

from smartcockpit import __version__
from smartcockpit.bus.declare import notify
from smartcockpit.bus.interfaces.canbridge1 import BusCounters, BusStatus, CanBridge1
from smartcockpit.daemons.canbridge.backend import Backend
from smartcockpit.daemons.canbridge.buswork import BusWork

PAUSE_NS = 1_000_000_000
"""Changes of `Buses` are announced at most once in this time."""


class CanBridgeService(CanBridge1):
    """Answers from the running buses; `changed` and `tick` decide when a change is announced."""

    def __init__(self, vehicle: str, works: Sequence[BusWork], backend: Backend) -> None:
        self._vehicle = vehicle
        self._backend = backend
        self._works = works
        self._changed = False
        self._announced_ns = -PAUSE_NS

    def changed(self) -> None:
        """Note that the status of a bus has changed."""
        self._changed = True

    def name_taken(self) -> None:
        """Forget what has changed so far: who sees the name appear reads everything anew."""
        self._changed = False

    def tick(self, now_ns: int) -> None:
        """Announce what has changed, unless that was done less than a second ago."""
        if self._changed and now_ns - self._announced_ns >= PAUSE_NS:
            self._changed, self._announced_ns = False, now_ns
            notify(self, "buses")

    @property
    def version(self) -> str:
        """Version of this release."""
        return __version__

    @property
    def vehicle(self) -> str:
        """Name of the vehicle folder in use."""
        return self._vehicle

    @property
    def decoder(self) -> str:
        """What receives and decodes."""
        return self._backend.name

    @property
    def buses(self) -> dict[str, BusStatus]:
        """State of each bus."""
        return {work.bus.name: _status(work) for work in self._works}

    @property
    def counters(self) -> dict[str, BusCounters]:
        """Counts of each bus."""
        return {work.bus.name: _counters(work) for work in self._works}

    @property
    def load(self) -> dict[str, float]:
        """Load of each bus in %."""
        return {work.bus.name: round(work.load, 1) for work in self._works}


def _status(work: BusWork) -> BusStatus:
    monitor = work.monitor
    return BusStatus(
        interface=work.reach.interface,
        state=monitor.state.value,
        since=monitor.since_us,
        reason=monitor.reason,
        bitrate=work.bus.bitrate,
        data_bitrate=work.bus.data_bitrate,
    )


def _counters(work: BusWork) -> BusCounters:
    monitor, tally = work.monitor, work.decoder.tally
    return BusCounters(
        frames=tally.frames,
        unchanged=tally.unchanged,
        drops=work.drops,
        error_frames=monitor.error_frames,
        bus_off=monitor.bus_off_count,
        restarts=monitor.restarts,
        rx_errors=monitor.rx_errors,
        tx_errors=monitor.tx_errors,
        unknown_id=tally.unknown_id,
        short_frame=tally.short_frame,
        unknown_mux=tally.unknown_mux,
        checksum_errors=tally.checksum_errors,
        counter_errors=tally.counter_errors,
        out_of_range=tally.out_of_range,
        first_frame=work.first_frame_ns // 1000,
    )
