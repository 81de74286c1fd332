# SPDX-License-Identifier: Apache-2.0
"""The player's end of the socket to the audio daemon: connects, again and again, and passes lines.

Runs in GLib's main loop. What the lines mean is `core.playback`'s.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from gi.repository import GLib

from smartcockpit.core.playback import MAX_LINE, from_line, to_line

RETRY_MS = 1000


class DaemonLink:
    """`on_message` gets what the daemon says; `on_connected` is called on each connection."""

    def __init__(
        self, path: str, on_message: Callable[[dict[str, Any]], None], on_connected: Callable[[], None]
    ) -> None:
        self._path, self._on_message, self._on_connected = path, on_message, on_connected
        self._socket: socket.socket | None = None
        self._received = b""

    def start(self) -> None:
        """Connect, now or as soon as the daemon is there."""
        self._connect()

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message; while the daemon is away, or does not read, it is dropped."""
        if self._socket is not None:
            try:
                self._socket.sendall(to_line(message))
            except OSError:
                self._lost()

    def _connect(self) -> bool:
        found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            found.connect(self._path)
        except OSError:
            found.close()
            GLib.timeout_add(RETRY_MS, self._connect)
            return False
        found.settimeout(2.0)
        self._socket, self._received = found, b""
        watched = GLib.IOCondition.IN | GLib.IOCondition.HUP | GLib.IOCondition.ERR
        GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, found.fileno(), watched, self._readable)
        self._on_connected()
        return False

    def _readable(self, _: int, __: Any) -> bool:
        if self._socket is None:
            return False
        try:
            data = self._socket.recv(65_536)
        except OSError:
            data = b""
        if not data or len(self._received) > MAX_LINE:
            self._lost()
            return False
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            try:
                message = from_line(line)
            except ValueError:
                continue
            self._on_message(message)
        return self._socket is not None

    def _lost(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
            GLib.timeout_add(RETRY_MS, self._connect)
