# SPDX-License-Identifier: Apache-2.0
"""Waiting for a message bus that is not there yet: daemons start in any order."""

from __future__ import annotations

import asyncio
import logging

from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.errors import NameTakenError
from smartcockpit.core.errors import UnavailableError

_log = logging.getLogger(__name__)
PAUSE_S = 0.5


async def connect_when_there(connection: BusConnection) -> None:
    """Connect, however long the bus takes to come up; raises `NameTakenError` for a name that is taken."""
    told = False
    while True:
        try:
            return await connection.connect()
        except NameTakenError:
            raise
        except UnavailableError as error:
            if not told:
                _log.warning("waiting for the message bus: %s", error)
                told = True
            await asyncio.sleep(PAUSE_S)
