# SPDX-License-Identifier: Apache-2.0
"""A bus daemon that stops reading for a second must cost nobody the connection."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.publisher import SignalPublisher
from smartcockpit.bus.signal_service import SignalService
from smartcockpit.bus.writer import HIGH_WATER
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.signals import Datatype, SignalSpec
from support.dbus_client import RawClient
from support.dbus_daemon import PrivateBus

PATH, INTERFACE = "/org/smartcockpit/Signals1", "org.smartcockpit.Signals1"


async def test_stock_dbus_next_loses_the_connection(tmp_path: Path) -> None:
    """The fault that our writer exists for; when this fails, upstream has cured it and we can think again."""
    from dbus_next import Message
    from dbus_next.aio import MessageBus

    with PrivateBus(tmp_path) as daemon:
        bus = await MessageBus(bus_address=daemon.address).connect()
        lost = asyncio.ensure_future(bus.wait_for_disconnect())
        with daemon.stalled():
            sent = [
                bus.send(Message.new_signal(PATH, INTERFACE, "Changed", "sd", ["Vehicle.Speed", float(n)]))
                for n in range(10_000)
            ]
            await asyncio.sleep(1.0)
        with pytest.raises(BlockingIOError):
            await asyncio.wait_for(lost, 5)
        for future in sent:
            if future.done():
                future.exception()
            future.cancel()
        with contextlib.suppress(OSError):
            bus._sock.close()


@pytest.mark.parametrize("spread", [1, 10_000])
async def test_10_000_signals_survive_a_second_without_a_reader(tmp_path: Path, spread: int) -> None:
    """Given a stalled daemon, when 10,000 values are published, then the last of each signal arrives."""
    specs = [SignalSpec(f"Vehicle.Test.S{i}", Datatype.DOUBLE) for i in range(spread)]
    board = SignalBoard(specs)
    with PrivateBus(tmp_path) as daemon:
        async with BusConnection(daemon.address, "org.smartcockpit.Test1") as bus, asyncio.timeout(30):
            bus.export(SignalService(board))
            publisher = SignalPublisher(bus, board)
            listener = await RawClient.connect(daemon.address)
            await listener.add_match(f"interface='{INTERFACE}'")
            unique = bus.unique_name
            with daemon.stalled():
                for n in range(10_000):
                    publisher.publish([(n % spread, float(n), 3, n)])
                    assert bus.live is not None
                    assert bus.live.writer.queued < 2 * HIGH_WATER
                    if n % 100 == 0:
                        await asyncio.sleep(0.01)
            newest: dict[str, float] = {}
            while len(newest) < spread or newest[specs[-1].path] != 9_999.0:
                message = await listener.signal()
                newest.update((row[0], row[1].value) for row in message.body[1])
            assert newest == {spec.path: float(10_000 - spread + i) for i, spec in enumerate(specs)}
            assert bus.unique_name == unique
            publisher.close()
            listener.close()
