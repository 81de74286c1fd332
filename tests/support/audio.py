# SPDX-License-Identifier: Apache-2.0
"""The audio daemon as a process of one's own, a client that shares no code with it, and an ear."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from array import array
from collections.abc import Callable
from math import pi, sin
from pathlib import Path
from typing import Any

import pytest
from smartcockpit.core.sound_roles import Role
from smartcockpit.core.sound_settings import SoundSettings, Volume, dump
from support.dbus_client import RawClient
from support.dbus_daemon import PrivateBus
from support.sound_server import RATE_HZ, Recorder, SoundServer

NAME = "org.smartcockpit.Audio1"
PATH = "/org/smartcockpit/Audio1"
DBUS = "org.freedesktop.DBus"
MUSIC_HZ, PROMPT_HZ, CHIME_HZ = 440, 1700, 880
"""The chime `belt` sounds at 880 Hz."""
LOUD = SoundSettings(dict.fromkeys(Role, Volume(100)), Volume(100))


def tone(frequency_hz: float, length_s: float = 1.0, level: float = 0.99) -> bytes:
    step = 2 * pi * frequency_hz / RATE_HZ
    return array(
        "h", (round(32767 * level * sin(step * i)) for i in range(int(length_s * RATE_HZ)))
    ).tobytes()


class Daemon:
    """A smartcockpit-audio process of one's own."""

    def __init__(self, folder: Path, bus: PrivateBus, sound: SoundServer, config: str = "") -> None:
        self.folder, self.bus = folder, bus
        text = f'server = "{sound.socket}"\nplayer = "{folder}/player"\nstart_cap = 100\n{config}'
        (folder / "audio.toml").write_text(text)
        self.state = folder / "state/volumes.json"
        self.state.parent.mkdir(exist_ok=True)
        self.state.write_text(dump(LOUD))
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "smartcockpit.daemons.audio"],
            env=self.bus.environment
            | {
                "SMARTCOCKPIT_CONFIG_PATH": str(self.folder),
                "RUNTIME_DIRECTORY": str(self.folder / "run"),
                "STATE_DIRECTORY": str(self.folder / "state"),
            },
            stderr=subprocess.PIPE,
            text=True,
        )

    def stop(self, how: int = signal.SIGTERM) -> tuple[int, str]:
        assert self.process is not None
        self.process.send_signal(how)
        _, err = self.process.communicate(timeout=5)
        return self.process.returncode, err

    def close(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class Audio:
    """A client of the daemon that shares no code with it."""

    def __init__(self, raw: RawClient) -> None:
        self.raw = raw

    async def call(self, member: str, signature: str = "", *args: Any) -> Any:
        reply = await self.raw.call(NAME, PATH, NAME, member, signature, *args)
        assert reply.error_name is None, reply.body
        return reply.body[0] if reply.body else None

    async def error(self, member: str, signature: str = "", *args: Any) -> str:
        reply = await self.raw.call(NAME, PATH, NAME, member, signature, *args)
        assert reply.error_name, f"{member} was carried out"
        return f"{reply.error_name.rpartition('.')[2]}: {reply.body[0]}"

    async def get(self, name: str) -> Any:
        reply = await self.raw.call(NAME, PATH, f"{DBUS}.Properties", "Get", "ss", NAME, name)
        assert reply.error_name is None, reply.body
        return plain(reply.body[0])

    async def becomes(self, name: str, holds: Callable[[Any], bool], patience_s: float = 10) -> Any:
        value: Any = None
        try:
            async with asyncio.timeout(patience_s):
                while not holds(value := await self.get(name)):
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"{name} stays {value}")
        return value

    async def heard(self, number: int) -> str:
        """Wait until a sound has ended; return the reason."""
        while (message := await self.raw.signal("Finished")).body[0] != number:
            pass
        return str(message.body[1])


def plain(value: Any) -> Any:
    value = getattr(value, "value", value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


async def named(client: RawClient) -> None:
    async with asyncio.timeout(10):
        while not (await client.call(DBUS, "/org/freedesktop/DBus", DBUS, "NameHasOwner", "s", NAME)).body[0]:
            await asyncio.sleep(0.02)


async def recorded(recorder: Recorder, more_s: float) -> None:
    """Wait until so much more has been recorded."""
    end_s = recorder.so_far().length_s + more_s
    async with asyncio.timeout(20):
        while recorder.so_far().length_s < end_s:
            await asyncio.sleep(0.05)


async def level(
    recorder: Recorder, frequency_hz: float, holds: Callable[[float], bool], what: str, channel: int = 0
) -> float:
    """Wait until the level of a tone, over the last 100 ms, is as it should."""
    found = 0.0
    try:
        async with asyncio.timeout(8):
            while not holds(found := recorder.so_far(channel).last(0.1).tone_db(frequency_hz)):
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"{what}: {frequency_hz} Hz stays at {found:.1f} dB")
    return found
