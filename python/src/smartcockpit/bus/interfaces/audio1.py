# SPDX-License-Identifier: Apache-2.0
"""org.smartcockpit.Audio1: volumes, audio focus, chimes, prompts and devices."""

from __future__ import annotations

from abc import ABC, abstractmethod

from smartcockpit.bus.declare import Emits, interface, method, prop, signal
from smartcockpit.bus.vardict import VarDict, entry


class RoleStatus(VarDict):
    """What a role is set to and does."""

    volume: int = entry("y", "volume in percent, 0 to 100")
    muted: bool = entry("b", "true while it is muted")
    state: str = entry("s", "idle, playing, ducked or paused")
    duck: float = entry("d", "by how much it falls for another role at the moment, dB", 0.0)


class ServerStatus(VarDict):
    """How the sound server is."""

    state: str = entry("s", "unavailable (no sound server), no-device (no sound card) or ready")
    reason: str = entry("s", "why it is not ready, for people; empty otherwise", "")
    since: int = entry("t", "when it came into that state, µs since the Unix epoch", 0)


class DeviceStatus(VarDict):
    """One output device."""

    description: str = entry("s", "name for people")
    channels: list[str] = entry("as", "where its loudspeakers are, such as front-left")
    rate: int = entry("u", "samples a second")
    is_default: bool = entry("b", "true when sound goes there")


Claim = tuple[int, str, str]
Track = tuple[str, str, str, str, float]


@interface("org.smartcockpit.Audio1", path="/org/smartcockpit/Audio1")
class Audio1(ABC):
    """What is heard in the car, and how loud.

    A role is music, assistant, navigation, phone or warning; the order phone > navigation > assistant > music
    decides who falls or pauses for whom, warnings are never silenced. The player itself is controlled by
    MPRIS (org.mpris.MediaPlayer2.smartcockpit).

    Errors: org.smartcockpit.Error.Usage for a role, volume, chime or path that cannot be,
    org.smartcockpit.Error.Limit for too much at once, org.smartcockpit.Error.Unavailable while there is
    no sound server, device, voice or player.
    """

    @property
    @prop("s", emits=Emits.CONST)
    @abstractmethod
    def version(self) -> str:
        """Version of the SmartCockpit release that this daemon belongs to."""

    @property
    @prop("a{sv}")
    @abstractmethod
    def server(self) -> ServerStatus:
        """The sound server. Keys: State, Reason, Since. State is unavailable, no-device or ready."""

    @property
    @prop("a{sa{sv}}")
    @abstractmethod
    def roles(self) -> dict[str, RoleStatus]:
        """Each role. Keys: Volume, Muted, State, Duck. State is idle, playing, ducked or paused."""

    @property
    @prop("(yb)")
    @abstractmethod
    def master(self) -> tuple[int, bool]:
        """Volume in percent and mute of everything but warnings."""

    @property
    @prop("d")
    @abstractmethod
    def balance(self) -> float:
        """From -1, all left, to 1, all right."""

    @property
    @prop("d")
    @abstractmethod
    def fade(self) -> float:
        """From -1, all rear, to 1, all front; a device without rear loudspeakers does not heed it."""

    @property
    @prop("a(tss)")
    @abstractmethod
    def focus(self) -> list[Claim]:
        """Who is heard: token, role and holder of each claim, the one with the say first.

        A holder is a unique bus name, or a word for what the daemon itself plays.
        """

    @property
    @prop("a{sa{sv}}")
    @abstractmethod
    def devices(self) -> dict[str, DeviceStatus]:
        """Output devices by their name on the sound server. Keys: Description, Channels, Rate, IsDefault."""

    @property
    @prop("b")
    @abstractmethod
    def player(self) -> bool:
        """True while the player process is there."""

    @property
    @prop("as", emits=Emits.CONST)
    @abstractmethod
    def chimes(self) -> list[str]:
        """Names for PlayChime."""

    @method(in_={"role": "s", "percent": "y"})
    @abstractmethod
    def set_volume(self, role: str, percent: int) -> None:
        """Set the volume of a role, or of all of them ("master"), from 0 to 100 percent.

        A warning stays at 60 percent at least.
        """

    @method(in_={"role": "s", "muted": "b"})
    @abstractmethod
    def set_muted(self, role: str, muted: bool) -> None:
        """Mute a role, or all of them ("master"). Warnings sound nevertheless."""

    @method(in_={"balance": "d"})
    @abstractmethod
    def set_balance(self, balance: float) -> None:
        """Set the balance, -1 to 1."""

    @method(in_={"fade": "d"})
    @abstractmethod
    def set_fade(self, fade: float) -> None:
        """Set the fade, -1 to 1."""

    @method(in_={"name": "s"}, out={"id": "t"})
    @abstractmethod
    def play_chime(self, name: str) -> int:
        """Play a warning chime at once; names are in Chimes."""

    @method(in_={"role": "s", "path": "s"}, out={"id": "t"})
    @abstractmethod
    async def play_file(self, role: str, path: str) -> int:
        """Play a WAV file (PCM, mono or stereo, up to 20 MB, readable by the daemon) in a role.

        Prompts of one role wait for each other, at most eight of them.
        """

    @method(in_={"role": "s", "text": "s"}, out={"id": "t"})
    @abstractmethod
    async def speak(self, role: str, text: str) -> int:
        """Speak a text of up to 500 characters in a role; control characters are left out."""

    @method(in_={"id": "t"})
    @abstractmethod
    def stop(self, id: int) -> None:
        """Cut off a chime, file or speech; nothing happens when it has ended already."""

    @method(in_={"role": "s"}, out={"token": "t"})
    @abstractmethod
    def request_focus(self, role: str, *, sender: str) -> int:
        """Claim a role for something that the caller plays: lower roles fall or pause until it is released.

        The claim ends by ReleaseFocus, when the caller leaves the bus, or when a role comes that ends it
        (FocusLost). The role warning cannot be claimed.
        """

    @method(in_={"token": "t"})
    @abstractmethod
    def release_focus(self, token: int, *, sender: str) -> None:
        """End a claim of the caller; org.smartcockpit.Error.Usage when it has none of that token."""

    @method(in_={"locations": "as", "play": "b"})
    @abstractmethod
    async def open_music(self, locations: list[str], play: bool) -> None:
        """Replace the player's queue by files, folders, playlists or http(s) addresses; start when `play`."""

    @method(in_={"words": "s", "limit": "u"}, out={"tracks": "a(ssssd)"})
    @abstractmethod
    async def find_music(self, words: str, limit: int) -> list[Track]:
        """Search the library: each of `words` begins a word of title, artist or album ("" finds all).

        Per track: location, title, artist, album, length in s (0: not known).
        """

    @signal({"token": "t"})
    def focus_lost(self, token: int) -> None:
        """A claim has ended because a role came that pauses its role for good."""
        raise NotImplementedError

    @signal({"id": "t", "reason": "s"})
    def finished(self, id: int, reason: str) -> None:
        """A chime, file or speech has ended; `reason` is "" when it was heard to the end."""
        raise NotImplementedError
