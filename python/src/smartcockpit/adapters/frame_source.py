# SPDX-License-Identifier: Apache-2.0
"""What every CAN adapter offers: a descriptor to wait on, batches of frames, nothing to send with.

Record layout (as the kernel's `struct can_frame` and `canfd_frame` after their id, linux/can.h): 12 bytes
classic (len, flags, res, len8_dlc, data[8]) or 68 bytes FD (len, flags, res0, res1, data[64]).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

CLASSIC_SIZE = 16
FD_SIZE = 72
BATCH = 64
EFF_FLAG, RTR_FLAG, ERR_FLAG = 0x8000_0000, 0x4000_0000, 0x2000_0000
SFF_MASK, EFF_MASK, ERR_MASK = 0x7FF, 0x1FFF_FFFF, 0x1FFF_FFFF


class Frames(Protocol):
    """One batch; valid until the next `receive` of its source."""

    @property
    def records(self) -> Iterable[tuple[int, bytes]]:
        """(can_id with EFF and RTR flags, body) in order of arrival; to be walked once."""

    @property
    def count(self) -> int:
        """How many records there are."""

    @property
    def full(self) -> bool:
        """True when more may wait."""

    def time_us(self, i: int) -> int:
        """Return the receive time of record `i`, µs CLOCK_REALTIME."""


class FrameSource(Protocol):
    """A receive-only CAN interface."""

    @property
    def dropped(self) -> int:
        """Frames lost because nobody read in time, since the source was opened."""

    def fileno(self) -> int:
        """Return a descriptor that is readable while frames wait."""

    def error_fileno(self) -> int:
        """Return a descriptor that is readable while error frames wait, -1 without one."""

    def receive(self) -> Frames | None:
        """Return what waits, or as much of it as a batch holds, or None.

        Raises OSError when the link is down or gone.
        """

    def read_errors(self) -> list[tuple[int, bytes]]:
        """Return the error frames that wait: (can_id, 8 data bytes), linux/can/error.h."""

    def close(self) -> None:
        """Release the interface."""
