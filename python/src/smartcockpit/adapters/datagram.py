# SPDX-License-Identifier: Apache-2.0
"""A CAN bus for machines without CAN: frames as datagrams on an AF_UNIX socket, for developers and tests.

Each datagram is one `struct can_frame` (16 bytes) or `canfd_frame` (72 bytes), so all but opening is the path
that SocketCAN takes. Error frames go to the same path with `.errors` behind it.
"""

from __future__ import annotations

import socket
from pathlib import Path

from smartcockpit.adapters.canreceive import Library
from smartcockpit.adapters.socketcan import SocketCan
from smartcockpit.core.errors import UnavailableError


def open_datagram(path: str, *, fd_frames: bool, library: Library | None = None) -> SocketCan:
    """Listen at `path`; raises `UnavailableError` when that cannot be."""
    opened: list[socket.socket] = []
    try:
        for place in (path, path + ".errors"):
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            opened.append(sock)
            Path(place).unlink(missing_ok=True)
            sock.bind(place)
    except OSError as error:
        for sock in opened:
            sock.close()
        raise UnavailableError(f"{path}: {error.strerror}", "can its folder be written?") from error
    return SocketCan.from_socket(*opened, fd_frames=fd_frames, library=library)
