# SPDX-License-Identifier: Apache-2.0
"""The box's sound as a person in the car has it: turned by cockpitctl, heard in what the emulated card has played.

The recording grows while the card plays; its time is the card's, not ours.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest
from smartcockpit_bench.qemu.box import Box
from support.levels import Recording

MUSIC_HZ, PROMPT_HZ, CHIME_HZ = 440, 1700, 880
FOLDER = "/run/box-sound"
PATIENCE_S = 60.0
MAKE = f"""
import math, os, wave
os.makedirs("{FOLDER}", exist_ok=True)
for name, hertz, seconds in (("music", {MUSIC_HZ}, 240), ("prompt", {PROMPT_HZ}, 3)):
    second = b"".join(round(32000 * math.sin(2 * math.pi * hertz * i / 48000)).to_bytes(2, "little", signed=True)
                      for i in range(48000))
    with wave.open(f"{FOLDER}/{{name}}.wav", "wb") as file:
        file.setparams((1, 2, 48000, 0, "NONE", "NONE"))
        file.writeframes(second * seconds)
"""


def make_ready(box: Box) -> None:
    """Wait for sound server and player, make tones to play in the box, and set all volumes to full."""
    box.agent.run("python3", "-c", MAKE, timeout_s=60)
    until(lambda: shown(box)["server"]["state"] == "ready", "the sound server", box)
    until(lambda: shown(box)["player"]["present"], "the player", box)
    for role in ("master", "music", "navigation", "phone", "warning"):
        audio(box, "volume", role, "100")


def audio(box: Box, *words: str) -> str:
    return str(box.agent.run("cockpitctl", "audio", *words, timeout_s=60).out)


def shown(box: Box) -> dict[str, dict[str, object]]:
    said = box.agent.run("cockpitctl", "audio", "--json", timeout_s=30, check=False).out
    return json.loads(said) if said else {"server": {"state": ""}, "player": {"present": False}}


def until(holds: Callable[[], object], what: str, box: Box) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > end_s:
            state = box.agent.sh("cockpitctl audio; cat /proc/asound/card0/pcm0p/sub0/status")
            log = box.agent.sh("journalctl -b --no-pager -u 'smartcockpit-*' | tail -20")
            pytest.fail(f"{what} never came: {Recording.of_wav(box.sound)}\n{state}\n{log}")
        time.sleep(0.3)


def last(box: Box, length_s: float) -> Recording:
    return Recording.of_wav(box.sound).last(length_s)


def play_music(box: Box) -> None:
    audio(box, "play", f"{FOLDER}/music.wav")
    until(lambda: last(box, 1.0).tone_db(MUSIC_HZ) > -9, "a second of music", box)


def since(box: Box, start_s: float) -> Recording:
    recording = Recording.of_wav(box.sound)
    return recording.between(start_s, recording.length_s)


def present(levels: list[float], above_db: float = -25) -> tuple[int, int]:
    """Return the first and last window in which a tone is there."""
    there = [n for n, db in enumerate(levels) if db > above_db]
    assert there, f"it never came: {[round(db) for db in levels]}"
    return there[0], there[-1]


def around_a_prompt(box: Box) -> tuple[float, float, float, int]:
    """Play a prompt over the music that plays; return the music's level in dB before, under and a second after
    it, and the highest sample.

    Each is the loudest of some windows: an emulated machine short of time drops one now and then.
    """
    start_s = max(0.0, Recording.of_wav(box.sound).length_s - 1.0)
    audio(box, "prompt", f"{FOLDER}/prompt.wav", "--wait")
    after_s = Recording.of_wav(box.sound).length_s
    # What the player hands over is heard up to a second later.
    until(lambda: Recording.of_wav(box.sound).length_s > after_s + 3.5, "the time after the prompt", box)
    heard = since(box, start_s)
    music = heard.tones(MUSIC_HZ, 0.1)
    first, end = present(heard.tones(PROMPT_HZ, 0.1))
    return max(music[:first]), max(music[first + 3 : end - 2]), max(music[end + 11 : end + 16]), heard.peak
