# SPDX-License-Identifier: Apache-2.0
"""Sound of the box, measured in what its emulated card has played: levels, tones, clipping."""

from __future__ import annotations

import json
import subprocess
import wave
from array import array
from collections.abc import Iterator
from math import pi, sin
from pathlib import Path

import pytest
from smartcockpit_bench.qemu.box import Box
from support.box_sound import (
    CHIME_HZ,
    FOLDER,
    MUSIC_HZ,
    PROMPT_HZ,
    around_a_prompt,
    audio,
    last,
    make_ready,
    play_music,
    present,
    shown,
    since,
    until,
)
from support.levels import Recording


@pytest.fixture(scope="module")
def sound(box: Box) -> Iterator[Box]:
    """The box with a sound server that is ready, tones to play, and all volumes at full."""
    make_ready(box)
    yield box
    box.agent.run("cockpitctl", "audio", "pause", check=False)


def test_music_falls_by_12_db_under_a_prompt_and_is_back_a_second_later(sound: Box) -> None:
    play_music(sound)
    before, under, after, peak = around_a_prompt(sound)
    assert under < before - 12, (before, under)
    assert abs(after - before) < 1, (before, after)
    assert peak < 32_700, "it clips"


def test_a_call_silences_music_and_its_end_brings_it_back(sound: Box) -> None:
    play_music(sound)
    start_s = Recording.of_wav(sound.sound).length_s
    audio(sound, "prompt", f"{FOLDER}/prompt.wav", "--role", "phone", "--wait")
    until(lambda: last(sound, 0.5).tone_db(MUSIC_HZ) > -12, "music after the call", sound)
    heard = since(sound, start_s)
    first, end = present(heard.tones(PROMPT_HZ, 0.1))
    assert max(heard.tones(MUSIC_HZ, 0.1)[first + 4 : end - 1]) < -50
    assert heard.peak < 32_700, "it clips"


def test_a_chime_is_heard_beside_music_and_when_the_player_has_been_killed(sound: Box) -> None:
    play_music(sound)
    start_s = Recording.of_wav(sound.sound).length_s
    audio(sound, "chime", "belt", "--wait")
    sound.agent.run("systemctl", "kill", "--signal=KILL", "smartcockpit-player.service")
    until(lambda: last(sound, 0.3).tone_db(MUSIC_HZ) < -50, "silence of the dead player", sound)
    silent_s = Recording.of_wav(sound.sound).length_s
    audio(sound, "chime", "belt", "--wait")
    until(lambda: since(sound, silent_s).length_s > 0.6, "the chime in the recording", sound)
    assert max(since(sound, start_s).between(0, silent_s - start_s).tones(CHIME_HZ)) > -24
    assert max(since(sound, silent_s).tones(CHIME_HZ)) > -24
    assert since(sound, start_s).peak < 32_700, "it clips"
    until(lambda: shown(sound)["player"]["present"], "the player, started again", sound)


def test_speech_is_heard(sound: Box) -> None:
    start_s = Recording.of_wav(sound.sound).length_s
    audio(sound, "say", "In two hundred metres turn left", "--wait")
    until(
        lambda: sum(w.rms_db() > -45 for w in since(sound, start_s).windows(0.1)) > 5,
        "a second of speech",
        sound,
    )


def test_the_sound_server_is_no_way_out_of_its_sandbox(sound: Box) -> None:
    refused = sound.agent.run(
        "setpriv", "--reuid=nobody", "--clear-groups", "ls", "/run/smartcockpit-sound", check=False
    )
    assert "Permission denied" in refused.err
    listening = sound.agent.sh("ss -Hltun")
    assert "4713" not in listening, "the PulseAudio protocol over TCP"


def test_music_of_a_stick_appears_plays_and_goes_with_it(sound: Box, tmp_path: Path) -> None:
    stick = stick_with_music(tmp_path)
    monitor = sound.monitor
    monitor.execute(
        "blockdev-add", **{"driver": "file", "node-name": "stick", "filename": str(stick), "read-only": True}
    )
    monitor.execute("device_add", driver="usb-storage", id="stick", drive="stick")
    found = "cockpitctl audio find --json stick"
    until(lambda: json.loads(sound.agent.sh(found))["tracks"], "music of the stick", sound)
    (track,) = json.loads(sound.agent.sh(found))["tracks"]
    assert track["location"].startswith("file:///run/media/")
    options = sound.agent.sh("findmnt -no OPTIONS -R /run/media | head -1; grep /run/media/ /proc/mounts")
    assert all(word in options for word in ("ro", "nosuid", "nodev", "noexec"))
    audio(sound, "play", track["location"])
    until(lambda: last(sound, 0.5).tone_db(PROMPT_HZ) > -20, "music from the stick", sound)
    monitor.execute("device_del", id="stick")
    until(lambda: not json.loads(sound.agent.sh(found))["tracks"], "the stick's absence", sound)
    until(lambda: "/run/media/" not in sound.agent.sh("cat /proc/mounts"), "the end of the mount", sound)
    assert shown(sound)["player"]["present"]


def stick_with_music(folder: Path) -> Path:
    """Make a stick of 8 MB with a FAT file system and one song."""
    song = folder / "song of the stick.wav"
    second = array(
        "h", (round(20_000 * sin(2 * pi * PROMPT_HZ * i / 48_000)) for i in range(48_000))
    ).tobytes()
    with wave.open(str(song), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", "NONE"))
        file.writeframes(second * 30)
    stick = folder / "stick.img"
    with stick.open("wb") as image:
        image.truncate(8 << 20)
    subprocess.run(["mkfs.vfat", str(stick)], check=True, capture_output=True)
    subprocess.run(["mcopy", "-i", str(stick), str(song), "::"], check=True)
    return stick
