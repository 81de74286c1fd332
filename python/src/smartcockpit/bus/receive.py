# SPDX-License-Identifier: Apache-2.0
"""Reading a bus socket, and the descriptors that come over it while somebody waits for one.

Descriptors are asked of the kernel only then: at all other times it closes what anybody sends us, so that
nobody can fill our table.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Iterable
from struct import Struct

_FD = Struct("i")
MOST_AT_ONCE = 16
"""dbus-daemon's own limit for one message is the same (dbus-daemon(1), max_message_unix_fds)."""


class Receiver:
    """Reads from `sock`; `waiting` is how many calls wait for a descriptor."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self.waiting = 0
        self._came: deque[int] = deque()

    def read(self, size: int) -> bytes:
        """Return what is there, at most `size` bytes; raises `OSError` as a socket does."""
        if not self.waiting:
            return self._sock.recv(size)
        # socket.recv_fds drops its flags (CPython up to 3.12), and our children would get the descriptors.
        room = socket.CMSG_SPACE(MOST_AT_ONCE * _FD.size)
        data, extra, _, _ = self._sock.recvmsg(size, room, socket.MSG_CMSG_CLOEXEC)
        for level, kind, packed in extra:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                whole = packed[: len(packed) // _FD.size * _FD.size]
                self._came += (fd for (fd,) in _FD.iter_unpack(whole))
        return data

    def take(self, count: int) -> list[int]:
        """Return the next `count` descriptors; fewer when the kernel was not asked for them."""
        return [self._came.popleft() for _ in range(min(count, len(self._came)))]

    def close(self) -> None:
        """Close what nobody has taken."""
        close_all(self._came)
        self._came.clear()


def close_all(fds: Iterable[int]) -> None:
    """Close descriptors that nobody wants."""
    for fd in fds:
        os.close(fd)
