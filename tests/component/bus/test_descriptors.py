# SPDX-License-Identifier: Apache-2.0
"""File descriptors over a real bus: taken by whoever waits for one, and by nobody else."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.declare import interface, method
from smartcockpit.core.errors import SmartCockpitError, UnavailableError, UsageError
from support.dbus_daemon import PrivateBus

NAME, PATH = "org.smartcockpit.Locks1", "/org/smartcockpit/Locks1"


@interface(NAME, path=PATH)
class Locks:
    """Hands out ends of pipes."""

    @method(out={"lock": "h"})
    def lock(self) -> int:
        reading, writing = os.pipe()
        os.write(writing, b"it is I")
        os.close(writing)
        return reading

    @method(out={"text": "s"})
    def words(self) -> str:
        return "no descriptor"

    @method(out={"lock": "h"})
    def refuse(self) -> int:
        raise UsageError("not today")


@pytest_asyncio.fixture
async def caller(daemon: PrivateBus) -> AsyncIterator[BusConnection]:
    service = BusConnection(daemon.address, NAME)
    service.export(Locks())
    await service.connect()
    connection = BusConnection(daemon.address)
    await connection.connect()
    yield connection
    await connection.close()
    await service.close()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def take(caller: BusConnection, member: str) -> int:
    return await caller.call_for_descriptor(NAME, PATH, NAME, member)


async def test_a_descriptor_is_the_callers(caller: BusConnection) -> None:
    lock = await take(caller, "Lock")
    assert os.read(lock, 100) == b"it is I"
    assert not os.get_inheritable(lock)
    os.close(lock)


async def test_many_at_once_come_to_whom_they_belong(caller: BusConnection) -> None:
    before = descriptors()
    locks = await asyncio.gather(*(take(caller, "Lock") for _ in range(40)))
    assert [os.read(lock, 100) for lock in locks] == [b"it is I"] * 40
    for lock in locks:
        os.close(lock)
    assert descriptors() == before


async def test_nothing_stays_open_of_what_nobody_takes(caller: BusConnection) -> None:
    """Asked for in the ordinary way, refused, of another kind, given up in the middle."""
    before = descriptors()
    for _ in range(20):
        assert await caller.call(NAME, PATH, NAME, "Lock") == [0]
        with pytest.raises(UsageError, match="not today"):
            await take(caller, "Refuse")
        with pytest.raises(UnavailableError, match="without a descriptor"):
            await take(caller, "Words")
        waiting = asyncio.create_task(take(caller, "Lock"))
        ordinary = asyncio.create_task(caller.call(NAME, PATH, NAME, "Lock"))
        os.close(await waiting)
        await ordinary
        late = asyncio.create_task(take(caller, "Lock"))
        await asyncio.sleep(0)
        late.cancel()
        await asyncio.gather(late, return_exceptions=True)
    await caller.call(NAME, PATH, NAME, "Words")
    assert descriptors() == before


async def test_without_a_bus_it_is_said(caller: BusConnection) -> None:
    await caller.close()
    with pytest.raises(SmartCockpitError):
        await take(caller, "Lock")
