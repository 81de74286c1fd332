# SPDX-License-Identifier: Apache-2.0
"""Typed client of org.smartcockpit.Audio1 and of the player beside it."""

from __future__ import annotations

import asyncio
from typing import Any

from smartcockpit.bus.client import properties
from smartcockpit.bus.codec import Incoming
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.declare import spec_of
from smartcockpit.bus.interfaces.audio1 import Audio1, Claim, DeviceStatus, RoleStatus, ServerStatus
from smartcockpit.bus.interfaces.mpris import NAME as MPRIS
from smartcockpit.bus.interfaces.mpris import MediaPlayer2Player
from smartcockpit.bus.match import MatchRule
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.core.named import NamedTuple

_AUDIO = spec_of(Audio1)
_PLAYER = spec_of(MediaPlayer2Player)
LONGEST_S = 120.0


class Playing(NamedTuple):
    """What the player plays."""

    status: str
    title: str
    artist: str
    album: str
    url: str
    length_s: float
    position_s: float


class AudioState(NamedTuple):
    """All properties of org.smartcockpit.Audio1; `playing` is None when nobody offers MPRIS."""

    version: str
    server: ServerStatus
    roles: dict[str, RoleStatus]
    master: tuple[int, bool]
    balance: float
    fade: float
    focus: list[Claim]
    devices: dict[str, DeviceStatus]
    player: bool
    playing: Playing | None


class AudioClient:
    """org.smartcockpit.Audio1, and the buttons of org.mpris.MediaPlayer2.smartcockpit."""

    def __init__(self, connection: BusConnection) -> None:
        self._connection = connection

    async def state(self) -> AudioState:
        """Read all properties at once."""
        found = await properties(self._connection, _AUDIO.name, _AUDIO.path, _AUDIO.name)
        return AudioState(
            found["Version"],
            ServerStatus.from_plain(found["Server"]),
            {name: RoleStatus.from_plain(entries) for name, entries in found["Roles"].items()},
            found["Master"],
            found["Balance"],
            found["Fade"],
            found["Focus"],
            {name: DeviceStatus.from_plain(entries) for name, entries in found["Devices"].items()},
            found["Player"],
            await self._playing(),
        )

    async def call(self, member: str, *args: Any) -> list[Any]:
        """Call a method of Audio1."""
        method = _AUDIO.methods[member]
        return await self._connection.call_declared(_AUDIO.name, method, _AUDIO.path, *args, timeout_s=15.0)

    async def heard(self, member: str, *args: Any) -> str:
        """Call a method that plays a sound and wait until it has ended; return why early, "" otherwise.

        Raises `TimeoutError` after two minutes.
        """
        ended: asyncio.Queue[tuple[int, str]] = asyncio.Queue()

        def take(message: Incoming) -> None:
            number, reason = message.args()
            ended.put_nowait((number, reason))

        finished = _AUDIO.events["Finished"]
        rule = MatchRule(finished.interface, finished.name, _AUDIO.path, sender=_AUDIO.name)
        subscription = await self._connection.subscribe(rule, take)
        try:
            (wanted,) = await self.call(member, *args)
            async with asyncio.timeout(LONGEST_S):
                while True:
                    number, reason = await ended.get()
                    if number == wanted:
                        return reason
        finally:
            await subscription.close()

    async def press(self, button: str) -> None:
        """Press a button of the player: Play, Pause, Next, Previous, Stop."""
        await self._connection.call_declared(MPRIS, _PLAYER.methods[button], _PLAYER.path)

    async def _playing(self) -> Playing | None:
        try:
            found = await properties(self._connection, MPRIS, _PLAYER.path, _PLAYER.name)
        except SmartCockpitError:
            return None
        tags = found["Metadata"]
        return Playing(
            found["PlaybackStatus"].lower(),
            tags.get("xesam:title", ""),
            ", ".join(tags.get("xesam:artist", [])),
            tags.get("xesam:album", ""),
            tags.get("xesam:url", ""),
            tags.get("mpris:length", 0) / 1e6,
            found["Position"] / 1e6,
        )
