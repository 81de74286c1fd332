# SPDX-License-Identifier: Apache-2.0
"""How long a frame occupies a CAN bus, and from that the load of the bus.

Bits as in ISO 11898-1: a classic frame has 47 (11-bit id) or 67 (29-bit id) bits around its data, interframe
space included; an FD frame 30 or 49 at the arbitration rate and 32 (37 beyond 16 bytes of data, for the
longer CRC) at the data rate. Stuff bits depend on the content: between none and one in four. We take the
middle, which is off by at most a tenth.
"""

from __future__ import annotations


def classic_bits(length: int, *, extended: bool = False) -> tuple[int, int]:
    """Return the least and the most bits of a classic frame with `length` data bytes."""
    stuffable = (54 if extended else 34) + 8 * length
    return stuffable + 13, stuffable + 13 + (stuffable - 1) // 4


def fd_bits(length: int, *, extended: bool = False) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return (least, most) bits at the arbitration rate and (least, most) at the data rate of an FD frame."""
    arbitration = 49 if extended else 30
    data = 8 * length + (37 if length > 16 else 32)
    stuffable = arbitration - 12
    return (arbitration, arbitration + (stuffable - 1) // 4), (data, data + (8 * length + 5) // 4)


def frame_seconds(length: int, bitrate: int, data_bitrate: int = 0, *, extended: bool = False) -> float:
    """Return how long a frame occupies the bus, stuffed half way.

    FD with bit-rate switch iff `data_bitrate`.
    """
    if not data_bitrate:
        return sum(classic_bits(length, extended=extended)) / 2 / bitrate
    arbitration, data = fd_bits(length, extended=extended)
    return sum(arbitration) / 2 / bitrate + sum(data) / 2 / data_bitrate


class LoadMeter:
    """Load in % between two readings of growing frame and byte counts.

    `extended` is the share of 29-bit ids among the frames, 0 to 1.
    """

    def __init__(self, bitrate: int, data_bitrate: int = 0, extended: float = 0.0) -> None:
        self._bitrate, self._data_bitrate, self._extended = bitrate, data_bitrate, extended
        self._last: tuple[int, int, int] | None = None

    def update(self, frames: int, data_bytes: int, now_ns: int) -> float:
        """Return the load since the last call.

        0 for the first one and when a count went back (interface restarted).
        """
        last, self._last = self._last, (frames, data_bytes, now_ns)
        if last is None or not self._bitrate:
            return 0.0
        count, size, elapsed_ns = frames - last[0], data_bytes - last[1], now_ns - last[2]
        if count <= 0 or size < 0 or elapsed_ns <= 0:
            return 0.0
        mean = round(size / count)
        standard = frame_seconds(mean, self._bitrate, self._data_bitrate)
        long = frame_seconds(mean, self._bitrate, self._data_bitrate, extended=True)
        busy_s = count * (standard + (long - standard) * self._extended)
        return min(100.0, 100.0 * busy_s * 1e9 / elapsed_ns)

    def forget(self) -> None:
        """Start anew, because the counts will."""
        self._last = None
