# SPDX-License-Identifier: Apache-2.0
"""WAV files into signed 16-bit samples, and out of them. Any bytes may come; resampling is the server's work.

The container is read by the standard library's `wave`.
"""

from __future__ import annotations

import io
import os
import stat

from smartcockpit.adapters.pulse_tags import S16LE, SampleSpec
from smartcockpit.core.errors import LimitError, UsageError
from smartcockpit.core.named import NamedTuple

MAX_BYTES = 20 << 20
RATES_HZ = range(4000, 192_001)
_FLIP_SIGN = bytes((value ^ 0x80) for value in range(256))


class Sound(NamedTuple):
    """Samples, interleaved, signed 16 bit little-endian."""

    spec: SampleSpec
    samples: bytes

    @property
    def length_s(self) -> float:
        """Return how long it is."""
        return len(self.samples) / (2 * self.spec.channels * self.spec.rate_hz)


def read_wav(path: str) -> Sound:
    """Return the sound in the file at `path`.

    Raises `UsageError` for what is no WAV file of PCM in mono or stereo, `LimitError` beyond `MAX_BYTES`.
    """
    try:
        # Not blocking: a named pipe must not hang us before we see that it is one.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            f"cannot open {path[:200]!r}: {reason}", "the daemon must be able to read it"
        ) from error
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise UsageError(f"{path[:200]!r} is no regular file")
        if found.st_size > MAX_BYTES:
            raise LimitError(f"{path[:200]!r} has {found.st_size >> 20} MB", f"at most {MAX_BYTES >> 20}")
        with open(fd, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES)
    finally:
        os.close(fd)
    try:
        return parse_wav(data)
    except UsageError as error:
        raise UsageError(f"{path[:200]!r}: {error.message}", error.hint) from error


def parse_wav(data: bytes) -> Sound:
    """Return the sound in the bytes of a WAV file; raises `UsageError`."""
    import wave

    try:
        with wave.open(io.BytesIO(data)) as file:
            channels, width, rate_hz = file.getnchannels(), file.getsampwidth(), file.getframerate()
            frames = file.readframes(len(data))
    except (wave.Error, EOFError, ValueError, ArithmeticError, RuntimeError, OSError) as error:
        raise UsageError(f"no WAV file that can be played: {error or 'it ends early'}") from error
    if channels not in (1, 2) or rate_hz not in RATES_HZ or width not in (1, 2, 3, 4):
        raise UsageError(
            f"cannot play {channels} channels of {8 * width} bit at {rate_hz} Hz", "mono or stereo PCM"
        )
    frames = frames[: len(frames) // (width * channels) * width * channels]
    return Sound(SampleSpec(S16LE, channels, rate_hz), _to_16_bit(frames, width))


def _to_16_bit(frames: bytes, width: int) -> bytes:
    if width == 2:
        return frames
    samples = bytearray(len(frames) // width * 2)
    if width == 1:
        samples[1::2] = frames.translate(_FLIP_SIGN)  # 8-bit WAV is unsigned
    else:
        samples[0::2] = frames[width - 2 :: width]
        samples[1::2] = frames[width - 1 :: width]
    return bytes(samples)


def write_wav(sound: Sound) -> bytes:
    """Return the bytes of a WAV file."""
    import wave

    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(sound.spec.channels)
        file.setsampwidth(2)
        file.setframerate(sound.spec.rate_hz)
        file.writeframes(sound.samples)
    return buffer.getvalue()
