# SPDX-License-Identifier: Apache-2.0
"""MPRIS face of the music player: org.mpris.MediaPlayer2.smartcockpit, for playerctl and all who speak it."""

from __future__ import annotations

from collections.abc import Callable

from smartcockpit.bus.declare import notify
from smartcockpit.bus.interfaces.mpris import NAME, NO_TRACK, MediaPlayer2, MediaPlayer2Player
from smartcockpit.bus.library import Variant
from smartcockpit.core.errors import UsageError
from smartcockpit.daemons.audio.music import SCHEMES, Music

LOOPS = {"None": "none", "Track": "track", "Playlist": "queue"}
LOOP_NAMES = {ours: theirs for theirs, ours in LOOPS.items()}
__all__ = ["NAME", "PlayerFace", "PlayerRoot"]
CHANGING = (
    "playback_status", "loop_status", "shuffle", "metadata", "can_go_next", "can_go_previous", "can_play",
    "can_pause", "can_seek",
)  # fmt: skip


class PlayerRoot(MediaPlayer2):
    """The player as a program."""

    can_quit = can_raise = has_track_list = False
    identity = "SmartCockpit"

    @property
    def supported_uri_schemes(self) -> list[str]:
        """Files and radio."""
        return list(SCHEMES)

    @property
    def supported_mime_types(self) -> list[str]:
        """What GStreamer's good plug-ins play."""
        return ["audio/mpeg", "audio/flac", "audio/ogg", "audio/x-wav", "audio/x-mpegurl"]

    def raise_(self) -> None:
        """Do nothing: there is no window."""

    def quit(self) -> None:
        """Do nothing: the player belongs to the car."""


class PlayerFace(MediaPlayer2Player):
    """Buttons and displays, from `music`; volume is that of the role music."""

    minimum_rate = maximum_rate = 1.0
    can_control = True

    def __init__(
        self, music: Music, get_volume: Callable[[], float], set_volume: Callable[[float], None]
    ) -> None:
        self._music, self._get_volume, self._set_volume = music, get_volume, set_volume

    def changed(self) -> None:
        """Announce what may be another."""
        notify(self, *CHANGING)

    # ---- buttons -----------------------------------------------------------------------------------------

    def next(self) -> None:
        """Implement `Next`."""
        self._music.step(True)

    def previous(self) -> None:
        """Implement `Previous`."""
        self._music.step(False)

    def pause(self) -> None:
        """Implement `Pause`."""
        self._music.pause()

    def play_pause(self) -> None:
        """Implement `PlayPause`."""
        if self._music.state.status == "playing":
            self._music.pause()
        else:
            self._music.play()

    def stop(self) -> None:
        """Implement `Stop`."""
        self._music.stop()

    def play(self) -> None:
        """Implement `Play`."""
        self._music.play()

    def seek(self, Offset: int) -> None:
        """Implement `Seek`."""
        self._music.seek(self._music.position_s + Offset / 1e6)

    def set_position(self, TrackId: str, Position: int) -> None:
        """Implement `SetPosition`."""
        track = self._music.state.track
        if track is None or TrackId != _track_id(track.number) or Position < 0:
            return
        if not track.length_s or Position <= track.length_s * 1e6:
            self._music.seek(Position / 1e6)

    async def open_uri(self, Uri: str) -> None:
        """Implement `OpenUri`."""
        await self._music.open([Uri], True)

    # ---- displays ----------------------------------------------------------------------------------------

    @property
    def playback_status(self) -> str:
        """Implement `PlaybackStatus`."""
        return self._music.state.status.capitalize()

    @property
    def loop_status(self) -> str:
        """Implement `LoopStatus`."""
        return LOOP_NAMES[self._music.state.loop]

    @loop_status.setter
    def loop_status(self, value: str) -> None:
        if value not in LOOPS:
            raise UsageError(f"{value[:20]!r} cannot be repeated", ", ".join(LOOPS))
        self._music.loop(LOOPS[value])

    @property
    def rate(self) -> float:
        """Implement `Rate`."""
        return 1.0

    @rate.setter
    def rate(self, value: float) -> None:
        if value == 0:  # the specification's other way to pause
            self._music.pause()

    @property
    def shuffle(self) -> bool:
        """Implement `Shuffle`."""
        return self._music.state.shuffle

    @shuffle.setter
    def shuffle(self, value: bool) -> None:
        self._music.shuffle(value)

    @property
    def metadata(self) -> dict[str, Variant]:
        """Implement `Metadata`."""
        track = self._music.state.track
        if track is None:
            return {"mpris:trackid": Variant("o", NO_TRACK)}
        found = {"mpris:trackid": Variant("o", _track_id(track.number))}
        texts = {"xesam:url": track.location, "xesam:title": track.title, "xesam:album": track.album,
                 "mpris:artUrl": track.cover}  # fmt: skip
        found.update({key: Variant("s", text) for key, text in texts.items() if text})
        if track.artist:
            found["xesam:artist"] = Variant("as", [track.artist])
        if track.length_s:
            found["mpris:length"] = Variant("x", round(track.length_s * 1e6))
        return found

    @property
    def volume(self) -> float:
        """Implement `Volume`."""
        return self._get_volume()

    @volume.setter
    def volume(self, value: float) -> None:
        self._set_volume(min(1.0, max(0.0, float(value))))

    @property
    def position(self) -> int:
        """Implement `Position`."""
        return round(self._music.position_s * 1e6)

    @property
    def can_go_next(self) -> bool:
        """Implement `CanGoNext`."""
        return self._music.state.can_next

    @property
    def can_go_previous(self) -> bool:
        """Implement `CanGoPrevious`."""
        return self._music.state.can_previous

    @property
    def can_play(self) -> bool:
        """Implement `CanPlay`."""
        return self._music.state.queue > 0

    @property
    def can_pause(self) -> bool:
        """Implement `CanPause`."""
        return self.can_play

    @property
    def can_seek(self) -> bool:
        """Implement `CanSeek`."""
        return self._music.state.can_seek


def _track_id(number: int) -> str:
    return f"/org/smartcockpit/track/{number}"
