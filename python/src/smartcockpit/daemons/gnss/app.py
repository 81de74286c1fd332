# SPDX-License-Identifier: Apache-2.0
"""Wires the GNSS reader.

receiver → fixes → navigator (with the car's motion) → board → publisher, and the tick that keeps them honest.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import smartcockpit
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.patience import connect_when_there
from smartcockpit.bus.publisher import SignalPublisher
from smartcockpit.bus.signal_service import SignalService
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.clock import SystemClock
from smartcockpit.core.errors import ConfigError
from smartcockpit.core.gnss.dates import day_number
from smartcockpit.core.gnss.fix import Fix
from smartcockpit.core.gnss.navigator import Limits, Navigator, Place, Source
from smartcockpit.core.gnss.timing import TimeSource
from smartcockpit.daemons.gnss import events
from smartcockpit.daemons.gnss.link import SerialLink
from smartcockpit.daemons.gnss.listening import Listening
from smartcockpit.daemons.gnss.position import PositionSignals
from smartcockpit.daemons.gnss.service import GnssService
from smartcockpit.daemons.gnss.settings import Settings
from smartcockpit.daemons.gnss.signals import SPECS
from smartcockpit.runtime.daemon import Life

if TYPE_CHECKING:
    from smartcockpit.adapters.chrony_socket import ChronySocket
    from smartcockpit.adapters.gnss_recording import Recorder
    from smartcockpit.daemons.gnss.carmotion import CarMotion
    from smartcockpit.daemons.gnss.replay import ReplayLink
    from smartcockpit.daemons.gnss.reports import GpsdReports

log = logging.getLogger(__name__)
NAME = "org.smartcockpit.Gnss1"
TICK_S = 0.1
TICKS_PER_SECOND = 10
CLOCK_EPOCH = Path("/usr/lib/clock-epoch")
"""systemd's own lower bound of the clock, made with the image (systemd(1))."""


