# SPDX-License-Identifier: Apache-2.0
"""Receives CAN frames from a datagram socket by recvmmsg(2): one system call for up to 64 frames.

The kernel fills buffers that are made once; nothing is allocated per batch but the records themselves, and
ancillary data (time stamp, drop counter) is read only for the frames that somebody asks about. ctypes makes a
plain call and no call-back, so no memory needs to be both writable and executable. Layouts: recvmmsg(2),
cmsg(3), linux/can.h, socket(7).
"""

from __future__ import annotations

import errno
import functools
import os
import socket
import struct
import time
from collections.abc import Callable, Iterable
from typing import Any

from smartcockpit.adapters.frame_source import BATCH, CLASSIC_SIZE, FD_SIZE

SOL_SOCKET = int(socket.SOL_SOCKET)
SO_TIMESTAMPNS = 35  # asm-generic/socket.h: the same on all our architectures
SO_RXQ_OVFL = 40
CONTROL = 64
"""Room for ancillary data per message: a timespec and a u32, each behind a cmsghdr."""
CLASSIC = struct.Struct("=I12s")
CLASSIC_IN_FD_SLOT = struct.Struct("=I12s56x")
FD = struct.Struct("=I68s")
TIMESPEC = struct.Struct("@Niill")
TIMESPEC_SIZE = TIMESPEC.size
COUNTER = struct.Struct("@NiiI")
SIZE = struct.Struct("@N")
timespec_at, size_at = TIMESPEC.unpack_from, SIZE.unpack_from  # a look-up less for each changed frame
COUNTER_AT = 32
"""The kernel writes the time stamp first (net/core: sock_recv_timestamp, sock_recv_drops)."""
NOT_HERE = (errno.ENOSYS, errno.EPERM, errno.EACCES)


class NoRecvmmsgError(Exception):
    """The batched system call cannot be had: no ctypes, an old C library, or a sandbox that forbids it."""


class MmsgReceiver:
    """Reads CAN frames from `sock`.

    Is its own batch (`records`, `count`, `time_us`), see `frame_source.Frames`.
    """

    def __init__(self, sock: socket.socket, fd_frames: bool) -> None:
        self._ends = sock.type == socket.SOCK_SEQPACKET
        self._slot = FD_SIZE if fd_frames else CLASSIC_SIZE
        self._data = bytearray(BATCH * self._slot)
        self._control = bytearray(BATCH * CONTROL)
        table = _HeaderTable(self._data, self._slot, self._control)
        self._keep = table
        self._headers = memoryview(table.memory)
        self._pristine = bytes(table.memory)
        self._header_size = table.size
        self._control_length_at = table.control_length_at
        self._call = table.receiver(sock.fileno())
        self._errno = table.errno
        one = f"{table.length_at}xI{table.size - table.length_at - 4}x"
        self._lengths = [struct.Struct("=" + one * n) for n in range(BATCH + 1)]
        self._view = memoryview(self._data)
        self._slots: list[int] | None = None
        self._woken_us = 0
        self._used = 0
        self.records: Iterable[tuple[int, bytes]] = ()
        self.count = 0
        self.full = False
        self.dropped = 0
        self.malformed = 0

    def receive(self) -> MmsgReceiver | None:
        """Fill the batch with what waits; None when nothing does. Raises OSError and `NoRecvmmsgError`."""
        self._headers[: self._used] = self._pristine[: self._used]  # the kernel left lengths used, not room
        self._used = 0
        n = self._call()
        if n < 0:
            number = self._errno()
            if number in (errno.EAGAIN, errno.EINTR):
                return None
            if number in NOT_HERE:
                raise NoRecvmmsgError(os.strerror(number))
            raise OSError(number, os.strerror(number))
        self._used = n * self._header_size
        lengths = self._lengths[n].unpack_from(self._headers)
        self._read_dropped(n - 1)
        self._unpack(n, lengths)
        self.full = n == BATCH
        self._woken_us = 0
        return self

    def _unpack(self, n: int, lengths: tuple[int, ...]) -> None:
        first, view = lengths[0], self._view
        self._slots, self.count = None, n
        if lengths.count(first) == n:
            if first == CLASSIC_SIZE:
                layout = CLASSIC if self._slot == CLASSIC_SIZE else CLASSIC_IN_FD_SLOT
                self.records = layout.iter_unpack(view[: n * self._slot])
                return
            if first == FD_SIZE:
                self.records = FD.iter_unpack(view[: n * FD_SIZE])
                return
            if first == 0 and self._ends:  # the other side of a socket pair has gone
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        layouts = {CLASSIC_SIZE: CLASSIC, FD_SIZE: FD}
        slots = [slot for slot, length in enumerate(lengths) if length in layouts]
        self.records = [layouts[lengths[slot]].unpack_from(view, slot * self._slot) for slot in slots]
        self._slots, self.count = slots, len(slots)
        self.malformed += n - len(slots)

    def _read_dropped(self, slot: int) -> None:
        if self._control_length(slot) >= COUNTER_AT + COUNTER.size:
            _, level, kind, count = COUNTER.unpack_from(self._control, slot * CONTROL + COUNTER_AT)
            if level == socket.SOL_SOCKET and kind == SO_RXQ_OVFL:
                self.dropped = count

    def _control_length(self, slot: int) -> int:
        size: int = SIZE.unpack_from(self._headers, slot * self._header_size + self._control_length_at)[0]
        return size

    def time_us(self, i: int) -> int:
        """Return the kernel's receive time of record `i`, µs CLOCK_REALTIME.

        Now where the kernel gave none.
        """
        slot = i if self._slots is None else self._slots[i]
        (length,) = size_at(self._headers, slot * self._header_size + self._control_length_at)
        if length >= TIMESPEC_SIZE:
            _, level, kind, seconds, nanoseconds = timespec_at(self._control, slot * CONTROL)
            if level == SOL_SOCKET and kind == SO_TIMESTAMPNS:
                return seconds * 1_000_000 + nanoseconds // 1000  # type: ignore[no-any-return]
        if not self._woken_us:
            self._woken_us = time.time_ns() // 1000
        return self._woken_us


