# SPDX-License-Identifier: Apache-2.0
"""The mixing desk: keeps the gain of every stream where focus and settings want it.

Owns the claims and the settings in force. Reads the sound server's streams and devices when it says that they
changed; how gains get where they shall be is `faders`' business.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from smartcockpit.adapters.pulse_server import CLIENT, Device, PulseServer, Stream
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.core.focus import Claim, Focus, Verdict
from smartcockpit.core.loudness import NORMAL, db_to_pulse
from smartcockpit.core.mixing import role_gain_db, shared_out, side_gains
from smartcockpit.core.sound_roles import Role, role_of_stream
from smartcockpit.core.sound_settings import SoundSettings
from smartcockpit.daemons.audio.faders import Faders, Strip

Tell = Callable[[list[Claim]], None]


class Desk:
    """`on_change` is called, with the claims that ended by it, when a property may have another value.

    `on_doubt` is called when it is time for `refresh`, to see whether volumes that were sent are in force.
    """

    def __init__(
        self, settings: SoundSettings, on_change: Tell, on_doubt: Callable[[], None], device: str = ""
    ) -> None:
        self.settings = settings
        self.focus = Focus()
        self.devices: list[Device] = []
        self.default_device = ""
        self._on_change, self._wanted_device = on_change, device
        self._boost_db = 0.0
        self._faders = Faders(on_doubt)
        self._own: dict[int, Role] = {}
        self._expected: dict[int, Role] = {}

    # ---- what clients and the daemon itself want ---------------------------------------------------------

    def claim(self, role: Role, owner: str) -> int:
        """Claim `role`; see `Focus.request`."""
        token, ended = self.focus.request(role, owner)
        self._again(ended)
        return token

    def release(self, token: int, owner: str) -> Claim | None:
        """End a claim; None when `owner` has no such claim."""
        claim = self.focus.release(token, owner)
        if claim is not None:
            self._again([])
        return claim

    def forget(self, owner: str) -> None:
        """End the claims of an owner that has died."""
        if self.focus.forget(owner):
            self._again([])

    def change(self, settings: SoundSettings) -> None:
        """Put other settings into force."""
        sides = (settings.balance, settings.fade) != (self.settings.balance, self.settings.fade)
        self.settings = settings
        if sides:
            self._set_devices()
        self._again([])

    def boost(self, boost_db: float) -> None:
        """Make everything louder by so much, for the noise of the road."""
        if boost_db != self._boost_db:
            self._boost_db = boost_db
            self._aim()

    def verdicts(self) -> dict[Role, Verdict]:
        """Return what each role does."""
        return self.focus.verdicts()

    # ---- our own voices ----------------------------------------------------------------------------------

    def expect(self, key: int, role: Role) -> None:
        """Make room for a voice that is about to sound; `key` is negative and the caller's."""
        self._expected[key] = role
        self._aim()

    def withdraw(self, key: int) -> None:
        """The voice will not come, or has gone."""
        if self._expected.pop(key, None) is not None:
            self._aim()

    def adopt(self, index: int, role: Role) -> None:
        """Take the stream with this index for ours: it has `role`, whatever it says of itself."""
        self._own[index] = role

    def disown(self, index: int) -> None:
        """The stream with this index has gone."""
        self._own.pop(index, None)

    def voice_volume(self, role: Role) -> int:
        """Return the server's volume for a voice of `role` that sounds beside what is on the desk."""
        gains = self._gains()
        key = next((k for k, r in self._expected.items() if r is role), None)
        gain_db = gains[key] if key is not None else self._alone(role)
        return db_to_pulse(gain_db)

    async def settled(self) -> None:
        """Wait until nothing has to fall any more."""
        await self._faders.settled()

    # ---- the sound server --------------------------------------------------------------------------------

    async def refresh(self, server: PulseServer) -> None:
        """Read devices and streams of `server` and bring everything into line.

        Raises `UnavailableError` when it is lost.
        """
        self._faders.server = server
        devices, default = await server.devices(), await server.default_device()
        streams = await server.streams()
        changed = (devices, default) != (self.devices, self.default_device)
        self.devices, self.default_device = devices, default
        if changed:
            self._set_devices()
        ended = self._take(streams)
        if changed or ended is not None:
            self._again(ended or [])
        else:
            self._aim()

    def detach(self) -> None:
        """Forget the server and all that was on it."""
        self._faders.server = None
        self.devices, self.default_device = [], ""
        for index in list(self._faders.strips):
            self._drop(index)
        self._own.clear()
        self._faders.stop()
        self._again([])

    def close(self) -> None:
        """Stop gliding."""
        self._faders.stop()

    def _take(self, streams: list[Stream]) -> list[Claim] | None:
        """Take over the list of streams; return the claims that ended by it, None when none has changed."""
        before = self.focus.claims()
        present = {stream.number for stream in streams}
        for index in self._faders.strips.keys() - present:
            self._drop(index)
        ended: list[Claim] = []
        for stream in streams:
            own = stream.number in self._own
            if stream.application == CLIENT and not own:
                continue  # ours in the making: it has the right volume from the start
            strip = self._faders.strips.get(stream.number)
            if strip is None or strip.own is not own:
                role = self._own.get(stream.number) or role_of_stream(stream.role)
                strip = self._faders.strips[stream.number] = Strip(stream, role, own)
            strip.seen(stream)
            if stream.muted and self._faders.server is not None:
                self._faders.server.unmute_stream(stream.number)
            if not own:
                ended += self._claim_for(strip)
        return ended if self.focus.claims() != before else None

    def _claim_for(self, strip: Strip) -> list[Claim]:
        """Let a foreign stream hold its role while it sounds."""
        ended: list[Claim] = []
        if strip.sounds and not strip.claimed:
            # Refused, it stays silent, and asks again when something changes.
            with suppress(SmartCockpitError):
                strip.claimed, ended = self.focus.request(strip.role, strip.owner)
        elif not strip.sounds and strip.claimed:
            self.focus.forget(strip.owner)
            strip.claimed = 0
        gone = {claim.token for claim in ended}
        for other in self._faders.strips.values():
            if other.claimed in gone:
                other.claimed = 0
        return ended

    def _drop(self, index: int) -> None:
        strip = self._faders.strips.pop(index)
        self.focus.forget(strip.owner)

    def _set_devices(self) -> None:
        server = self._faders.server
        if server is None:
            return
        for device in self.devices:
            sides = side_gains(device.channels, self.settings.balance, self.settings.fade)
            values = tuple(round(NORMAL * gain ** (1 / 3)) for gain in sides)
            near = all(abs(a - b) <= 2 for a, b in zip(values, device.volumes, strict=False))
            if device.muted or not near or len(values) != len(device.volumes):
                server.set_device_volume(device.number, values)
        wanted = self._wanted_device
        if wanted and not self.default_device.startswith(wanted):
            name = next((d.name for d in self.devices if d.name.startswith(wanted)), None)
            if name is not None:
                server.set_default_device(name)

    # ---- gains -------------------------------------------------------------------------------------------

    def _again(self, ended: list[Claim]) -> None:
        """Something that decides gains has changed."""
        self._aim()
        self._on_change(ended)

    def _wants(self, role: Role) -> float:
        return role_gain_db(role, self.settings, self.verdicts()[role], self._boost_db)

    def _alone(self, role: Role) -> float:
        return shared_out({0: (role, self._wants(role))})[0]

    def _gains(self) -> dict[int, float]:
        """Return the gain of everything that sounds or is about to."""
        sounding = {i: s.role for i, s in self._faders.strips.items() if s.sounds}
        roles = {**sounding, **self._expected}
        return shared_out({key: (role, self._wants(role)) for key, role in roles.items()})

    def _aim(self) -> None:
        gains = self._gains()
        for number, strip in self._faders.strips.items():
            if number not in gains:
                gains[number] = self._alone(strip.role)  # silent now; this is how loud it would begin
        self._faders.aim(gains)