class Gnss:
    """The GNSS reader; see `smartcockpit.runtime.daemon.App`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        floor_us = date_floor_us(settings.date_floor)
        self._recorder = _recorder(settings)
        self._listening = Listening(settings.device, floor_us, self._clock, self._changed, self._recorder)
        limits = Limits(settings.dead_reckoning.max_error_m, int(settings.lost_after_s * 1e9))
        self._navigator = Navigator(limits)
        self._service = GnssService(self._listening, self._navigator, self._clock)
        self._time = TimeSource(floor_us)
        self._chrony: ChronySocket | None = None
        self._reports: GpsdReports | None = None
        self._motion: CarMotion | None = None
        self._utc = (0, 0)
        self._source = Source.NONE

    async def run(self, life: Life) -> None:
        """Read until cancelled. Raises `ConfigError` for a recording that is none."""
        connection = BusConnection(self._settings.dbus, NAME)
        board = SignalBoard(SPECS)
        publisher = SignalPublisher(connection, board)
        self._signals = PositionSignals(board, publisher)
        connection.export(SignalService(board))
        connection.export(self._service)
        self._reports = await _gpsd_reports(self._listening, self._navigator, self._utc_us)
        self._chrony = _chrony(self._settings)
        link: SerialLink | ReplayLink | None = None
        try:
            await connect_when_there(connection)
            link = self._link()
            link.tick(self._clock.monotonic_ns())
            life.ready(f"{self._settings.device}: {self._listening.state.value}")
            gc.freeze()
            async with asyncio.TaskGroup() as group:
                group.create_task(connection.run(), name="connection")
                group.create_task(self._tick(life, link), name="tick")
                if self._settings.dead_reckoning.enabled:
                    group.create_task(self._follow(connection), name="the car's motion")
        finally:
            if self._motion is not None:
                self._motion.close()
            if link is not None:
                link.close()
            await connection.close()
            publisher.close()
            for thing in (self._recorder, self._chrony, self._reports):
                if thing is not None:
                    thing.close()

    def _link(self) -> SerialLink | ReplayLink:
        parts: dict[str, Any] = {"clock": self._clock, "take": self._take, "gone": self._gone}
        if self._settings.source == "replay":
            from smartcockpit.daemons.gnss.replay import ReplayLink

            return ReplayLink(self._settings.device, self._listening, **parts)
        return SerialLink(self._settings, self._listening, **parts)

    async def _follow(self, connection: BusConnection) -> None:
        """Follow the car's motion. Needs the client of all interfaces, which is loaded when we are ready."""
        from smartcockpit.daemons.gnss.carmotion import CarMotion

        self._motion = CarMotion(connection, self._clock, self._navigator.take_motion)
        await self._motion.follow()

    async def _tick(self, life: Life, link: SerialLink | ReplayLink) -> None:
        """Look after the line, the age of the position and the watchdog, ten times a second."""
        count = 0
        while True:
            await asyncio.sleep(TICK_S)
            count += 1
            now_ns = self._clock.monotonic_ns()
            link.tick(now_ns)
            before = self._navigator.place
            place = self._navigator.tick(now_ns)
            if place is not before:
                self._publish(place, self._clock.realtime_us())
            if place.source is Source.ESTIMATED:
                if self._motion is not None:
                    self._motion.confirm(now_ns)
                if self._reports is not None:
                    self._reports.epoch()
            if count % TICKS_PER_SECOND == 0 and self._recorder is not None:
                self._look_after(self._recorder)
            self._service.tick(now_ns)
            life.alive()

    def _look_after(self, recorder: Recorder) -> None:
        recorder.flush()
        if recorder.problem:
            log.warning("recording to %s ends: %s", self._settings.record.path, recorder.problem)
            self._recorder = self._listening.recorder = None

    # ---- what comes ----------------------------------------------------------------------------------

    def _take(self, fixes: list[Fix]) -> None:
        for fix in fixes:
            now_ns = self._clock.monotonic_ns()
            self._listening.fixed(fix)
            if fix.utc_us:
                self._utc = (fix.utc_us, fix.at_ns)
            before = self._navigator.place
            place = self._navigator.take_fix(fix, now_ns)
            self._signals.receiver(fix, len(self._listening.receiver.satellites(now_ns)))
            if place is not before:  # else the fix was refused
                self._publish(place, fix.received_us, fix)
            if self._chrony is not None and (offset_s := self._time.offset_s(fix)) is not None:
                self._chrony.send(fix.received_us, offset_s)
            if self._reports is not None:
                self._reports.epoch()

    def _gone(self) -> None:
        self._signals.receiver_gone()
        self._publish(self._navigator.gone(self._clock.monotonic_ns()), self._clock.realtime_us())

    def _changed(self) -> None:
        self._service.changed()

    def _publish(self, place: Place, time_us: int, fix: Fix | None = None) -> None:
        self._signals.place(place, time_us, self._utc_us(fix), fix)
        if place.source is not self._source:
            if place.source is Source.ESTIMATED:
                events.ESTIMATED.log(log)
            elif place.source is Source.LOST:
                why = self._listening.reason or "satellites were not seen for too long"
                events.LOST.log(log, reason=why)
            self._source = place.source

    def _utc_us(self, fix: Fix | None = None) -> int:
        """Return the time of a position: the receiver's, carried on by our own clock where there is none."""
        if fix is not None and fix.utc_us:
            return fix.utc_us
        utc_us, at_ns = self._utc
        return utc_us + (self._clock.monotonic_ns() - at_ns) // 1000 if utc_us else 0


def date_floor_us(date: str) -> int:
    """Return the earliest moment that a receiver may claim, µs since the Unix epoch.

    `date` is a setting, YYYY-MM-DD; without it, it is when the image was built. Raises `ConfigError`.
    """
    if date:
        parts = date.split("-")
        days = day_number(*map(int, parts)) if len(parts) == 3 and all(p.isdecimal() for p in parts) else None
        if days is None:
            raise ConfigError(f"date_floor: {date[:40]!r} is no date", "write it as 2026-01-31")
        return days * 86_400_000_000
    made = CLOCK_EPOCH if CLOCK_EPOCH.exists() else Path(smartcockpit.__file__)
    return made.stat().st_mtime_ns // 1000


async def _gpsd_reports(
    listening: Listening, navigator: Navigator, utc_us: Callable[[], int]
) -> GpsdReports | None:
    """Serve gpsd's protocol when systemd has passed a socket for it."""
    if "LISTEN_FDS" not in os.environ:
        return None
    from smartcockpit.daemons.gnss.reports import GpsdReports

    reports = GpsdReports(listening, navigator, utc_us)
    await reports.start()
    return reports


def _recorder(settings: Settings) -> Recorder | None:
    if not settings.record.path:
        return None
    from smartcockpit.adapters.gnss_recording import Recorder

    return Recorder(Path(settings.record.path), settings.record.max_mib << 20)


def _chrony(settings: Settings) -> ChronySocket | None:
    if not settings.chrony_socket:
        return None
    from smartcockpit.adapters.chrony_socket import ChronySocket

    return ChronySocket(settings.chrony_socket)
