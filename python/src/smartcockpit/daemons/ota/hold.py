# SPDX-License-Identifier: Apache-2.0
"""Keeps the power on while a slot is written, by a lock of the power daemon."""

from __future__ import annotations

import logging
import os

from smartcockpit.bus.connection import BusConnection
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.daemons.ota import events

log = logging.getLogger(__name__)
WHO = "smartcockpit-ota"


class PowerHold:
    """The real `smartcockpit.daemons.ota.ports.Power`.

    Where no power daemon runs nobody can be asked: that is logged, and the slot is written all the same, for
    a cut costs no more than writing it again. The lock ends with our process, however that ends.
    """

    def __init__(self, connection: BusConnection) -> None:
        self._connection = connection
        self._lock = -1

    async def hold(self, why: str) -> None:
        """Keep the power on, as far as somebody can."""
        from smartcockpit.bus.power_client import PowerClient

        await self.release()
        try:
            self._lock = await PowerClient(self._connection).inhibit(WHO, why)
        except SmartCockpitError as error:
            events.NO_HOLD.log(log, reason=str(error))

    async def release(self) -> None:
        """Let it go."""
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)
