# SPDX-License-Identifier: Apache-2.0
"""What the daemon plays itself: chimes by a voice that is always ready, prompts in a row per role.

A prompt claims its role, waits until the others have fallen, sounds, and lets go. A chime waits for nobody.
Order and gains are the desk's business.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from smartcockpit.adapters import chime_files
from smartcockpit.adapters.pulse_link import Command
from smartcockpit.adapters.pulse_server import PulseServer
from smartcockpit.adapters.pulse_tags import SampleSpec
from smartcockpit.adapters.pulse_voice import Voice
from smartcockpit.adapters.wav_file import Sound
from smartcockpit.core.chimes import CHIMES
from smartcockpit.core.errors import LimitError, SmartCockpitError, UnavailableError, UsageError
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.sound_roles import Role
from smartcockpit.daemons.audio.desk import Desk

log = logging.getLogger(__name__)
CHIME_SLACK_S = 2.0
WAITING = 8
"""Prompts of one role that may wait; chimes as well, but the same chime waits only once."""
Make = Callable[[], Awaitable[Sound]]


class Job:
    """One thing to be heard."""

    def __init__(self, number: int, role: Role, name: str, make: Make) -> None:
        self.number, self.role, self.name, self.make = number, role, name, make
        self.task: asyncio.Task[None] | None = None
        self.stopped = False


class Sounds:
    """Start `run` before anything else; `finished` is called with the id and the reason, "" for heard."""

    def __init__(self, desk: Desk, folders: list[Path], finished: Callable[[int, str], None]) -> None:
        self._desk, self._folders, self._finished = desk, folders, finished
        self._server: PulseServer | None = None
        self._ready: Voice | None = None
        self._making_ready = asyncio.Lock()
        self._voices: dict[int, Voice] = {}
        self._queues: dict[Role, asyncio.Queue[Job]] = {r: asyncio.Queue(WAITING) for r in Role}
        self._jobs: dict[int, Job] = {}
        self._chimes: dict[str, Sound] = {}
        self._last = 0

    async def run(self) -> None:
        """Play what comes, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for role in Role:
                group.create_task(self._line(role), name=f"sounds of {role}")

    # ---- requests ----------------------------------------------------------------------------------------

    def chime(self, name: str) -> int:
        """Play a chime now; raises `UsageError`, `UnavailableError`."""
        if name not in CHIMES:
            raise UsageError(
                f"there is no chime {name[:64]!r}", did_you_mean(name, CHIMES, ", ".join(CHIMES))
            )

        async def made() -> Sound:
            return self._chime(name)

        waiting = [job for job in self._jobs.values() if job.role is Role.WARNING and job.name == name]
        if len(waiting) > 1:
            return waiting[-1].number  # it sounds, and once more is on its way: that is warning enough
        return self._take(Role.WARNING, name, made)

    def prompt(self, role: Role, name: str, make: Make) -> int:
        """Play what `make` gives in its turn; raises `UsageError`, `LimitError`, `UnavailableError`."""
        if role is Role.WARNING:
            raise UsageError("a warning is one of the chimes", "PlayChime")
        return self._take(role, name, make)

    def stop(self, number: int) -> None:
        """Cut it off."""
        job = self._jobs.get(number)
        if job is not None:
            job.stopped = True
            if job.task is not None:
                job.task.cancel()

    def _take(self, role: Role, name: str, make: Make) -> int:
        if self._server is None:
            raise UnavailableError("there is no sound server", "cockpitctl audio says why")
        self._last += 1
        job = Job(self._last, role, name, make)
        try:
            self._queues[role].put_nowait(job)
        except asyncio.QueueFull:
            raise LimitError(f"{WAITING} sounds of {role} wait already", "try again later") from None
        self._jobs[job.number] = job
        return job.number

    # ---- the sound server --------------------------------------------------------------------------------

    async def attach(self, server: PulseServer) -> None:
        """Make the ready voice on `server`; raises `UnavailableError` while no device plays it."""
        self._server = server
        for name in CHIMES:
            self._chime(name)
            await asyncio.sleep(0)
        await self._ready_voice()

    def detach(self) -> None:
        """Forget the server; what was playing has ended with it."""
        self._server = self._ready = None
        for voice in self._voices.values():
            voice.killed()
        self._voices.clear()

    def stream_news(self, command: Command, values: list[object]) -> None:
        """Take what the server says of our streams."""
        voice = self._voices.get(values[0]) if values and isinstance(values[0], int) else None
        if voice is None:
            return
        if command is Command.REQUEST and isinstance(values[1], int):
            voice.wanted(values[1])
        elif command is Command.PLAYBACK_STREAM_KILLED:
            voice.killed()
            self._forget(voice)

    @property
    def ready(self) -> bool:
        """True while a chime would be heard at once."""
        return self._ready is not None and not self._ready.lost

    # ---- playing -----------------------------------------------------------------------------------------

    def _chime(self, name: str) -> Sound:
        if name not in self._chimes:
            self._chimes[name] = chime_files.load(name, self._folders)
        return self._chimes[name]

    async def _line(self, role: Role) -> None:
        queue = self._queues[role]
        while True:
            job = await queue.get()
            reason = "stopped"
            if not job.stopped:
                job.task = asyncio.create_task(self._play(job), name=f"sound {job.number}")
                try:
                    await asyncio.wait([job.task])
                finally:
                    job.task.cancel()
                if not job.task.cancelled():
                    error = job.task.exception()
                    if error is not None and not isinstance(error, SmartCockpitError):
                        raise error
                    reason = str(error or "")
                    if reason:
                        log.warning("%s: %s", job.name, reason)
            self._jobs.pop(job.number, None)
            self._finished(job.number, reason)

    async def _play(self, job: Job) -> None:
        owner = f"sound {job.number} ({job.name})"
        sound = await job.make()
        token = self._desk.claim(job.role, owner)
        try:
            if job.role is Role.WARNING:
                await self._play_chime(sound)
            else:
                self._desk.expect(-job.number, job.role)
                await self._play_prompt(job, sound)
        finally:
            self._desk.withdraw(-job.number)
            self._desk.release(token, owner)

    async def _play_chime(self, sound: Sound) -> None:
        voice = self._ready if self._ready is not None and not self._ready.lost else await self._ready_voice()
        try:
            await voice.play(sound.samples, CHIME_SLACK_S)
        except UnavailableError as error:
            # A warning is worth a second try, by a voice of its own; heard twice is better than not at all.
            log.warning("a chime was not heard (%s), once more", error.message)
            voice.close()
            self._forget(voice)
            await (await self._ready_voice()).play(sound.samples)

    async def _ready_voice(self) -> Voice:
        """Return the voice for chimes; makes it when there is none."""
        async with self._making_ready:
            if self._ready is None or self._ready.lost:
                self._ready = await self._open(chime_files.SPEC, Role.WARNING, "chimes")
            return self._ready

    async def _play_prompt(self, job: Job, sound: Sound) -> None:
        opening = asyncio.create_task(self._open(sound.spec, job.role, job.name))
        try:
            await self._desk.settled()
            voice = await opening
        finally:
            opening.cancel()
        try:
            if self._server is not None:
                await self._desk.refresh(self._server)
            self._desk.withdraw(-job.number)
            await voice.play(sound.samples)
        finally:
            voice.close()
            self._forget(voice)

    async def _open(self, spec: SampleSpec, role: Role, name: str) -> Voice:
        server = self._server
        if server is None:
            raise UnavailableError("there is no sound server", "cockpitctl audio says why")
        volume = self._desk.voice_volume(role)
        voice = await Voice.open(server.link, spec, name=name, role=role.value, volume=volume)
        self._voices[voice.channel] = voice
        self._desk.adopt(voice.index, role)
        return voice

    def _forget(self, voice: Voice) -> None:
        if self._voices.get(voice.channel) is voice:
            del self._voices[voice.channel]
        self._desk.disown(voice.index)
        if voice is self._ready:
            self._ready = None
