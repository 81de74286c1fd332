# SPDX-License-Identifier: Apache-2.0
"""A file, pipe or virtio-serial port that takes whole lines without ever making the writer wait.

Drop rule: while the reader is slow or away, new lines are dropped (the line that has begun is finished
first); `dropped` counts them, so that the writer can start over with a full picture. A port that closes is
opened again.
"""

from __future__ import annotations

import errno
import os
import sys


class LineSink:
    """`path` None means standard output, whose end (EPIPE) is raised as BrokenPipeError."""

    def __init__(self, path: str | None) -> None:
        self._path = path
        self._fd = -1
        self._pending = b""
        self.dropped = 0

    def write(self, line: str) -> bool:
        """Write one line (without its end) now; returns False when it was dropped."""
        if self._fd < 0 and not self._open():
            self.dropped += 1
            return False
        if self._pending and not self._push():
            self.dropped += 1
            return False
        self._pending = line.encode() + b"\n"
        self._push()
        return True

    def close(self) -> None:
        """Close the port; an unfinished line is lost."""
        if self._fd >= 0 and self._path is not None:
            os.close(self._fd)
        self._fd, self._pending = -1, b""

    def _open(self) -> bool:
        if self._path is None:
            self._fd = sys.stdout.fileno()
            return True
        try:
            self._fd = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError:
            return False
        return True

    def _push(self) -> bool:
        """Write what is pending; returns whether all of it went out."""
        while self._pending:
            try:
                written = os.write(self._fd, self._pending)
            except BlockingIOError:
                return False
            except OSError as error:
                if self._path is None and error.errno == errno.EPIPE:
                    raise BrokenPipeError from error
                self.close()
                return False
            if not written:
                return False
            self._pending = self._pending[written:]
        return True
