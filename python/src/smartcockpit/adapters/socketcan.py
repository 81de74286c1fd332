# SPDX-License-Identifier: Apache-2.0
"""SocketCAN, receive only: opens raw CAN sockets and hands over batches of frames.

There is no way to send here, on purpose, and tests look that it stays so. Two sockets per interface: one for
the mapped ids, filtered in the kernel, and one that takes error frames alone, so that the hot path never
looks for them. Needs no capability. Sources: Linux Documentation/networking/can.rst, linux/can/raw.h,
linux/can/error.h.
"""

from __future__ import annotations

import errno
import logging
import socket
import struct
from collections.abc import Iterable

from smartcockpit.adapters.canreceive import Library
from smartcockpit.adapters.frame_source import (
    CLASSIC_SIZE,
    EFF_FLAG,
    EFF_MASK,
    ERR_MASK,
    RTR_FLAG,
    SFF_MASK,
    Frames,
)  # fmt: skip
from smartcockpit.adapters.native_receiver import NativeReceiver
from smartcockpit.adapters.recvmmsg import SO_RXQ_OVFL, SO_TIMESTAMPNS, MmsgReceiver, NoRecvmmsgError
from smartcockpit.adapters.recvmsg import MsgReceiver
from smartcockpit.core.errors import UnavailableError

log = logging.getLogger(__name__)
AF_CAN = 29
CAN_RAW = 1
SOL_CAN_RAW = 101
CAN_RAW_FILTER, CAN_RAW_ERR_FILTER, CAN_RAW_FD_FRAMES = 1, 2, 5
MAX_FILTERS = 512  # CAN_RAW_FILTER_MAX
RECEIVE_BUFFER = 4 << 20
FILTER = struct.Struct("=II")
ERROR_FRAME = struct.Struct("=I4x8s")


class SocketCan:
    """One CAN interface, open for reading. Implements `frame_source.FrameSource`."""

    def __init__(
        self,
        data: socket.socket,
        errors: socket.socket | None,
        *,
        fd_frames: bool,
        library: Library | None = None,
    ) -> None:
        self._data = data
        self._errors = errors
        self._receiver: NativeReceiver | MmsgReceiver | MsgReceiver
        try:
            if library is not None:
                self._receiver = NativeReceiver(data, fd_frames, library)
            else:
                self._receiver = MmsgReceiver(data, fd_frames)
        except NoRecvmmsgError as error:
            self._receiver = _one_by_one(data, error)

    @classmethod
    def open(
        cls, interface: str, ids: Iterable[int], *, fd_frames: bool, library: Library | None = None
    ) -> SocketCan:
        """Open `interface` for the mapped `ids` (bit 31 set: 29-bit id); `library` receives, if there is one.

        Raises `UnavailableError` when the interface is not there or the kernel has no CAN.
        """
        opened: list[socket.socket] = []
        try:
            for _ in range(2):
                opened.append(socket.socket(AF_CAN, socket.SOCK_RAW | socket.SOCK_CLOEXEC, CAN_RAW))
            data, errors = opened
            data.setsockopt(SOL_CAN_RAW, CAN_RAW_FILTER, kernel_filters(ids))
            errors.setsockopt(SOL_CAN_RAW, CAN_RAW_FILTER, b"")
            errors.setsockopt(SOL_CAN_RAW, CAN_RAW_ERR_FILTER, struct.pack("=I", ERR_MASK))
            if fd_frames:
                data.setsockopt(SOL_CAN_RAW, CAN_RAW_FD_FRAMES, 1)
            for sock in opened:
                _prepare(sock)
                sock.bind((interface,))
        except OSError as error:
            for sock in opened:
                sock.close()
            raise UnavailableError(f"{interface}: {error.strerror}", _hint(interface, error.errno)) from error
        return cls(data, errors, fd_frames=fd_frames, library=library)

    @classmethod
    def from_socket(
        cls,
        data: socket.socket,
        errors: socket.socket | None = None,
        *,
        fd_frames: bool = True,
        library: Library | None = None,
    ) -> SocketCan:
        """Read from any datagram socket whose datagrams are `struct can_frame` or `canfd_frame`.

        the test double.
        """
        for sock in (data, errors):
            if sock is not None:
                _prepare(sock)
        return cls(data, errors, fd_frames=fd_frames, library=library)

    @property
    def dropped(self) -> int:
        """Frames that the kernel dropped because we read too slowly (SO_RXQ_OVFL)."""
        return self._receiver.dropped

    def fileno(self) -> int:
        """Return the descriptor of the data socket."""
        return self._data.fileno()

    def error_fileno(self) -> int:
        """Return the descriptor of the error socket, -1 without one."""
        return -1 if self._errors is None else self._errors.fileno()

    def receive(self) -> Frames | None:
        """Return the frames that wait or None.

        Raises OSError (ENETDOWN, ENODEV) when the link is down or gone.
        """
        try:
            return self._receiver.receive()
        except NoRecvmmsgError as error:
            self._receiver = _one_by_one(self._data, error)
            return self._receiver.receive()

    def read_errors(self) -> list[tuple[int, bytes]]:
        """Return (can_id, data) of the error frames that wait; raises OSError as `receive` does."""
        frames: list[tuple[int, bytes]] = []
        while self._errors is not None and len(frames) < MAX_FILTERS:
            try:
                frame = self._errors.recv(CLASSIC_SIZE, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            if not frame and self._errors.type == socket.SOCK_SEQPACKET:
                raise OSError(errno.ENODEV, "the interface has gone")
            if len(frame) == CLASSIC_SIZE:
                frames.append(ERROR_FRAME.unpack(frame))
        return frames

    def close(self) -> None:
        """Close both sockets."""
        self._data.close()
        if self._errors is not None:
            self._errors.close()


def _one_by_one(sock: socket.socket, error: NoRecvmmsgError) -> MsgReceiver:
    log.warning("frames are read one by one, at some times the cost: no recvmmsg (%s)", error)
    return MsgReceiver(sock)


def _prepare(sock: socket.socket) -> None:
    sock.setblocking(False)
    for option, value in ((SO_TIMESTAMPNS, 1), (SO_RXQ_OVFL, 1), (socket.SO_RCVBUF, RECEIVE_BUFFER)):
        try:
            sock.setsockopt(socket.SOL_SOCKET, option, value)
        except OSError:
            continue  # a socket that is no CAN socket may lack one: times and drops then come from elsewhere


def kernel_filters(ids: Iterable[int]) -> bytes:
    """Return an array of `struct can_filter` that passes data frames with `ids`, exactly if 512 filters do.

    Beyond the kernel's limit neighbouring ids share a filter, so some unmapped frames pass and are counted as
    unknown.
    """
    wanted = sorted(set(ids))
    shift = 0
    while len(groups := {(i & EFF_FLAG, (i & EFF_MASK) >> shift) for i in wanted}) > MAX_FILTERS:
        shift += 1
    out = bytearray()
    for flag, prefix in sorted(groups):
        bits = EFF_MASK if flag else SFF_MASK
        out += FILTER.pack(flag | prefix << shift, (bits >> shift << shift) | EFF_FLAG | RTR_FLAG)
    return bytes(out)


def _hint(interface: str, number: int | None) -> str:
    if number == errno.ENODEV:
        return f"ip link show {interface}; it is picked up as soon as it appears"
    if number == errno.EAFNOSUPPORT:
        return "this kernel has no CAN, or the sandbox forbids AF_CAN: modprobe can_raw"
    return f"ip -details link show {interface}"
