# SPDX-License-Identifier: Apache-2.0
"""The car's signals for the gate: followed only while an installation or a reboot waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from smartcockpit.bus.client import SignalsClient
from smartcockpit.bus.connection import BusConnection
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.core.signals import Value
from smartcockpit.core.update.gate import SIGNALS, VIN, Block, Rules, block
from smartcockpit.daemons.ota.settings import GateSettings


class CarGate:
    """The real `smartcockpit.daemons.ota.ports.Vehicle`."""

    def __init__(
        self, connection: BusConnection, settings: GateSettings, changed: Callable[[], None]
    ) -> None:
        self._client = SignalsClient(connection)
        self._rules = Rules(settings.parked, settings.lowest_v)
        self._inhibitors = Path(settings.inhibit_folder)
        self._retry_s = settings.retry_s
        self._changed = changed
        self._known: dict[str, tuple[Value, int]] = {}
        self._task: asyncio.Task[None] | None = None

    def want(self, wanted: bool) -> None:
        """Follow the signals, or leave them alone."""
        needed = self._rules.parked or self._rules.lowest_v > 0
        if wanted and needed and self._task is None:
            self._task = asyncio.create_task(self._follow(), name="car gate")
        elif not wanted and self._task is not None:
            self._task.cancel()
            self._task = None
            self._known = {}

    def block(self) -> Block:
        """Return what speaks against it now."""
        try:
            inhibitors = sorted(path.name for path in self._inhibitors.iterdir())
        except OSError:
            inhibitors = []
        return block(self._known, inhibitors, self._rules)

    async def vin(self) -> str:
        """Return the vehicle identification number, "" while nobody knows it."""
        try:
            (reading,) = await self._client.get([VIN])
        except SmartCockpitError:
            return ""
        return str(reading.value)

    async def close(self) -> None:
        """Leave the signals alone for good."""
        task = self._task
        self.want(False)
        if task is not None:
            await asyncio.gather(task, return_exceptions=True)

    async def _follow(self) -> None:
        while True:
            try:
                async for batch in self._client.watch(SIGNALS):
                    before = self.block()
                    self._known.update((r.path, (r.value, int(r.quality))) for r in batch)
                    if self.block() != before:
                        self._changed()
            except SmartCockpitError:
                self._known = {}
                self._changed()
                await asyncio.sleep(self._retry_s)
