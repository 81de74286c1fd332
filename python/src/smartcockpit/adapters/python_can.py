# SPDX-License-Identifier: Apache-2.0
"""Every other interface that python-can knows (slcan, udp_multicast, virtual, pcan, …), receive only.

python-can is imported here and nowhere else, when such an interface is opened. One thread waits for its
messages and turns them into the kernel's frame layout; the loop is woken through an eventfd. When the loop is
late the oldest frames are dropped and counted.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from smartcockpit.adapters.frame_source import BATCH, EFF_FLAG, ERR_FLAG, RTR_FLAG, Frames
from smartcockpit.core.errors import ConfigError, UnavailableError

QUEUE = 16_384
WAIT_S = 0.2
"""How long the thread waits for a message before it looks whether it should end."""
BRS, ESI, FDF = 1, 2, 4
PLAUSIBLE_US = 3_600_000_000
"""A time stamp further from now than this is no CLOCK_REALTIME; the arrival counts then."""


class _Batch:
    def __init__(self, records: list[tuple[int, bytes]], times: list[int]) -> None:
        self.records, self._times = records, times
        self.count = len(records)
        self.full = self.count == BATCH

    def time_us(self, i: int) -> int:
        return self._times[i]


class PythonCan:
    """One python-can bus, open for reading. Implements `frame_source.FrameSource`."""

    def __init__(self, interface: str, channel: str, *, fd_frames: bool, options: Mapping[str, Any]) -> None:
        """Open it.

        Raises `UnavailableError` when it is not there, `ConfigError` when its options do not fit.
        """
        if sys.flags.no_site:  # as our programs start: python-can and its plug-ins are wherever pip put them
            import site

            site.main()
        try:
            import can
        except ImportError as error:
            hint = "install python3-can, or use interface = 'socketcan'"
            raise ConfigError(
                f"interface {interface!r} needs python-can, which is not installed", hint
            ) from error
        self._can_error: type[Exception] = can.CanError
        more: dict[str, Any] = {"fd": True, **options} if fd_frames else {**options}
        try:
            self._bus: Any = can.Bus(interface=interface, channel=channel, receive_own_messages=False, **more)
        except can.CanInterfaceNotImplementedError as error:
            raise ConfigError(
                f"python-can cannot do {interface!r}: {error}", "see its list of interfaces"
            ) from error
        except (TypeError, ValueError) as error:
            raise ConfigError(
                f"{interface} {channel}: {error}", "check the bus' options in canbridge.toml"
            ) from error
        except (can.CanError, OSError) as error:
            raise UnavailableError(f"{interface} {channel}: {error}", "is the adapter plugged in?") from error
        self._frames: deque[tuple[int, bytes, int]] = deque()
        self._errors: deque[tuple[int, bytes]] = deque(maxlen=BATCH)
        self._failure: Exception | None = None
        self._stop = False
        self._event = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.dropped = 0
        self._thread = threading.Thread(target=self._pump, name=f"can {channel}", daemon=True)
        self._thread.start()

    def _pump(self) -> None:
        try:
            while not self._stop:
                message = self._bus.recv(WAIT_S)
                if message is not None:
                    self._take(message)
        except (self._can_error, OSError, ValueError) as error:
            self._failure = error
            self._wake()

    def _take(self, message: Any) -> None:
        can_id, body = to_record(message)
        if can_id & ERR_FLAG:
            self._errors.append((can_id, body[4:12]))
        else:
            if len(self._frames) >= QUEUE:
                with contextlib.suppress(IndexError):
                    self._frames.popleft()
                    self.dropped += 1
            self._frames.append((can_id, body, _time_us(message.timestamp)))
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_write(self._event, 1)

    def fileno(self) -> int:
        """Return the eventfd."""
        return self._event

    def error_fileno(self) -> int:
        """Return -1: error frames come with the others."""
        return -1

    def receive(self) -> Frames | None:
        """Return what waits or None; raises OSError (ENODEV) when the interface has failed."""
        records: list[tuple[int, bytes]] = []
        times: list[int] = []
        while self._frames and len(records) < BATCH:
            can_id, body, time_us = self._frames.popleft()
            records.append((can_id, body))
            times.append(time_us)
        if records:
            return _Batch(records, times)
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._event)
        if self._frames:  # arrived between the last look and the reading of the eventfd
            return self.receive()
        if self._failure is not None:
            raise OSError(errno.ENODEV, str(self._failure))
        return None

    def read_errors(self) -> list[tuple[int, bytes]]:
        """Return the error frames that came."""
        found = []
        while self._errors:
            found.append(self._errors.popleft())
        return found

    def close(self) -> None:
        """End the thread and close the interface."""
        self._stop = True
        self._thread.join(2 * WAIT_S)
        with contextlib.suppress(self._can_error, OSError):
            self._bus.shutdown()
        os.close(self._event)


def to_record(message: Any) -> tuple[int, bytes]:
    """Return a `can.Message` as (can_id, body) in the kernel's layout."""
    can_id = message.arbitration_id
    can_id |= EFF_FLAG if message.is_extended_id else 0
    can_id |= RTR_FLAG if message.is_remote_frame else 0
    can_id |= ERR_FLAG if message.is_error_frame else 0
    data = bytes(message.data or b"")
    if message.is_fd:
        flags = FDF | (BRS if message.bitrate_switch else 0) | (ESI if message.error_state_indicator else 0)
        return can_id, bytes((len(data), flags, 0, 0)) + data.ljust(64, b"\0")
    length = message.dlc if message.is_remote_frame else len(data)
    return can_id, bytes((min(length, 8), 0, 0, 0)) + data[:8].ljust(8, b"\0")


def _time_us(timestamp: float) -> int:
    now = time.time_ns() // 1000
    stamped = int((timestamp or 0.0) * 1_000_000)
    return stamped if abs(now - stamped) < PLAUSIBLE_US else now
