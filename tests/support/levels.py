# SPDX-License-Identifier: Apache-2.0
"""How loud is it, and which tones are in it: for recordings that tests make.

Recording.of_wav(path).between(1.0, 2.0).tone_db(440)
"""

from __future__ import annotations

import struct
from array import array
from math import cos, inf, log10, pi, sqrt
from pathlib import Path
from typing import NamedTuple, Self


class Recording(NamedTuple):
    """One channel of sound; levels are dB of full scale, a full sine wave is -3 dB."""

    samples: array[int]
    rate_hz: int

    @classmethod
    def of_raw(cls, path: Path, rate_hz: int, channels: int = 2, channel: int = 0) -> Self:
        """Read signed 16-bit samples without a header."""
        return cls._of(path.read_bytes(), rate_hz, channels, channel)

    @classmethod
    def of_wav(cls, path: Path, channel: int = 0) -> Self:
        """Read a WAV file whose header may not know its size yet, as QEMU leaves it while it runs."""
        data = path.read_bytes()
        if not data:
            return cls(array("h"), 48_000)  # nothing has been played yet
        assert data[:4] == b"RIFF", "no WAV file"
        at, channels, rate_hz = 12, 2, 44_100
        while data[at : at + 4] != b"data":
            kind, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
            if kind == b"fmt ":
                _, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", data, at + 8)
                assert bits == 16
            at += 8 + size
        return cls._of(data[at + 8 :], rate_hz, channels, channel)

    @classmethod
    def _of(cls, data: bytes, rate_hz: int, channels: int, channel: int) -> Self:
        samples = array("h")
        samples.frombytes(data[: len(data) // (2 * channels) * 2 * channels])
        return cls(samples[channel::channels], rate_hz)

    def __repr__(self) -> str:
        return f"<{self.length_s:.2f} s of sound, {self.rms_db():.1f} dB>"

    @property
    def length_s(self) -> float:
        return len(self.samples) / self.rate_hz

    def between(self, start_s: float, end_s: float) -> Self:
        return self._replace(samples=self.samples[int(start_s * self.rate_hz) : int(end_s * self.rate_hz)])

    def last(self, length_s: float) -> Self:
        return self._replace(samples=self.samples[-int(length_s * self.rate_hz) :])

    @property
    def peak(self) -> int:
        return max((abs(s) for s in self.samples), default=0)

    def rms_db(self) -> float:
        if not self.samples:
            return -inf
        return _db(sqrt(sum(s * s for s in self.samples) / len(self.samples)) / 32768)

    def tone_db(self, frequency_hz: float) -> float:
        """Return the level of one frequency (Goertzel), as the RMS of a sine wave of that level."""
        if not self.samples:
            return -inf
        turn = 2 * cos(2 * pi * frequency_hz / self.rate_hz)
        before = last = 0.0
        for s in self.samples:
            before, last = last, s + turn * last - before
        power = before * before + last * last - turn * before * last
        return _db(sqrt(max(power, 0.0)) * sqrt(2) / len(self.samples) / 32768)

    def windows(self, length_s: float) -> list[Self]:
        """Return the recording cut into pieces."""
        step = int(length_s * self.rate_hz)
        return [
            self._replace(samples=self.samples[at : at + step])
            for at in range(0, len(self.samples) - step + 1, step)
        ]

    def tones(self, frequency_hz: float, window_s: float = 0.05) -> list[float]:
        """Return the level of a frequency over time."""
        return [window.tone_db(frequency_hz) for window in self.windows(window_s)]


def _db(factor: float) -> float:
    return 20 * log10(factor) if factor > 1e-9 else -inf
