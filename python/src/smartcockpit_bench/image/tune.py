# SPDX-License-Identifier: Apache-2.0
"""The tune that the demo car plays: made of sines, for the box alone. Sixteen bars over four chords."""

from __future__ import annotations

import wave
from array import array
from math import exp, pi, sin
from pathlib import Path

RATE_HZ = 22_050
BEAT_S = 0.4
CHORDS = ((57, 60, 64, 67), (53, 57, 60, 64), (48, 52, 55, 60), (55, 59, 62, 67))
"""A minor 7, F major 7, C, G, as MIDI notes."""
PATTERN = (0, 2, 1, 3, 2, 1, 3, 2)
ROUNDS = 4
AGAIN = 200
"""Entries of the playlist: almost three hours."""


def write(folder: Path) -> None:
    """Write tune.wav, and tune.m3u which plays it again and again."""
    with wave.open(str(folder / "tune.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples())
    (folder / "tune.m3u").write_text("#EXTM3U\n" + "tune.wav\n" * AGAIN)


def samples() -> bytes:
    """Return the tune, signed 16 bit."""
    out = array("h")
    for _ in range(ROUNDS):
        for chord in CHORDS:
            for step, voice in enumerate(PATTERN):
                out.extend(_note(chord[voice] + 12 * (step % 2), chord[0] - 12))
    return out.tobytes()


def _note(melody: int, bass: int) -> array[int]:
    count = int(BEAT_S * RATE_HZ)
    high, low = (2 * pi * 440 * 2 ** ((note - 69) / 12) / RATE_HZ for note in (melody, bass))
    envelope = (min(1.0, i / 200, (count - i) / 400) * exp(-2.5 * i / count) for i in range(count))
    return array(
        "h", (round(e * (11_000 * sin(high * i) + 7_000 * sin(low * i))) for i, e in enumerate(envelope))
    )
