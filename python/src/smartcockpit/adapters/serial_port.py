# SPDX-License-Identifier: Apache-2.0
"""A serial line, by pyserial: opened without waiting, raw, for one owner alone."""

from __future__ import annotations

import contextlib
import errno
import os
import select
from typing import Any

from smartcockpit.core.errors import UnavailableError

CHUNK = 4096
_REASONS = {
    errno.ENOENT: ("is not there", "is the receiver plugged in? Its udev rule gives it that name"),
    errno.EACCES: ("may not be opened by this user", "its udev rule sets group and mode"),
    errno.EPERM: ("may not be opened in this sandbox", "DeviceAllow= of the unit lists kinds of devices"),
    errno.EBUSY: ("is used by another program", "fuser {path}"),
    errno.EWOULDBLOCK: ("is used by another program", "fuser {path}"),
}


class SerialPort:
    """An open line; `read` and `write` never wait. Every failure is `UnavailableError`: the line is gone."""

    def __init__(self, path: str, port: Any) -> None:
        self._path = path
        self._port = port

    @classmethod
    def open(cls, path: str, baudrate: int) -> SerialPort:
        """Open `path` at `baudrate` bit/s, 8N1; raises `UnavailableError` with the reason."""
        try:
            os.stat(path)  # noqa: PTH116 - spares the import while there is no receiver
            import serial

            return cls(path, serial.Serial(path, baudrate, timeout=0, write_timeout=0, exclusive=True))
        except (OSError, ValueError) as error:
            number = error.errno if isinstance(error, OSError) else None
            reason, hint = _REASONS.get(number or 0, (f"cannot be opened: {error}", ""))
            raise UnavailableError(f"{path} {reason}", hint.format(path=path)) from error

    def fileno(self) -> int:
        """Return the file descriptor, for the loop."""
        return int(self._port.fileno())

    def read(self) -> bytes:
        """Return what has come; call it when the descriptor is readable."""
        try:
            data = os.read(self._port.fileno(), CHUNK)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._gone(error) from error
        if not data and self._is_hung_up():
            raise self._gone(OSError(errno.EIO, "hung up"))
        return data

    def write(self, data: bytes) -> None:
        """Send `data`, a few hundred bytes at most; what does not fit the line's buffer is dropped."""
        try:
            os.write(self._port.fileno(), data)
        except BlockingIOError:
            return
        except OSError as error:
            raise self._gone(error) from error

    def set_baudrate(self, baudrate: int) -> None:
        """Change the rate and drop what came at the old one."""
        try:
            self._port.baudrate = baudrate
            self._port.reset_input_buffer()
        except (OSError, ValueError) as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """Close the line; also one that is gone."""
        with contextlib.suppress(OSError):
            self._port.close()

    def _is_hung_up(self) -> bool:
        """A read without data means nothing on a terminal with VMIN 0; the kernel says it by poll(2)."""
        poll = select.poll()
        poll.register(self._port.fileno(), select.POLLIN)
        return any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))

    def _gone(self, error: Exception) -> UnavailableError:
        return UnavailableError(f"{self._path} is gone: {error}", "it is opened again when it is back")
