# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with the simulated receiver, switched on and off by tests and campaigns."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(slots=True)
class GnssFaults:
    """Standing faults; change them at any time."""

    no_sky: bool = False
    """The antenna is off or covered."""
    weeks_behind: int = 0
    """Its week number has rolled over: 1024, or 2048 for an older one."""
    latitude_deg: float | None = None
    """It claims this latitude, 91 for instance."""
    talker: str = "GN"
    sky_always: bool = False
    """Satellites with every epoch, not once a second."""
    refuse_settings: bool = False
    flip_share: float = 0.0
    """Share of bytes that arrive wrong."""
    noise_bytes: int = 0
    """So many random bytes between two epochs."""

    def spoil(self, data: bytes, chance: random.Random) -> bytes:
        """Return `data` as it arrives."""
        if self.flip_share:
            data = bytes(b ^ 0x55 if chance.random() < self.flip_share else b for b in data)
        return data + chance.randbytes(self.noise_bytes)
