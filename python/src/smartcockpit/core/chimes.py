# SPDX-License-Identifier: Apache-2.0
"""The warning chimes: which tones, and their samples. Ours from the first to the last sample.

A chime is struck tones in a row; each has a hard but clickless attack and rings out. Frequencies lie where
road noise is weak and small loudspeakers still work, and far enough apart to be told from each other.
"""

from __future__ import annotations

import sys
from array import array
from math import exp, log, pi, sin

from smartcockpit.core.named import NamedTuple

RATE_HZ = 48_000
PEAK = 0.89
"""Of full scale, -1 dB: resampling may overshoot a little."""
ATTACK_S = 0.004


class Tone(NamedTuple):
    """One strike: its fundamental, how long it lasts, and what it falls to at its end (above 0, up to 1)."""

    frequency_hz: float
    length_s: float
    end_level: float = 0.1


CHIMES: dict[str, tuple[Tone, ...]] = {
    "attention": (Tone(1000, 0.35), Tone(750, 0.5)),
    "belt": (Tone(880, 0.25), Tone(880, 0.25)),
    "collision": (Tone(1500, 0.12, 0.8),) * 4,
    "confirm": (Tone(1200, 0.15),),
    "door": (Tone(660, 0.3), Tone(660, 0.3)),
    "failure": (Tone(500, 0.3, 0.6), Tone(400, 0.4)),
    "park": (Tone(1100, 0.08, 0.7),),
}
"""Chimes by name. Another sound for one of them: a file in /etc/smartcockpit/chimes."""


def samples(tones: tuple[Tone, ...]) -> bytes:
    """Return the tones in a row, mono, signed 16 bit little-endian, at `RATE_HZ`."""
    out = array("h")
    for tone in tones:
        count = int(tone.length_s * RATE_HZ)
        attack, release = ATTACK_S * RATE_HZ, 2 * ATTACK_S * RATE_HZ
        step = 2 * pi * tone.frequency_hz / RATE_HZ
        fall = log(tone.end_level) / count
        for i in range(count):
            envelope = min(1.0, i / attack, (count - i) / release) * exp(fall * i)
            # The fundamental with a fifth of its octave sounds like a bell rather than like a test tone.
            wave = (sin(step * i) + 0.2 * sin(2 * step * i)) / 1.2
            out.append(round(32767 * PEAK * envelope * wave))
    if sys.byteorder == "big":
        out.byteswap()
    return out.tobytes()