class _HeaderTable:
    """The array of `struct mmsghdr`, each pointing at its slot of `data` and `control`.

    Owns what it points at.
    """

    def __init__(self, data: bytearray, slot: int, control: bytearray) -> None:
        try:
            import ctypes

            self._library = ctypes.CDLL(None, use_errno=True)
            self._function: Any = self._library.recvmmsg
        except (ImportError, OSError, AttributeError, MemoryError) as error:
            raise NoRecvmmsgError(str(error)) from error

        class Iovec(ctypes.Structure):
            _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

        class Header(ctypes.Structure):
            _fields_ = [
                ("name", ctypes.c_void_p), ("name_length", ctypes.c_uint),
                ("iov", ctypes.POINTER(Iovec)), ("iov_count", ctypes.c_size_t),
                ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t), ("flags", ctypes.c_int),
            ]  # fmt: skip

        class Entry(ctypes.Structure):
            _fields_ = [("header", Header), ("length", ctypes.c_uint)]

        self.size = ctypes.sizeof(Entry)
        self.length_at = Entry.length.offset
        self.control_length_at = Header.control_length.offset
        self.memory = bytearray(self.size * BATCH)
        self.errno: Callable[[], int] = ctypes.get_errno
        self._data = (ctypes.c_char * len(data)).from_buffer(data)
        self._control = (ctypes.c_char * len(control)).from_buffer(control)
        self._iovecs = (Iovec * BATCH)()
        self._headers = (Entry * BATCH).from_buffer(self.memory)
        for i, entry in enumerate(self._headers):
            header = entry.header
            self._iovecs[i] = Iovec(ctypes.addressof(self._data) + i * slot, slot)
            header.iov = ctypes.pointer(self._iovecs[i])
            header.iov_count = 1
            header.control = ctypes.addressof(self._control) + i * CONTROL
            header.control_length = CONTROL
        self._address = ctypes.addressof(self._headers)

    def receiver(self, fd: int) -> Callable[[], int]:
        """Return the call that fills the table from descriptor `fd` without blocking."""
        import ctypes

        self._function.argtypes = [
            ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p,
        ]  # fmt: skip
        self._function.restype = ctypes.c_int
        return functools.partial(self._function, fd, self._address, BATCH, socket.MSG_DONTWAIT, None)
