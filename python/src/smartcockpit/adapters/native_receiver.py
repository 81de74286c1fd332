# SPDX-License-Identifier: Apache-2.0
"""Receives CAN frames from a datagram socket by libcanreceive: up to 256 with one call.

Same face and same results as `smartcockpit.adapters.recvmmsg`. The frames stay in the library's memory,
where `native_decoder` finds them; they become Python objects only for whoever asks for `records`.
"""

from __future__ import annotations

import errno
import functools
import os
import socket
import struct
from collections.abc import Iterable

from smartcockpit.adapters.canreceive import Library
from smartcockpit.adapters.frame_source import CLASSIC_SIZE, FD_SIZE
from smartcockpit.adapters.recvmmsg import NOT_HERE, NoRecvmmsgError

HEAD = struct.Struct("=IIIIQ")
"""slot, ends, dropped, more, malformed: struct intake up to its records."""
RECORD = struct.Struct("=qII68s20x")
"""Time, length with the id, id, body: struct record."""
RECORD_TIME = struct.Struct("=q96x")
NOTHING_WAITS = (-errno.EAGAIN, -errno.EINTR)


class NativeReceiver:
    """Reads CAN frames from `sock`; is its own batch, see `frame_source.Frames`."""

    def __init__(self, sock: socket.socket, fd_frames: bool, library: Library) -> None:
        memory = library.intake()
        slot = FD_SIZE if fd_frames else CLASSIC_SIZE
        HEAD.pack_into(memory.view, 0, slot, sock.type == socket.SOCK_SEQPACKET, 0, 0, 0)
        self._memory = memory
        self._call = functools.partial(library.receive, memory.address, sock.fileno())
        self.address = memory.address + HEAD.size
        """Of the records."""
        self.count = 0

    def receive(self) -> NativeReceiver | None:
        """Fill the batch with what waits; None when nothing does. Raises OSError and `NoRecvmmsgError`."""
        self.count = count = self._call()
        if count >= 0:
            return self
        self.count = 0
        if count in NOTHING_WAITS:
            return None
        if -count in NOT_HERE:
            raise NoRecvmmsgError(os.strerror(-count))
        raise OSError(-count, os.strerror(-count))

    @property
    def full(self) -> bool:
        """True when more may wait."""
        return bool(HEAD.unpack_from(self._memory.view)[3])

    @property
    def dropped(self) -> int:
        """Frames that the kernel dropped because we read too slowly."""
        return int(HEAD.unpack_from(self._memory.view)[2])

    @property
    def malformed(self) -> int:
        """Datagrams that were no CAN frame."""
        return int(HEAD.unpack_from(self._memory.view)[4])

    @property
    def records(self) -> Iterable[tuple[int, bytes]]:
        """Return (can_id, body) of each frame."""
        return map(self.record, range(self.count))

    def record(self, i: int) -> tuple[int, bytes]:
        """Return (can_id, body) of frame `i`."""
        _, length, can_id, body = RECORD.unpack_from(self._memory.view, HEAD.size + i * RECORD.size)
        return can_id, body[: length - 4]

    def time_us(self, i: int) -> int:
        """Return the kernel's receive time of frame `i`, µs CLOCK_REALTIME; now where it gave none."""
        time_us: int = RECORD_TIME.unpack_from(self._memory.view, HEAD.size + i * RECORD.size)[0]
        return time_us
