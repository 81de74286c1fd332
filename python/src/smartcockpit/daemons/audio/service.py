# SPDX-License-Identifier: Apache-2.0
"""D-Bus face of the audio daemon: org.smartcockpit.Audio1. Signals are served by `bus.signal_service`, the
player's buttons by `mpris`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from smartcockpit import __version__
from smartcockpit.adapters.wav_file import Sound, read_wav
from smartcockpit.bus.declare import notify
from smartcockpit.bus.interfaces.audio1 import Audio1, Claim, DeviceStatus, RoleStatus, ServerStatus, Track
from smartcockpit.bus.presence import Presence
from smartcockpit.core.chimes import CHIMES
from smartcockpit.core.errors import UsageError
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.sound_roles import Role
from smartcockpit.core.sound_settings import SoundSettings, Volume, checked_percent, checked_side
from smartcockpit.daemons.audio.desk import Desk
from smartcockpit.daemons.audio.music import Music
from smartcockpit.daemons.audio.sounds import Sounds

MASTER = "master"
Say = Callable[[str], Awaitable[Sound]]


class AudioService(Audio1):
    """Answers from the desk; `changed` announces what may be another."""

    def __init__(
        self,
        *,
        desk: Desk,
        sounds: Sounds,
        music: Music,
        say: Say,
        presence: Presence,
        change: Callable[[SoundSettings], None],
    ) -> None:
        self._desk, self._sounds, self._music, self._say = desk, sounds, music, say
        self._presence, self._change = presence, change
        self.status = ServerStatus(state="unavailable", reason="not looked for yet")

    def changed(self) -> None:
        """Announce roles, focus and devices."""
        notify(self, "roles", "focus", "devices", "master", "balance", "fade")

    def server_changed(self, status: ServerStatus) -> None:
        """Announce another state of the sound server."""
        self.status = status
        notify(self, "server")

    def player_changed(self) -> None:
        """Announce that the player has come or gone."""
        notify(self, "player")

    # ---- properties --------------------------------------------------------------------------------------

    @property
    def version(self) -> str:
        """Version of this release."""
        return __version__

    @property
    def server(self) -> ServerStatus:
        """How the sound server is."""
        return self.status

    @property
    def roles(self) -> dict[str, RoleStatus]:
        """Each role."""
        verdicts = self._desk.verdicts()
        return {
            role.value: RoleStatus(
                volume=volume.percent,
                muted=volume.muted,
                state=verdicts[role].state.value,
                duck=verdicts[role].duck_db,
            )
            for role, volume in self._desk.settings.roles.items()
        }

    @property
    def master(self) -> tuple[int, bool]:
        """Volume and mute of all."""
        return self._desk.settings.master.percent, self._desk.settings.master.muted

    @property
    def balance(self) -> float:
        """Left and right."""
        return self._desk.settings.balance

    @property
    def fade(self) -> float:
        """Front and rear."""
        return self._desk.settings.fade

    @property
    def focus(self) -> list[Claim]:
        """All claims."""
        return [(claim.token, claim.role.value, claim.owner) for claim in self._desk.focus.claims()]

    @property
    def devices(self) -> dict[str, DeviceStatus]:
        """Output devices."""
        return {
            device.name: DeviceStatus(
                description=device.description,
                channels=list(device.channels),
                rate=device.spec.rate_hz,
                is_default=device.name == self._desk.default_device,
            )
            for device in self._desk.devices
        }

    @property
    def player(self) -> bool:
        """True while the player is there."""
        return self._music.present

    @property
    def chimes(self) -> list[str]:
        """Names of chimes."""
        return list(CHIMES)

    # ---- volumes -----------------------------------------------------------------------------------------

    def set_volume(self, role: str, percent: int) -> None:
        """Implement `Audio1.set_volume`."""
        self._set(role, percent=checked_percent(percent))

    def set_muted(self, role: str, muted: bool) -> None:
        """Implement `Audio1.set_muted`."""
        self._set(role, muted=muted)

    def set_balance(self, balance: float) -> None:
        """Implement `Audio1.set_balance`."""
        self._change(self._desk.settings._replace(balance=checked_side(balance, "balance")))

    def set_fade(self, fade: float) -> None:
        """Implement `Audio1.set_fade`."""
        self._change(self._desk.settings._replace(fade=checked_side(fade, "fade")))

    def _set(self, name: str, *, percent: int | None = None, muted: bool | None = None) -> None:
        settings = self._desk.settings
        role = None if name == MASTER else role_named(name, MASTER)
        old = settings.master if role is None else settings.roles[role]
        new = Volume(old.percent if percent is None else percent, old.muted if muted is None else muted)
        self._change(settings._replace(master=new) if role is None else settings.with_role(role, new))

    # ---- sounds ------------------------------------------------------------------------------------------

    def play_chime(self, name: str) -> int:
        """Implement `Audio1.play_chime`."""
        return self._sounds.chime(name)

    async def play_file(self, role: str, path: str) -> int:
        """Implement `Audio1.play_file`."""
        import asyncio

        wanted = role_named(role)
        sound = await asyncio.to_thread(read_wav, path)

        async def made() -> Sound:
            return sound

        return self._sounds.prompt(wanted, path.rpartition("/")[2][:64], made)

    async def speak(self, role: str, text: str) -> int:
        """Implement `Audio1.speak`."""
        from smartcockpit.adapters.speech import speakable

        wanted, cleaned = role_named(role), speakable(text)
        return self._sounds.prompt(wanted, "speech", lambda: self._say(cleaned))

    def stop(self, id: int) -> None:
        """Implement `Audio1.stop`."""
        self._sounds.stop(id)

    # ---- focus -------------------------------------------------------------------------------------------

    def request_focus(self, role: str, *, sender: str) -> int:
        """Implement `Audio1.request_focus`."""
        wanted = role_named(role)
        if wanted is Role.WARNING:
            raise UsageError("the role warning cannot be claimed", "PlayChime")
        token = self._desk.claim(wanted, sender)
        self._presence.watch(sender)
        return token

    def release_focus(self, token: int, *, sender: str) -> None:
        """Implement `Audio1.release_focus`."""
        if self._desk.release(token, sender) is None:
            raise UsageError(f"you hold no claim {token}", "it may have been lost to a call, see FocusLost")
        if sender not in self._desk.focus.owners():
            self._presence.forget(sender)

    # ---- music -------------------------------------------------------------------------------------------

    async def open_music(self, locations: list[str], play: bool) -> None:
        """Implement `Audio1.open_music`."""
        await self._music.open(locations, play)

    async def find_music(self, words: str, limit: int) -> list[Track]:
        """Implement `Audio1.find_music`."""
        found = await self._music.find(words, limit)
        return [(t.location, t.title, t.artist, t.album, t.length_s) for t in found]


def role_named(name: str, *others: str) -> Role:
    """Return the role called `name`; raises `UsageError` with the nearest one, of `others` too."""
    try:
        return Role(name)
    except ValueError:
        known = [role.value for role in Role] + list(others)
        raise UsageError(
            f"there is no role {name[:64]!r}", did_you_mean(name, known, ", ".join(known))
        ) from None
