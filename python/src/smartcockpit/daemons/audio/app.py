# SPDX-License-Identifier: Apache-2.0
"""Wires the audio daemon.

sound server → desk ← clients' wishes, speed; chimes and prompts → desk; player process → MPRIS.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smartcockpit.adapters.player_link import PlayerLink
from smartcockpit.adapters.pulse_server import PulseServer
from smartcockpit.adapters.wav_file import Sound
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.declare import notify
from smartcockpit.bus.errors import NameTakenError
from smartcockpit.bus.interfaces.audio1 import ServerStatus
from smartcockpit.bus.presence import Presence
from smartcockpit.bus.publisher import SignalPublisher
from smartcockpit.bus.signal_service import SignalService
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.clock import SystemClock
from smartcockpit.core.errors import SmartCockpitError, UnavailableError
from smartcockpit.core.focus import Claim
from smartcockpit.core.loudness import SpeedCurve
from smartcockpit.core.sound_roles import Role
from smartcockpit.core.sound_settings import SoundSettings, Volume
from smartcockpit.daemons.audio import events
from smartcockpit.daemons.audio.desk import Desk
from smartcockpit.daemons.audio.memory import Memory
from smartcockpit.daemons.audio.music import Music
from smartcockpit.daemons.audio.publish import Publish, setter
from smartcockpit.daemons.audio.service import AudioService
from smartcockpit.daemons.audio.settings import Settings
from smartcockpit.daemons.audio.signals import SPECS
from smartcockpit.daemons.audio.sounds import Sounds
from smartcockpit.daemons.audio.speed import follow_speed
from smartcockpit.runtime.daemon import Life

if TYPE_CHECKING:
    from smartcockpit.daemons.audio.mpris import PlayerFace

log = logging.getLogger(__name__)
NAME = "org.smartcockpit.Audio1"
TICK_S = 1.0
CONNECT_PAUSE_S = 0.5
RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Pauses between attempts to reach the sound server; the last one repeats."""


