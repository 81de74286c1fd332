# SPDX-License-Identifier: Apache-2.0
"""What the audio daemon says, and lets itself be told, by signals: Vehicle.Cabin.Infotainment.*."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from smartcockpit.bus.publisher import SignalPublisher
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.clock import Clock
from smartcockpit.core.errors import UsageError
from smartcockpit.core.playback import Playback
from smartcockpit.core.signals import SignalQuality, Update, Value
from smartcockpit.core.sound_roles import Role
from smartcockpit.core.sound_settings import SoundSettings, Volume, checked_percent

MEDIA = "Vehicle.Cabin.Infotainment.Media"
NAVIGATION = "Vehicle.Cabin.Infotainment.Navigation"
ACTIONS = {"playing": "PLAY", "paused": "STOP", "stopped": "STOP"}
MUTES = {"MUTED": True, "UNMUTED": False}


class Publish:
    """Sends what has changed of settings and player."""

    def __init__(self, board: SignalBoard, publisher: SignalPublisher, clock: Clock) -> None:
        self._board, self._publisher, self._clock = board, publisher, clock

    def settings(self, settings: SoundSettings) -> None:
        """Publish volumes."""
        navigation = settings.roles[Role.NAVIGATION]
        self._send(
            {
                f"{MEDIA}.Volume": settings.roles[Role.MUSIC].percent,
                f"{NAVIGATION}.Volume": navigation.percent,
                f"{NAVIGATION}.Mute": "MUTED" if navigation.muted else "UNMUTED",
            }
        )

    def playback(self, playback: Playback, present: bool) -> None:
        """Publish what plays; without a player it is unavailable."""
        track = playback.track
        values: dict[str, Value] = {
            f"{MEDIA}.Action": ACTIONS[playback.status],
            f"{MEDIA}.Played.Artist": track.artist if track else "",
            f"{MEDIA}.Played.Album": track.album if track else "",
            f"{MEDIA}.Played.Track": track.title if track else "",
            f"{MEDIA}.Played.URI": track.location if track else "",
            f"{MEDIA}.Played.Source": source_of(track.location) if track else "UNKNOWN",
            f"{MEDIA}.Played.PlaybackRate": 1.0 if playback.status == "playing" else 0.0,
        }
        self._send(values, SignalQuality.VALID if present else SignalQuality.UNAVAILABLE)

    def _send(self, values: Mapping[str, Value], quality: SignalQuality = SignalQuality.VALID) -> None:
        now_us = self._clock.realtime_us()
        updates: list[Update] = []
        for path, value in values.items():
            i = self._board.index[path]
            if (self._board.values[i], self._board.qualities[i]) != (value, quality):
                updates.append((i, value, int(quality), now_us))
        if updates:
            self._publisher.publish(updates)


def source_of(location: str) -> str:
    """Return VSS' word for where a track comes from: a stick, the network, or a disk of our own."""
    if not location.startswith("file:"):
        return "INTERNET"
    return "USB" if location.startswith("file:///run/media/") else "DISK"


def setter(
    get: Callable[[], SoundSettings], change: Callable[[SoundSettings], None]
) -> Callable[[Mapping[str, Any]], Any]:
    """Return the handler of `Signals1.Set`: volumes and the mute of navigation can be set."""

    async def set_values(wanted: Mapping[str, Any]) -> dict[str, str]:
        refusals = {}
        for path, value in wanted.items():
            try:
                change(_changed(get(), path, value))
                refusals[path] = ""
            except UsageError as error:
                refusals[path] = str(error)
        return refusals

    return set_values


def _changed(settings: SoundSettings, path: str, value: Any) -> SoundSettings:
    role = Role.MUSIC if path.startswith(MEDIA) else Role.NAVIGATION
    volume = settings.roles[role]
    if path.endswith(".Volume"):
        if type(value) is not int:
            raise UsageError("a volume is a whole number of percent")
        return settings.with_role(role, Volume(checked_percent(value), volume.muted))
    if path == f"{NAVIGATION}.Mute":
        if value not in MUTES:
            raise UsageError(f"{str(value)[:20]!r} is not possible", "MUTED or UNMUTED")
        return settings.with_role(role, Volume(volume.percent, MUTES[value]))
    raise UsageError("the player is controlled by MPRIS", "org.mpris.MediaPlayer2.smartcockpit")
