# SPDX-License-Identifier: Apache-2.0
"""The power is held while a slot is written, and not longer, whatever becomes of the agent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest_asyncio
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.declare import interface, method
from support.dbus_daemon import PrivateBus
from support.ota_unit import OtaUnit

POWER = "org.smartcockpit.Power1"


@interface(POWER, path="/org/smartcockpit/Power1")
class Locks:
    """Hands out locks as the power daemon does: ends of pipes, which it sees closing."""

    def __init__(self) -> None:
        self.held: list[str] = []

    @method(in_={"what": "s", "who": "s", "why": "s"}, out={"lock": "h"})
    def inhibit(self, what: str, who: str, why: str) -> int:
        theirs, ours = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        words = f"{what} {who}: {why}"
        self.held.append(words)
        asyncio.get_running_loop().add_reader(ours, self._let_go, ours, words)
        return theirs

    def _let_go(self, ours: int, words: str) -> None:
        asyncio.get_running_loop().remove_reader(ours)
        os.close(ours)
        self.held.remove(words)


@pytest_asyncio.fixture
async def locks(bus: PrivateBus) -> AsyncIterator[Locks]:
    made, service = Locks(), BusConnection(bus.address, POWER)
    service.export(made)
    await service.connect()
    yield made
    await service.close()


async def test_held_while_a_slot_is_written_and_again_by_the_agent_that_follows(
    locks: Locks, unit: OtaUnit
) -> None:
    wanted = ["shutdown smartcockpit-ota: the update to 1.1.0 is being written"]
    unit.disk(fault="hangs")
    unit.assign()
    await unit.becomes("installing")
    await unit.until(lambda: locks.held == wanted)
    unit.kill_agent()
    await unit.until(lambda: locks.held == [])
    unit.start_agent()
    await unit.until(lambda: locks.held == wanted)
    unit.disk(fault="")
    await unit.until(unit.wants_reboot)
    assert locks.held == []


async def test_without_a_power_daemon_it_is_said_and_written_all_the_same(unit: OtaUnit) -> None:
    unit.assign()
    await unit.until(unit.wants_reboot)
    assert "written without holding the power" in unit.log.read_text()
