# SPDX-License-Identifier: Apache-2.0
"""JSON over a unix socket, one object a line: what QEMU's monitor and the guest agent have in common."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smartcockpit.core.errors import UnavailableError


class Channel:
    """A connected line-by-line JSON socket; every wait has a limit."""

    def __init__(self, path: Path, timeout_s: float = 10.0) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX)
        self._buffer = b""
        end_s = time.monotonic() + timeout_s
        while True:
            try:
                self._socket.connect(str(path))
                return
            except OSError as error:
                if time.monotonic() > end_s:
                    self._socket.close()
                    raise UnavailableError(f"{path.name} does not answer: {error.strerror}") from error
                time.sleep(0.02)

    def send(self, message: dict[str, Any], *, prefix: bytes = b"") -> None:
        """Send one object, after `prefix`."""
        try:
            self._socket.sendall(prefix + json.dumps(message).encode() + b"\n")
        except OSError as error:
            raise UnavailableError(f"{self.path.name} is closed", "has the box stopped?") from error

    def receive(self, timeout_s: float) -> dict[str, Any]:
        """Return the next object; raises UnavailableError when none comes in time."""
        for line in self._lines(timeout_s):
            try:
                message = json.loads(line.lstrip(b"\xff"))
            except ValueError:
                continue
            if isinstance(message, dict):
                return message
        raise UnavailableError(f"{self.path.name} is closed", "has the box stopped?")

    def _lines(self, timeout_s: float) -> Iterator[bytes]:
        end_s = time.monotonic() + timeout_s
        while True:
            line, newline, rest = self._buffer.partition(b"\n")
            if newline:
                self._buffer = rest
                yield line
                continue
            self._socket.settimeout(max(0.001, end_s - time.monotonic()))
            try:
                piece = self._socket.recv(65536)
            except OSError as error:
                raise UnavailableError(f"no answer on {self.path.name} within {timeout_s:g} s") from error
            if not piece:
                return
            self._buffer += piece

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
