# SPDX-License-Identifier: Apache-2.0
"""org.mpris.MediaPlayer2: how desktops, headsets and cars control whatever plays.

Declared as far as we implement it, after the MPRIS D-Bus Interface Specification 2.2 of freedesktop.org; no
XML is installed, because the interfaces are not ours. Times are µs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from smartcockpit.bus.declare import Emits, interface, method, prop, signal
from smartcockpit.bus.library import Variant

PATH = "/org/mpris/MediaPlayer2"
NAME = "org.mpris.MediaPlayer2.smartcockpit"
NO_TRACK = "/org/mpris/MediaPlayer2/TrackList/NoTrack"


@interface("org.mpris.MediaPlayer2", path=PATH)
class MediaPlayer2(ABC):
    """The player as a program."""

    @method()
    @abstractmethod
    def raise_(self) -> None:
        """Bring the player's window up; there is none."""

    @method()
    @abstractmethod
    def quit(self) -> None:
        """End the player; ours stays."""

    @property
    @prop("b", emits=Emits.CONST)
    @abstractmethod
    def can_quit(self) -> bool:
        """False."""

    @property
    @prop("b", emits=Emits.CONST)
    @abstractmethod
    def can_raise(self) -> bool:
        """False."""

    @property
    @prop("b", emits=Emits.CONST)
    @abstractmethod
    def has_track_list(self) -> bool:
        """False: org.mpris.MediaPlayer2.TrackList is not offered."""

    @property
    @prop("s", emits=Emits.CONST)
    @abstractmethod
    def identity(self) -> str:
        """Name for people."""

    @property
    @prop("as", emits=Emits.CONST)
    @abstractmethod
    def supported_uri_schemes(self) -> list[str]:
        """Schemes that OpenUri takes."""

    @property
    @prop("as", emits=Emits.CONST)
    @abstractmethod
    def supported_mime_types(self) -> list[str]:
        """Kinds of sound that can be played."""


@interface("org.mpris.MediaPlayer2.Player", path=PATH)
class MediaPlayer2Player(ABC):
    """What plays, and the buttons."""

    @method()
    @abstractmethod
    def next(self) -> None:
        """Go to the next track."""

    @method()
    @abstractmethod
    def previous(self) -> None:
        """Go to the previous track, or to the start of this one."""

    @method()
    @abstractmethod
    def pause(self) -> None:
        """Pause."""

    @method()
    @abstractmethod
    def play_pause(self) -> None:
        """Pause or go on."""

    @method()
    @abstractmethod
    def stop(self) -> None:
        """Stop; Play starts the track anew."""

    @method()
    @abstractmethod
    def play(self) -> None:
        """Start or go on."""

    @method(in_={"Offset": "x"})
    @abstractmethod
    def seek(self, Offset: int) -> None:
        """Move on by so much, or back; beyond the end is the next track."""

    @method(in_={"TrackId": "o", "Position": "x"})
    @abstractmethod
    def set_position(self, TrackId: str, Position: int) -> None:
        """Move to this position; nothing happens when another track plays by now."""

    @method(in_={"Uri": "s"})
    @abstractmethod
    async def open_uri(self, Uri: str) -> None:
        """Replace the queue by what is at `Uri`, and play it."""

    @signal({"Position": "x"})
    def seeked(self, Position: int) -> None:
        """The position has changed otherwise than by time passing."""
        raise NotImplementedError

    @property
    @prop("s")
    @abstractmethod
    def playback_status(self) -> str:
        """Playing, Paused or Stopped."""

    @property
    @prop("s", writable=True)
    @abstractmethod
    def loop_status(self) -> str:
        """None, Track or Playlist."""

    @property
    @prop("d", writable=True)
    @abstractmethod
    def rate(self) -> float:
        """Always 1."""

    @property
    @prop("b", writable=True)
    @abstractmethod
    def shuffle(self) -> bool:
        """True when the queue is played in no order."""

    @property
    @prop("a{sv}")
    @abstractmethod
    def metadata(self) -> dict[str, Variant]:
        """What plays: mpris:trackid, length, artUrl, xesam:title, artist, album, url, as far as known."""

    @property
    @prop("d", writable=True)
    @abstractmethod
    def volume(self) -> float:
        """Volume of the role music, 0 to 1."""

    @property
    @prop("x", emits=Emits.FALSE)
    @abstractmethod
    def position(self) -> int:
        """Where it is."""

    @property
    @prop("d", emits=Emits.CONST)
    @abstractmethod
    def minimum_rate(self) -> float:
        """1."""

    @property
    @prop("d", emits=Emits.CONST)
    @abstractmethod
    def maximum_rate(self) -> float:
        """1."""

    @property
    @prop("b")
    @abstractmethod
    def can_go_next(self) -> bool:
        """True when there is a next track."""

    @property
    @prop("b")
    @abstractmethod
    def can_go_previous(self) -> bool:
        """True when there is a previous track, or this one can start anew."""

    @property
    @prop("b")
    @abstractmethod
    def can_play(self) -> bool:
        """True when there is something in the queue."""

    @property
    @prop("b")
    @abstractmethod
    def can_pause(self) -> bool:
        """The same as CanPlay."""

    @property
    @prop("b")
    @abstractmethod
    def can_seek(self) -> bool:
        """True unless it is radio."""

    @property
    @prop("b", emits=Emits.CONST)
    @abstractmethod
    def can_control(self) -> bool:
        """True."""
