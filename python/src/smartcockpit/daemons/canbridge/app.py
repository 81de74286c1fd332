# SPDX-License-Identifier: Apache-2.0
"""Wires the CAN bridge.

vehicle table → buses → decoder → board → publisher, and the tick that keeps them honest.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
from functools import partial

from smartcockpit.adapters import can_netlink
from smartcockpit.adapters.frame_source import FrameSource
from smartcockpit.adapters.table_file import VehiclePlaces, load_vehicle
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.patience import connect_when_there
from smartcockpit.bus.publisher import SignalPublisher
from smartcockpit.bus.signal_service import SignalService
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.canbus import BackOff
from smartcockpit.core.clock import SystemClock
from smartcockpit.core.errors import ConfigError
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.signals import SignalQuality
from smartcockpit.core.table import Bus, VehicleTable
from smartcockpit.daemons.canbridge import events
from smartcockpit.daemons.canbridge.backend import Backend
from smartcockpit.daemons.canbridge.buswork import BusWork, Reach
from smartcockpit.daemons.canbridge.service import CanBridgeService
from smartcockpit.daemons.canbridge.settings import BusSettings, Settings
from smartcockpit.runtime.daemon import Life

log = logging.getLogger(__name__)
NAME = "org.smartcockpit.CanBridge1"
TICK_S = 0.05
TICKS_PER_SECOND = 20


class CanBridge:
    """The CAN bridge; see `smartcockpit.runtime.daemon.App`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()

    async def run(self, life: Life) -> None:
        """Bridge until cancelled. Raises `ConfigError` for a vehicle or bus that cannot be."""
        table = await load_vehicle(self._settings.vehicle, self._places())
        connection = BusConnection(self._settings.dbus, NAME)
        board = SignalBoard(table.signals)
        publisher = SignalPublisher(connection, board)
        works: list[BusWork] = []
        backend = Backend(self._settings.decoder, self._settings.decoder_library)
        service = CanBridgeService(table.name, works, backend)
        works += self._works(table, board, publisher, service, backend)
        connection.export(SignalService(board, refresh=partial(_renew, works)))
        publisher.publish(
            [(i, v, int(SignalQuality.VALID), self._clock.realtime_us()) for i, v in table.attributes]
        )
        connection.export(service)
        watcher = _watch_links(works)
        try:
            for work in works:
                if not work.reach.needs_link:
                    work.try_open()
            await connect_when_there(connection)
            service.name_taken()
            events.VEHICLE.log(log, vehicle=table.name, signals=len(table.signals), buses=len(works))
            life.ready(f"{table.name}: {len(table.signals)} signals on {len(works)} buses")
            gc.freeze()  # the table and all that hangs on it stay for good as well
            async with asyncio.TaskGroup() as group:
                group.create_task(connection.run(), name="connection")
                group.create_task(self._tick(life, works, service, watcher), name="tick")
        finally:
            if watcher is not None:
                asyncio.get_running_loop().remove_reader(watcher.fileno())
                watcher.close()
            for work in works:
                work.close()
            await connection.close()
            publisher.close()

    async def _tick(
        self,
        life: Life,
        works: list[BusWork],
        service: CanBridgeService,
        watcher: can_netlink.LinkWatcher | None,
    ) -> None:
        """Age signals and feed the watchdog from the loop that decodes: when it hangs, so does this."""
        count = 0
        while True:
            await asyncio.sleep(TICK_S)
            count += 1
            now_ns = self._clock.monotonic_ns()
            for work in works:
                work.tick(now_ns)
            if count % TICKS_PER_SECOND == 0:
                for work in works:
                    work.each_second(now_ns)
                if watcher is not None:
                    watcher.request()
            service.tick(now_ns)
            life.alive()

    def _places(self) -> VehiclePlaces:
        # By systemd; the second is memory, for a data partition that is full or read-only.
        given = [os.environ.get(name) for name in ("STATE_DIRECTORY", "RUNTIME_DIRECTORY")]
        own = [os.path.join(place, "vehicles") for place in given if place]
        return VehiclePlaces(
            self._settings.vehicle_sources,
            self._settings.vehicle_tables,
            own or [os.path.expanduser("~/.local/state/smartcockpit/vehicles")],
        )

    def _works(
        self,
        table: VehicleTable,
        board: SignalBoard,
        publisher: SignalPublisher,
        service: CanBridgeService,
        backend: Backend,
    ) -> list[BusWork]:
        names = [bus.name for bus in table.buses]
        for name in self._settings.buses:
            if name not in names:
                hint = did_you_mean(name, names, f"it has: {', '.join(names)}")
                raise ConfigError(f"buses.{name}: vehicle {table.name} has no such bus", hint)
        restart = self._settings.restart
        return [
            BusWork(
                table,
                index,
                _reach(bus, self._settings.buses.get(bus.name, BusSettings()), table, index, backend),
                board=board,
                publish=publisher.publish,
                on_change=service.changed,
                clock=self._clock,
                gather_s=self._settings.gather_ms / 1000,
                back_off=BackOff(restart.first_ms, restart.last_ms),
                make_decoder=partial(backend.decoder, table, index),
            )
            for index, bus in enumerate(table.buses)
        ]


def _renew(works: list[BusWork]) -> None:
    for work in works:
        work.renew_times()


def _reach(bus: Bus, settings: BusSettings, table: VehicleTable, index: int, backend: Backend) -> Reach:
    channel = settings.channel or bus.channel

    def open_source() -> FrameSource:
        if settings.interface == "socketcan":
            from smartcockpit.adapters.socketcan import SocketCan

            ids = [m.can_id for m in table.messages if m.bus == index]
            return SocketCan.open(channel, ids, fd_frames=bus.fd, library=backend.library)
        if settings.interface == "datagram":
            from smartcockpit.adapters.datagram import open_datagram

            return open_datagram(channel, fd_frames=bus.fd, library=backend.library)
        from smartcockpit.adapters.python_can import PythonCan

        return PythonCan(settings.interface, channel, fd_frames=bus.fd, options=settings.options)

    def restart() -> None:
        folder = os.environ.get("RUNTIME_DIRECTORY")
        if not folder:
            log.warning("%s stays bus-off. Hint: ip link set %s type can restart", channel, channel)
            return
        with contextlib.suppress(OSError):
            can_netlink.restart_request(os.path.join(folder, "restart"), channel)

    return Reach(channel, open_source, settings.interface == "socketcan", restart)


def _watch_links(works: list[BusWork]) -> can_netlink.LinkWatcher | None:
    """Follow the kernel's interfaces when a bus needs one; they are asked for at once."""
    by_name: dict[str, list[BusWork]] = {}
    for work in works:
        if work.reach.needs_link:
            by_name.setdefault(work.reach.interface, []).append(work)
    if not by_name:
        return None
    watcher = can_netlink.LinkWatcher()
    seen: set[str] = set()

    def read() -> None:
        for link in watcher.read():
            seen.add(link.name)
            for work in by_name.get(link.name, ()):
                work.link_news(link)

    watcher.request()
    read()  # the kernel has answered before `request` returns
    for name in by_name.keys() - seen:
        for work in by_name[name]:
            work.link_news(None)
    asyncio.get_running_loop().add_reader(watcher.fileno(), read)
    return watcher
