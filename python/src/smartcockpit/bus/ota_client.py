# SPDX-License-Identifier: Apache-2.0
"""Typed client of org.smartcockpit.Ota1."""

from __future__ import annotations

from typing import Any

from smartcockpit.bus.client import properties
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.declare import spec_of
from smartcockpit.bus.interfaces.ota1 import AvailableUpdate, Ota1, ServerStatus
from smartcockpit.bus.match import MatchRule
from smartcockpit.bus.names import DBUS_INTERFACE, DBUS_NAME, PROPERTIES
from smartcockpit.bus.subscriptions import Handler, Subscription
from smartcockpit.core.named import NamedTuple

_OTA = spec_of(Ota1)


class OtaState(NamedTuple):
    """All properties."""

    version: str
    state: str
    progress: int
    waiting: str
    waiting_text: str
    update: AvailableUpdate
    server: ServerStatus


class OtaClient:
    """org.smartcockpit.Ota1 on `connection`."""

    def __init__(self, connection: BusConnection) -> None:
        self._connection = connection

    async def state(self) -> OtaState:
        """Read all properties at once."""
        found = await properties(self._connection, _OTA.name, _OTA.path, _OTA.name)
        return OtaState(
            found["Version"],
            found["State"],
            found["Progress"],
            found["Waiting"],
            found["WaitingText"],
            AvailableUpdate.from_plain(found["Update"]),
            ServerStatus.from_plain(found["Server"]),
        )

    async def check(self) -> None:
        """Have the server asked now."""
        await self._call("Check")

    async def install(self, path: str) -> None:
        """Begin with a local bundle."""
        await self._call("Install", path)

    async def consent(self, identifier: str, agreed: bool) -> None:
        """Say what the user said."""
        await self._call("Consent", identifier, agreed)

    async def cancel(self) -> None:
        """End the update at hand."""
        await self._call("Cancel")

    async def history(self, count: int) -> list[dict[str, str]]:
        """Return the last updates, newest first."""
        (entries,) = await self._call("History", count)
        return [dict(entry) for entry in entries]

    async def watch(self, handler: Handler) -> list[Subscription]:
        """Have `handler` called whenever a property changes, or the agent comes or goes."""
        rules = (
            MatchRule(PROPERTIES, "PropertiesChanged", _OTA.path, sender=_OTA.name, arg0=_OTA.name),
            MatchRule(DBUS_INTERFACE, "NameOwnerChanged", sender=DBUS_NAME, arg0=_OTA.name),
        )
        return [await self._connection.subscribe(rule, handler) for rule in rules]

    async def _call(self, member: str, *args: Any) -> list[Any]:
        return await self._connection.call_declared(_OTA.name, _OTA.methods[member], _OTA.path, *args)
