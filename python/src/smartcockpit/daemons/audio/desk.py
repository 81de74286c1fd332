# SPDX-License-Identifier: Apache-2.0
"""The mixing desk: keeps the gain of every stream where focus and settings want it.

Owns the claims, the settings in force and one strip per stream. Reads the sound server's streams and devices
when it says that they changed, and glides gains in steps of 20 ms: what falls, falls before anything rises,
so that full scale is never exceeded on the way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from smartcockpit.adapters.pulse_server import CLIENT, Device, PulseServer, Stream
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.core.focus import Claim, Focus, Verdict
from smartcockpit.core.loudness import NORMAL, db_to_pulse, linear_to_db
from smartcockpit.core.mixing import role_gain_db, shared_out, side_gains
from smartcockpit.core.ramp import STEP_S, Ramp
from smartcockpit.core.sound_roles import Role, role_of_stream
from smartcockpit.core.sound_settings import SoundSettings

Tell = Callable[[list[Claim]], None]
PROMPT_PATIENCE_S = 0.5
"""A prompt waits for the rest to fall, but not for ever."""


class Strip:
    """One stream on the desk."""

    __slots__ = ("claimed", "own", "owner", "ramp", "role", "sent", "stream")

    def __init__(self, stream: Stream, role: Role, own: bool) -> None:
        self.stream, self.role, self.own = stream, role, own
        self.owner = f"stream {stream.number} ({stream.application or stream.name})"
        loudest = max(stream.volumes, default=0)
        self.ramp = Ramp(3 * linear_to_db(loudest / NORMAL))  # the server's volume is cubic
        self.sent = -1
        self.claimed = 0

    @property
    def sounds(self) -> bool:
        """True when it is or may any moment be heard; our own voices count all the time."""
        return self.own or not self.stream.corked


class Desk:
    """`on_change` is called, with the claims that ended by it, when a property may have another value."""

    def __init__(self, settings: SoundSettings, on_change: Tell, device: str = "") -> None:
        self.settings = settings
        self.focus = Focus()
        self.devices: list[Device] = []
        self.default_device = ""
        self._on_change, self._wanted_device = on_change, device
        self._boost_db = 0.0
        self._strips: dict[int, Strip] = {}
        self._own: dict[int, Role] = {}
        self._expected: dict[int, Role] = {}
        self._server: PulseServer | None = None
        self._gliding: asyncio.Task[None] | None = None

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
        try:
            async with asyncio.timeout(PROMPT_PATIENCE_S):
                while any(s.ramp.target_db < s.ramp.gain_db for s in self._strips.values()):  # noqa: ASYNC110
                    await asyncio.sleep(STEP_S)
        except TimeoutError:
            return

    # ---- the sound server --------------------------------------------------------------------------------

    async def refresh(self, server: PulseServer) -> None:
        """Read devices and streams of `server` and bring everything into line.

        Raises `UnavailableError` when it is lost.
        """
        self._server = server
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
        self._server = None
        self.devices, self.default_device = [], ""
        for index in list(self._strips):
            self._drop(index)
        self._own.clear()
        self._stop_gliding()
        self._again([])

    def close(self) -> None:
        """Stop gliding."""
        self._stop_gliding()

    def _take(self, streams: list[Stream]) -> list[Claim] | None:
        """Take over the list of streams; return the claims that ended by it, None when none has changed."""
        before = self.focus.claims()
        present = {stream.number for stream in streams}
        for index in self._strips.keys() - present:
            self._drop(index)
        ended: list[Claim] = []
        for stream in streams:
            own = stream.number in self._own
            if stream.application == CLIENT and not own:
                continue  # ours in the making: it has the right volume from the start
            strip = self._strips.get(stream.number)
            if strip is None or strip.own is not own:
                role = self._own.get(stream.number) or role_of_stream(stream.role)
                strip = self._strips[stream.number] = Strip(stream, role, own)
            strip.stream = stream
            if not strip.ramp.moving and any(abs(v - strip.sent) > NORMAL // 100 for v in stream.volumes):
                strip.sent = -1  # somebody else has turned it
            if stream.muted and self._server is not None:
                self._server.unmute_stream(stream.number)
            if not own:
                ended += self._claim_for(strip)
        return ended if self.focus.claims() != before else None

    def _claim_for(self, strip: Strip) -> list[Claim]:
        """Let a foreign stream hold its role while it sounds."""
        ended: list[Claim] = []
        if strip.sounds and not strip.claimed:
            with suppress(
                SmartCockpitError
            ):  # refused: it stays silent, and asks again when something changes
                strip.claimed, ended = self.focus.request(strip.role, strip.owner)
        elif not strip.sounds and strip.claimed:
            self.focus.forget(strip.owner)
            strip.claimed = 0
        gone = {claim.token for claim in ended}
        for other in self._strips.values():
            if other.claimed in gone:
                other.claimed = 0
        return ended

    def _drop(self, index: int) -> None:
        strip = self._strips.pop(index)
        self.focus.forget(strip.owner)

    def _set_devices(self) -> None:
        server = self._server
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
        sounding = {i: s.role for i, s in self._strips.items() if s.sounds}
        roles = {**sounding, **self._expected}
        return shared_out({key: (role, self._wants(role)) for key, role in roles.items()})

    def _aim(self) -> None:
        gains = self._gains()
        for index, strip in self._strips.items():
            target = gains.get(index)
            strip.ramp.aim(self._alone(strip.role) if target is None else target)
            if strip.stream.corked:
                strip.ramp.gain_db = strip.ramp.target_db  # nobody hears it leap
            self._send(strip)
        moving = any(s.ramp.moving for s in self._strips.values())
        if moving and (self._gliding is None or self._gliding.done()):
            self._gliding = asyncio.get_running_loop().create_task(self._glide(), name="glide")

    def _send(self, strip: Strip) -> None:
        value = db_to_pulse(strip.ramp.gain_db)
        stands = all(abs(v - value) <= 2 for v in strip.stream.volumes)
        if self._server is not None and value != strip.sent and not (strip.sent < 0 and stands):
            self._server.set_stream_volume(strip.stream.number, [value] * strip.stream.channels)
        strip.sent = value

    async def _glide(self) -> None:
        while True:
            strips = [strip for strip in self._strips.values() if strip.ramp.moving]
            if not strips:
                return
            falling = [strip for strip in strips if strip.ramp.target_db < strip.ramp.gain_db]
            for strip in falling or strips:
                strip.ramp.step()
                self._send(strip)
            await asyncio.sleep(STEP_S)

    def _stop_gliding(self) -> None:
        if self._gliding is not None:
            self._gliding.cancel()
            self._gliding = None
