# SPDX-License-Identifier: Apache-2.0
"""The real audio daemon between a private message bus and a real sound server; what is heard is measured."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from smartcockpit.adapters.pulse_tags import S16LE, SampleSpec
from smartcockpit.adapters.wav_file import Sound, write_wav
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.publisher import SignalPublisher
from smartcockpit.bus.signal_service import SignalService
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.signals import Datatype, SignalSpec
from smartcockpit.core.sound_roles import Role
from smartcockpit.core.sound_settings import DEFAULTS, parse
from support.audio import (
    CHIME_HZ,
    MUSIC_HZ,
    NAME,
    PATH,
    PROMPT_HZ,
    Audio,
    Daemon,
    level,
    named,
    recorded,
    tone,
)
from support.dbus_client import RawClient
from support.dbus_daemon import PrivateBus
from support.levels import Recording
from support.sound_server import RATE_HZ, SoundServer


@pytest.fixture(scope="module")
def sound() -> Iterator[SoundServer]:
    with tempfile.TemporaryDirectory(prefix="sc-") as name, SoundServer(Path(name)) as server:
        server.add_card()
        yield server


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sc-") as name:
        yield Path(name)


@pytest.fixture
def bus(folder: Path) -> Iterator[PrivateBus]:
    with PrivateBus(folder) as private:
        yield private


@pytest.fixture
def daemon(folder: Path, bus: PrivateBus, sound: SoundServer) -> Iterator[Daemon]:
    made = Daemon(folder, bus, sound)
    yield made
    made.close()


@pytest_asyncio.fixture
async def audio(daemon: Daemon, bus: PrivateBus) -> AsyncIterator[Audio]:
    """A running daemon that has found card and voice."""
    daemon.start()
    raw = await RawClient.connect(bus.address)
    await named(raw)
    found = Audio(raw)
    await raw.add_match(f"type='signal',interface='{NAME}'")
    await found.becomes("Server", lambda s: s["State"] == "ready")
    assert await found.heard(await found.call("PlayChime", "s", "park")) == ""
    yield found
    raw.close()


def wav(folder: Path, length_s: float = 1.0, name: str = "prompt.wav") -> str:
    path = folder / name
    path.write_bytes(write_wav(Sound(SampleSpec(S16LE, 1, RATE_HZ), tone(PROMPT_HZ, length_s))))
    return str(path)


def onset_s(recording: Recording, frequency_hz: float, from_s: float, above_db: float) -> float:
    """Return how long after `from_s` a tone is there, in steps of 5 ms."""
    for at in range(int((recording.length_s - from_s) / 0.005)):
        if (
            recording.between(from_s + at * 0.005, from_s + at * 0.005 + 0.05).tone_db(frequency_hz)
            > above_db
        ):
            return at * 0.005
    pytest.fail(f"{frequency_hz} Hz never came")


@asynccontextmanager
async def speedometer(address: str, speed_kmh: float) -> AsyncIterator[None]:
    """An owner of Vehicle.Speed, as the CAN bridge is one."""
    connection = BusConnection(address, "org.smartcockpit.Speedometer1")
    board = SignalBoard([SignalSpec("Vehicle.Speed", Datatype.FLOAT, "km/h")])
    publisher = SignalPublisher(connection, board)
    connection.export(SignalService(board))
    async with connection:
        publisher.publish([(0, speed_kmh, 3, time.time_ns() // 1000)])
        yield
    publisher.close()


# ---- what is heard -------------------------------------------------------------------------------------------


async def test_music_falls_under_a_prompt_comes_back_and_nothing_clips(
    audio: Audio, sound: SoundServer, folder: Path
) -> None:
    with sound.recording() as recorder, sound.playing(tone(MUSIC_HZ)):
        await level(recorder, MUSIC_HZ, lambda db: db > -9, "music")
        await recorded(recorder, 0.4)
        before = recorder.so_far().last(0.2).tone_db(MUSIC_HZ)
        number = await audio.call("PlayFile", "ss", "navigation", wav(folder))
        await level(recorder, PROMPT_HZ, lambda db: db > -12, "prompt")
        during = await level(recorder, MUSIC_HZ, lambda db: db < before - 12, "music under the prompt")
        assert during > before - 30, "it falls, it does not stop"
        assert await audio.heard(number) == ""
        ended_s = recorder.so_far().length_s
        await level(recorder, MUSIC_HZ, lambda db: abs(db - before) < 1, "music after the prompt")
        back_s = recorder.so_far().length_s - ended_s
        assert back_s < 1.0 + 0.5, "the recorder runs up to half a second behind"
    assert recorder.so_far().peak < 32_700


async def test_a_chime_starts_within_100_ms_beside_the_loudest_music_without_clipping(
    audio: Audio, sound: SoundServer
) -> None:
    with sound.recording() as recorder, sound.playing(tone(MUSIC_HZ)):
        await level(recorder, MUSIC_HZ, lambda db: db > -9, "music")
        await recorded(recorder, 0.3)
        asked_s = recorder.so_far().length_s
        number = await audio.call("PlayChime", "s", "belt")
        assert await audio.heard(number) == ""
        await recorded(recorder, 0.3)
        recording = recorder.so_far()
    assert onset_s(recording, CHIME_HZ, asked_s, -25) < 0.1
    assert max(w.tone_db(CHIME_HZ) for w in recording.between(asked_s, asked_s + 0.4).windows(0.05)) > -20
    assert recording.peak < 32_700


async def test_nothing_silences_a_warning(audio: Audio, sound: SoundServer) -> None:
    for role in ("warning", "master"):
        await audio.call("SetVolume", "sy", role, 0)
        await audio.call("SetMuted", "sb", role, True)
    sound.pactl("set-sink-mute", "car", "1")
    sound.pactl("set-sink-volume", "car", "0%")
    async with asyncio.timeout(5):
        while "Mute: yes" in sound.pactl("list", "sinks"):
            await asyncio.sleep(0.05)
    with sound.recording() as recorder:
        assert await audio.heard(await audio.call("PlayChime", "s", "belt")) == ""
        await level(recorder, CHIME_HZ, lambda db: db < -60, "silence after the chime")
        assert max(w.tone_db(CHIME_HZ) for w in recorder.so_far().windows(0.05)) > -34


async def test_a_call_silences_music_and_brings_it_back_when_the_caller_dies(
    audio: Audio, sound: SoundServer, bus: PrivateBus
) -> None:
    with sound.recording() as recorder, sound.playing(tone(MUSIC_HZ)):
        await level(recorder, MUSIC_HZ, lambda db: db > -9, "music")
        phone = await RawClient.connect(bus.address)
        reply = await phone.call(NAME, PATH, NAME, "RequestFocus", "s", "phone")
        assert reply.error_name is None
        assert (await audio.get("Focus"))[0] == [reply.body[0], "phone", phone.name]
        await level(recorder, MUSIC_HZ, lambda db: db < -70, "music during the call")
        phone.close()
        await level(recorder, MUSIC_HZ, lambda db: db > -9, "music after the call")
    assert all(role != "phone" for _, role, _ in await audio.get("Focus"))


async def test_a_foreign_phone_stream_counts_as_a_call(audio: Audio, sound: SoundServer) -> None:
    with sound.playing(tone(PROMPT_HZ), "media.role=phone") as call:
        await audio.becomes("Focus", lambda f: [role for _, role, _ in f] == ["phone"])
        assert (await audio.get("Roles"))["music"]["State"] == "paused"
        call.kill()
        await audio.becomes("Focus", lambda f: f == [])


async def test_mute_volume_and_balance_are_heard(audio: Audio, sound: SoundServer) -> None:
    with sound.recording() as recorder, sound.playing(tone(MUSIC_HZ)):
        await level(recorder, MUSIC_HZ, lambda db: db > -9, "music")
        await audio.call("SetVolume", "sy", "music", 50)
        await level(recorder, MUSIC_HZ, lambda db: abs(db - (-4 - 18 - 3)) < 1.5, "music at 50 %")
        await audio.call("SetBalance", "d", -1.0)
        await level(recorder, MUSIC_HZ, lambda db: db < -70, "music on the right", channel=1)
        await level(recorder, MUSIC_HZ, lambda db: db > -30, "music on the left")
        await audio.call("SetMuted", "sb", "music", True)
        await level(recorder, MUSIC_HZ, lambda db: db < -70, "muted music")
    await audio.call("SetBalance", "d", 0.0)


async def test_speech_is_heard_and_can_be_cut_off(audio: Audio, sound: SoundServer) -> None:
    with sound.recording() as recorder:
        number = await audio.call(
            "Speak", "ss", "navigation", "In two hundred metres turn left, $(reboot) \x01\n;"
        )
        async with asyncio.timeout(10):
            while recorder.so_far().last(0.2).rms_db() < -40:
                await asyncio.sleep(0.05)
        await audio.call("Stop", "t", number)
        assert await audio.heard(number) == "stopped"
        async with asyncio.timeout(5):
            while recorder.so_far().last(0.2).rms_db() > -70:
                await asyncio.sleep(0.05)


async def test_speed_makes_music_louder(audio: Audio, sound: SoundServer, bus: PrivateBus) -> None:
    await audio.call("SetVolume", "sy", "music", 60)
    with sound.recording() as recorder, sound.playing(tone(MUSIC_HZ)):
        slow = await level(recorder, MUSIC_HZ, lambda db: abs(db - (-4 - 13.3 - 3)) < 1, "music, standing")
        async with speedometer(bus.address, 130.0):
            await level(recorder, MUSIC_HZ, lambda db: abs(db - slow - 6) < 1, "music at 130 km/h")
        await level(recorder, MUSIC_HZ, lambda db: abs(db - slow) < 1, "music when the speed is lost")


# ---- what goes away and comes back -----------------------------------------------------------------------------


async def test_a_card_that_vanishes_is_a_state_and_its_return_brings_sound_back(
    audio: Audio, sound: SoundServer
) -> None:
    sound.remove_card()
    try:
        await audio.becomes("Server", lambda s: s["State"] == "no-device")
        assert await audio.get("Devices") == {}
    finally:
        sound.add_card()
    await audio.becomes("Server", lambda s: s["State"] == "ready")
    with sound.recording() as recorder:
        await audio.call("PlayChime", "s", "belt")
        await level(recorder, CHIME_HZ, lambda db: db > -25, "chime on the new card")


async def test_a_killed_sound_server_is_a_state_and_its_return_brings_sound_back(
    audio: Audio, sound: SoundServer
) -> None:
    sound.kill("pipewire-pulse")
    await audio.becomes("Server", lambda s: s["State"] == "unavailable")
    assert (await audio.error("PlayChime", "s", "belt")).startswith("Unavailable")
    sound.stop()
    sound.start()
    sound.add_card()
    await audio.becomes("Server", lambda s: s["State"] == "ready")
    with sound.recording() as recorder:
        await audio.call("PlayChime", "s", "belt")
        await level(recorder, CHIME_HZ, lambda db: db > -25, "chime on the new server")


async def test_volumes_survive_a_restart(daemon: Daemon, audio: Audio) -> None:
    await audio.call("SetVolume", "sy", "navigation", 33)
    await audio.call("SetMuted", "sb", "music", True)
    await audio.call("SetFade", "d", 0.5)
    code, err = daemon.stop()
    assert (code, "Traceback" in err) == (0, False), err
    saved = parse(daemon.state.read_text())
    assert (saved.roles[Role.NAVIGATION].percent, saved.roles[Role.MUSIC].muted, saved.fade) == (
        33,
        True,
        0.5,
    )
    daemon.start()
    await named(audio.raw)
    roles = await audio.get("Roles")
    assert (roles["navigation"]["Volume"], roles["music"]["Muted"], await audio.get("Fade")) == (
        33,
        True,
        0.5,
    )


async def test_they_are_written_when_the_knob_rests_so_that_a_power_cut_keeps_them(
    daemon: Daemon, audio: Audio
) -> None:
    for percent in (10, 20, 44):
        await audio.call("SetVolume", "sy", "music", percent)
    async with asyncio.timeout(10):
        while parse(daemon.state.read_text()).roles[Role.MUSIC].percent != 44:
            await asyncio.sleep(0.05)
    daemon.stop(signal.SIGKILL)
    assert [p.name for p in daemon.state.parent.iterdir()] == ["volumes.json"]


@pytest.mark.parametrize("content", [b"\xff" * 100, b'{"format": 1}'])
async def test_broken_memory_means_defaults(daemon: Daemon, bus: PrivateBus, content: bytes) -> None:
    daemon.state.write_bytes(content)
    daemon.start()
    raw = await RawClient.connect(bus.address)
    await named(raw)
    roles = await Audio(raw).get("Roles")
    assert {name: role["Volume"] for name, role in roles.items()} == {
        role.value: volume.percent for role, volume in DEFAULTS.roles.items()
    }
    raw.close()
    _, err = daemon.stop()
    assert "volumes start from their defaults" in err
    assert "Traceback" not in err


# ---- callers and their mistakes ---------------------------------------------------------------------------------


MISTAKES = [
    ("SetVolume", "sy", ("musik", 5), "Usage: there is no role 'musik'. Hint: did you mean 'music'"),
    ("SetVolume", "sy", ("music", 101), "Usage: 101 is no volume"),
    ("SetVolume", "sd", ("music", 5.0), "InvalidArgs: SetVolume takes"),
    ("SetBalance", "d", (float("nan"),), "Usage: nan is no balance"),
    ("PlayChime", "s", ("bell",), "Usage: there is no chime 'bell'"),
    ("PlayFile", "ss", ("navigation", "/nonexistent"), "Usage: cannot open '/nonexistent'"),
    ("PlayFile", "ss", ("navigation", "/etc/passwd"), "no WAV file"),
    ("PlayFile", "ss", ("navigation", "/dev/zero"), "no regular file"),
    ("PlayFile", "ss", ("warning", "/nonexistent"), "Usage"),
    ("Speak", "ss", ("navigation", "x" * 501), "Limit: a text of 501 characters"),
    ("Speak", "ss", ("navigation", "\x01 \u200b …"), "Usage: there is nothing to say"),
    ("RequestFocus", "s", ("warning",), "Usage: the role warning cannot be claimed"),
    ("ReleaseFocus", "t", (1,), "Usage: you hold no claim 1"),
    ("OpenMusic", "asb", (["relative/path"], True), "Usage: cannot play 'relative/path'"),
    ("OpenMusic", "asb", (["ftp://x/y"], True), "Usage: cannot play"),
    ("OpenMusic", "asb", (["/tmp/x.mp3"], True), "Unavailable: the player is not there"),
    ("FindMusic", "su", ("x", 5), "Unavailable: the player is not there"),
]


async def test_a_mistake_is_answered_with_its_name_and_a_hint(audio: Audio) -> None:
    for member, signature, args, words in MISTAKES:
        assert words in await audio.error(member, signature, *args), member


async def test_a_claim_is_its_callers_alone_and_a_call_ends_the_assistant(
    audio: Audio, bus: PrivateBus
) -> None:
    token = await audio.call("RequestFocus", "s", "assistant")
    other = Audio(await RawClient.connect(bus.address))
    assert "you hold no claim" in await other.error("ReleaseFocus", "t", token)
    await other.call("RequestFocus", "s", "phone")
    assert (await audio.raw.signal("FocusLost")).body == [token]
    assert "must be silent" in await audio.error("RequestFocus", "s", "assistant")
    other.raw.close()
    await audio.becomes("Focus", lambda f: f == [])


async def test_prompts_of_a_role_wait_for_each_other_and_not_without_bound(
    audio: Audio, folder: Path
) -> None:
    path = wav(folder, 0.2)
    first = await audio.call("PlayFile", "ss", "navigation", path)
    second = await audio.call("PlayFile", "ss", "navigation", path)
    assert [await audio.heard(first), await audio.heard(second)] == ["", ""]
    errors = [await audio.raw.call(NAME, PATH, NAME, "PlayFile", "ss", "navigation", path) for _ in range(12)]
    assert "org.smartcockpit.Error.Limit" in {reply.error_name for reply in errors}


async def test_infotainment_signals_follow_the_volumes_and_can_set_them(audio: Audio) -> None:
    media = "Vehicle.Cabin.Infotainment.Media.Volume"
    mute = "Vehicle.Cabin.Infotainment.Navigation.Mute"
    signals = ("/org/smartcockpit/Signals1", "org.smartcockpit.Signals1")

    async def reading(path: str) -> tuple[Any, int]:
        reply = await audio.raw.call(NAME, *signals, "Get", "as", [path])
        return reply.body[0][0][1].value, reply.body[0][0][2]

    from dbus_next import Variant

    await audio.call("SetVolume", "sy", "music", 12)
    assert await reading(media) == (12, 3)
    wanted = {
        media: Variant("y", 34),
        mute: Variant("s", "MUTED"),
        media.replace("Volume", "Action"): Variant("s", "PLAY"),
    }
    reply = await audio.raw.call(NAME, *signals, "Set", "a{sv}", wanted)
    assert {path.rpartition(".")[2]: bool(why) for path, why in reply.body[0].items()} == {
        "Volume": False, "Mute": False, "Action": True
    }  # fmt: skip
    assert await reading(media) == (34, 3)
    assert await reading(mute) == ("MUTED", 3)
    assert (await audio.get("Roles"))["navigation"]["Muted"]
    assert (await reading(media.replace("Volume", "Action")))[1] == 0, "unavailable without a player"


async def test_term_ends_it_in_under_two_seconds_even_while_it_speaks(daemon: Daemon, audio: Audio) -> None:
    await audio.call("Speak", "ss", "navigation", "one two three four five six seven eight nine ten " * 5)
    before = time.monotonic()
    code, err = daemon.stop()
    assert time.monotonic() - before < 2
    assert (code, "Traceback" in err) == (0, False), err


async def test_it_comes_up_without_a_sound_server(daemon: Daemon, bus: PrivateBus) -> None:
    text = (daemon.folder / "audio.toml").read_text()
    (daemon.folder / "audio.toml").write_text(text.replace("pulse/native", "nowhere"))
    daemon.start()
    raw = await RawClient.connect(bus.address)
    await named(raw)
    server = await Audio(raw).becomes("Server", lambda s: "no sound server at" in s["Reason"])
    assert server["State"] == "unavailable"
    raw.close()
    assert daemon.stop()[0] == 0


# ---- cockpitctl ------------------------------------------------------------------------------------------------


async def cockpitctl(bus: PrivateBus, *arguments: str) -> tuple[int, str, str]:
    program = [sys.executable, "-m", "smartcockpit.cli", "audio", *arguments]
    process = await asyncio.create_subprocess_exec(
        *program, env=bus.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 20)
    return process.returncode or 0, out.decode(), err.decode()


async def test_cockpitctl_shows_and_turns_sound(audio: Audio, bus: PrivateBus, folder: Path) -> None:
    assert await cockpitctl(bus, "volume", "phone", "35") == (0, "", "")
    assert (await cockpitctl(bus, "mute", "music"))[0] == 0
    assert (await cockpitctl(bus, "balance", "-0.5"))[0] == 0
    code, out, _ = await cockpitctl(bus, "--json")
    shown = json.loads(out)
    assert code == 0
    roles = {row["role"]: row for row in shown["roles"]}
    assert (roles["phone"]["volume"], roles["music"]["muted"], shown["balance"]) == (35, True, -0.5)
    assert (shown["server"]["state"], shown["player"]["present"]) == ("ready", False)
    _, table, _ = await cockpitctl(bus)
    assert "phone" in table
    assert "no player" in table
    assert await cockpitctl(bus, "chime", "belt", "--wait") == (0, "", "")
    assert await cockpitctl(bus, "prompt", wav(folder, 0.1), "--wait") == (0, "", "")
    code, _, err = await cockpitctl(bus, "chime", "bell")
    assert code == 2
    assert "did you mean 'belt'" in err
    assert (await cockpitctl(bus, "volume", "music", "101"))[0] == 2
    assert (await cockpitctl(bus, "play"))[0] == 69
