# SPDX-License-Identifier: Apache-2.0
"""Tells the service manager how the daemon is: ready, status, alive, stopping (sd_notify(3), Type=notify).

Does nothing when no service manager asked for it (`NOTIFY_SOCKET` unset). Who says what and when is the
daemon's business; see `smartcockpit.runtime.daemon`.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping


class Notifier:
    """One connection to the notification socket; sends are datagrams that never block and never raise."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        self._socket: socket.socket | None = None
        self.watchdog_interval_ns = watchdog_interval_ns(environment)
        path = environment.get("NOTIFY_SOCKET", "")
        if path[:1] not in ("/", "@"):
            return
        address = "\0" + path[1:] if path.startswith("@") else path
        try:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)
            self._socket.connect(address)
        except OSError:
            self.close()

    def send(self, *assignments: str) -> None:
        """Send assignments such as `READY=1` in one datagram."""
        if self._socket is not None:
            try:
                self._socket.send("\n".join(assignments).encode(errors="replace"))
            except OSError:
                return  # the manager is restarting; a missed watchdog ping is its to judge

    def ready(self, status: str) -> None:
        """Say that start-up is over and clients may come."""
        self.send("READY=1", f"STATUS={_one_line(status)}")

    def status(self, text: str) -> None:
        """Show `text` in `systemctl status`."""
        self.send(f"STATUS={_one_line(text)}")

    def alive(self) -> None:
        """Feed the watchdog."""
        self.send("WATCHDOG=1")

    def stopping(self) -> None:
        """Say that the daemon is on its way out."""
        self.send("STOPPING=1")

    def close(self) -> None:
        """Close the socket; later calls do nothing."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def watchdog_interval_ns(environment: Mapping[str, str]) -> int:
    """Return how often to feed it: half of the manager's patience (sd_watchdog_enabled(3)), 0: never."""
    try:
        patience_us = int(environment.get("WATCHDOG_USEC", "0"))
        pid = int(environment.get("WATCHDOG_PID", "0"))
    except ValueError:
        return 0
    return max(patience_us, 0) * 500 if pid in (0, os.getpid()) else 0


def _one_line(text: str) -> str:
    return text.replace("\n", " ")
