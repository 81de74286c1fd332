# SPDX-License-Identifier: Apache-2.0
"""Asking for the power-off, and hearing of it: the file that root's helper acts on, and logind's side of it.

The file `off` in the runtime directory holds `check` (mind who blocks it) or `force`;
smartcockpit-power-off.path sees it (docs/decisions/0015). Who blocks a shutdown at logind is asked for
while it matters.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable

from smartcockpit.bus import login1
from smartcockpit.bus.connection import BusConnection
from smartcockpit.core.errors import SmartCockpitError

log = logging.getLogger(__name__)
ASK_EVERY_S = 2.0
FILE = "off"


class PowerOff:
    """`heard(True)` is called when the system begins to go down, `heard(False)` when that is called off."""

    def __init__(self, connection: BusConnection, heard: Callable[[bool], None]) -> None:
        self._connection, self._heard = connection, heard
        folder = os.environ.get("RUNTIME_DIRECTORY", "")
        self._path = f"{folder}/{FILE}" if folder else ""
        self._wanted = asyncio.Event()
        self.blocks: list[login1.Block] = []
        """Who blocks a shutdown at logind, as far as it matters now."""

    def request(self, *, force: bool) -> None:
        """Ask root's helper."""
        if not self._path:
            log.warning("nobody switches off for us. Hint: run it by its unit")
            return
        try:
            with open(f"{self._path}.new", "w", encoding="ascii") as file:  # noqa: PTH123
                file.write("force\n" if force else "check\n")
            os.replace(f"{self._path}.new", self._path)  # noqa: PTH105
        except OSError as error:
            log.warning("cannot ask for the power-off: %s", error)

    def withdraw(self) -> None:
        """Take the request back, if nobody has acted on it yet."""
        if self._path:
            with contextlib.suppress(OSError):
                os.unlink(self._path)  # noqa: PTH108

    def mind_blocks(self, wanted: bool) -> None:
        """Say whether it matters now who blocks a shutdown."""
        if wanted:
            self._wanted.set()
        elif self._wanted.is_set():
            self._wanted.clear()
            self.blocks = []

    async def follow(self, changed: Callable[[], None]) -> None:
        """Follow logind until cancelled; `changed` is called when `blocks` is another."""
        await self._subscribe()
        while True:
            await self._wanted.wait()
            found = await login1.shutdown_blocks(self._connection)
            if self._wanted.is_set() and found != self.blocks:
                self.blocks = found
                changed()
            await asyncio.sleep(ASK_EVERY_S)

    async def _subscribe(self) -> None:
        while True:
            try:
                return await login1.watch_shutdown(self._connection, self._heard)
            except SmartCockpitError as error:
                log.debug("cannot listen to logind yet: %s", error)
                await asyncio.sleep(ASK_EVERY_S)