class Audio:
    """The audio daemon; see `smartcockpit.runtime.daemon.App`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()
        self._memory = Memory(Path(os.environ.get("STATE_DIRECTORY", "") or _home(), "volumes.json"))
        self._runtime = Path(os.environ.get("RUNTIME_DIRECTORY", "") or _home("run"))
        self._face: PlayerFace | None = None
        self._news = asyncio.Event()

    async def run(self, life: Life) -> None:
        """Serve until cancelled."""
        self._desk = Desk(
            self._memory.recall(self._settings.start_cap),
            self._changed,
            self._news.set,
            self._settings.device,
        )
        folders = [Path(folder) for folder in self._settings.chime_folders]
        self._sounds = Sounds(self._desk, folders, self._finished)
        link = PlayerLink(Path(self._settings.player), self._player_said, self._player_presence)
        self._music = Music(link, self._clock, self._music_changed, self._music_sought)
        connection = BusConnection(self._settings.dbus, NAME)
        board = SignalBoard(SPECS)
        publisher = SignalPublisher(connection, board)
        self._publish = Publish(board, publisher, self._clock)
        presence = Presence(connection, self._desk.forget)
        self._service = AudioService(
            desk=self._desk,
            sounds=self._sounds,
            music=self._music,
            say=self._say,
            presence=presence,
            change=self._change,
        )
        connection.export(SignalService(board, setter(lambda: self._desk.settings, self._change)))
        connection.export(self._service)
        self._publish.settings(self._desk.settings)
        try:
            await link.open()
            await _connect(connection)
            life.ready("waiting for the sound server")
            gc.freeze()
            async with asyncio.TaskGroup() as group:
                group.create_task(connection.run(), name="connection")
                group.create_task(self._offer_mpris(), name="MPRIS")
                group.create_task(self._sounds.run(), name="sounds")
                group.create_task(self._serve_sound(life), name="sound server")
                group.create_task(follow_speed(connection, self._speed), name="speed")
                group.create_task(_beat(life), name="watchdog")
        finally:
            self._memory.write()
            self._desk.close()
            await link.close()
            await presence.close()
            await connection.close()
            publisher.close()

    async def _offer_mpris(self) -> None:
        """Offer the player's face under its own name, which has a policy of its own."""
        from smartcockpit.daemons.audio.mpris import NAME as MPRIS  # not needed before we are ready
        from smartcockpit.daemons.audio.mpris import PlayerFace, PlayerRoot

        connection = BusConnection(self._settings.dbus, MPRIS)
        self._face = PlayerFace(self._music, self._music_volume, self._set_music_volume)
        connection.export(PlayerRoot())
        connection.export(self._face)
        try:
            await _connect(connection)
            await connection.run()
        finally:
            await connection.close()

    # ---- the sound server --------------------------------------------------------------------------------

    async def _serve_sound(self, life: Life) -> None:
        """Keep a connection to the sound server, for ever."""
        attempt = 0
        while True:
            began_s = time.monotonic()
            try:
                server = await PulseServer.open(
                    self._settings.server, self._news.set, self._sounds.stream_news
                )
                try:
                    await self._follow(server, life)
                finally:
                    server.close()
            except SmartCockpitError as error:
                self._sound_is(life, "unavailable", error.message)
            self._sounds.detach()
            self._desk.detach()
            attempt = 0 if time.monotonic() - began_s > RETRY_S[-1] else attempt + 1
            await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])

    async def _follow(self, server: PulseServer, life: Life) -> None:
        """Bring the desk into line whenever the server has news; raises `UnavailableError` at its end."""
        voice: asyncio.Task[None] | None = None
        try:
            self._news.set()
            while True:
                await self._wait_for_news(server)
                await self._desk.refresh(server)
                if not self._desk.devices:
                    self._sound_is(life, "no-device", "there is no sound card")
                    continue
                self._sound_is(life, "ready", "")
                if not self._sounds.ready and (voice is None or voice.done()):
                    voice = asyncio.create_task(self._make_ready(server), name="ready voice")
        finally:
            if voice is not None:
                voice.cancel()

    async def _wait_for_news(self, server: PulseServer) -> None:
        news = asyncio.create_task(self._news.wait(), name="news")
        waited: list[asyncio.Future[Any]] = [news, server.link.lost]
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        news.cancel()
        if server.link.lost.done():
            raise UnavailableError(f"lost the sound server: {server.link.lost.result()}")
        self._news.clear()

    async def _make_ready(self, server: PulseServer) -> None:
        try:
            await self._sounds.attach(server)
        except SmartCockpitError as error:
            log.debug("no voice for chimes yet: %s", error)
            await asyncio.sleep(1.0)
        self._news.set()

    def _sound_is(self, life: Life, state: str, reason: str) -> None:
        if (state, reason) == (self._service.status.state, self._service.status.reason):
            return
        before = self._service.status.state
        self._service.server_changed(
            ServerStatus(state=state, reason=reason, since=self._clock.realtime_us())
        )
        if state == "ready":
            events.SERVER_UP.log(log, device=self._desk.default_device or self._desk.devices[0].name)
            life.status(f"sound goes to {self._desk.default_device or 'a device'}")
        elif state != before:
            events.SERVER_DOWN.log(log, reason=reason)
            life.status(reason)

    # ---- what changes ------------------------------------------------------------------------------------

    def _changed(self, ended: list[Claim]) -> None:
        self._service.changed()
        for claim in ended:
            if claim.owner.startswith(":"):
                self._service.focus_lost(claim.token)
        self._music.verdict(self._desk.verdicts())

    def _change(self, settings: SoundSettings) -> None:
        """Put other settings into force and remember them."""
        self._desk.change(settings)
        self._publish.settings(settings)
        if self._face is not None:
            notify(self._face, "volume")
        self._memory.remember(lambda: self._desk.settings)

    def _finished(self, number: int, reason: str) -> None:
        self._service.finished(number, reason)

    async def _say(self, text: str) -> Sound:
        from smartcockpit.adapters.speech import Speech

        wanted = self._settings.speech
        return await Speech(wanted.engine, wanted.voice, self._runtime / "speech").say(text)

    def _speed(self, speed_kmh: float | None) -> None:
        curve = self._settings.speed_volume
        self._desk.boost(SpeedCurve(curve.speeds_kmh, curve.boosts_db).boost_db(speed_kmh))

    def _music_volume(self) -> float:
        return self._desk.settings.roles[Role.MUSIC].percent / 100

    def _set_music_volume(self, volume: float) -> None:
        old = self._desk.settings.roles[Role.MUSIC]
        self._change(self._desk.settings.with_role(Role.MUSIC, Volume(round(100 * volume), old.muted)))

    def _music_changed(self) -> None:
        if self._face is not None:
            self._face.changed()
        self._publish.playback(self._music.state, self._music.present)

    def _music_sought(self) -> None:
        if self._face is not None:
            self._face.seeked(self._face.position)

    def _player_said(self, message: dict[str, object]) -> None:
        self._music.message(message)

    def _player_presence(self, reason: str) -> None:
        if self._music.present:
            events.PLAYER_UP.log(log)
        else:
            events.PLAYER_DOWN.log(log, reason=reason)
        self._music.gone()
        self._service.player_changed()


def _home(folder: str = "state") -> Path:
    return Path.home() / ".local" / folder / "smartcockpit-audio"


async def _beat(life: Life) -> None:
    """Feed the watchdog from the loop that mixes: when it hangs, so does this."""
    while True:
        life.alive()
        await asyncio.sleep(TICK_S)


async def _connect(connection: BusConnection) -> None:
    """Connect to the message bus, waiting for it when it is not there yet; a taken name is an error."""
    told = False
    while True:
        try:
            return await connection.connect()
        except NameTakenError:
            raise
        except UnavailableError as error:
            if not told:
                log.warning("waiting for the message bus: %s", error)
                told = True
            await asyncio.sleep(CONNECT_PAUSE_S)
