# SPDX-License-Identifier: Apache-2.0
"""Receives CAN frames one by one by recvmsg(2): the fall-back where recvmmsg cannot be had.

Same face and same results as `smartcockpit.adapters.recvmmsg`, about four times the cost.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time

from smartcockpit.adapters.frame_source import BATCH, CLASSIC_SIZE, FD_SIZE
from smartcockpit.adapters.recvmmsg import SO_RXQ_OVFL, SO_TIMESTAMPNS

ANCILLARY = socket.CMSG_SPACE(16) + socket.CMSG_SPACE(4)
TIMESPEC = struct.Struct("@ll")
COUNTER = struct.Struct("@I")
CAN_ID = struct.Struct("=I")


class MsgReceiver:
    """Reads CAN frames from `sock`; is its own batch, see `frame_source.Frames`."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._times: list[int] = []
        self.records: list[tuple[int, bytes]] = []
        self.count = 0
        self.full = False
        self.dropped = 0
        self.malformed = 0

    def receive(self) -> MsgReceiver | None:
        """Collect what waits, at most a batch; None when nothing does. Raises OSError."""
        self.records, self._times = [], []
        for _ in range(BATCH):
            try:
                data, ancillary, _, _ = self._socket.recvmsg(FD_SIZE, ANCILLARY, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            if len(data) in (CLASSIC_SIZE, FD_SIZE):
                self.records.append((CAN_ID.unpack_from(data)[0], data[4:]))
                self._times.append(self._read(ancillary))
            elif data or self._socket.type != socket.SOCK_SEQPACKET:
                self.malformed += 1
            else:
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        self.count = len(self.records)
        self.full = self.count == BATCH
        return self if self.records else None

    def _read(self, ancillary: list[tuple[int, int, bytes]]) -> int:
        time_us = 0
        for level, kind, data in ancillary:
            if level != socket.SOL_SOCKET:
                continue
            if kind == SO_TIMESTAMPNS and len(data) >= TIMESPEC.size:
                seconds, nanoseconds = TIMESPEC.unpack_from(data)
                time_us = seconds * 1_000_000 + nanoseconds // 1000
            elif kind == SO_RXQ_OVFL and len(data) >= COUNTER.size:
                self.dropped = COUNTER.unpack_from(data)[0]
        return time_us or time.time_ns() // 1000

    def time_us(self, i: int) -> int:
        """Return the kernel's receive time of record `i`, µs CLOCK_REALTIME."""
        return self._times[i]
