# SPDX-License-Identifier: Apache-2.0
"""Watches CAN interfaces through RTNETLINK: which exist, are up, how controller and counters stand.

Reads only, needs no capability. Messages come from the kernel, yet every length is checked: a truncated one
yields what could be read. Sources: rtnetlink(7), linux/if_link.h, linux/can/netlink.h.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
from collections.abc import Iterator

from smartcockpit.core.canbus import BusState, kernel_state
from smartcockpit.core.named import NamedTuple

RTMGRP_LINK = 1
NLMSG_ERROR, NLMSG_DONE, RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 2, 3, 16, 17, 18
NLM_F_REQUEST, NLM_F_MULTI, NLM_F_DUMP_INTR, NLM_F_DUMP = 1, 2, 16, 0x300
ARPHRD_CAN, IFF_UP, IFF_RUNNING = 280, 0x1, 0x40
IFLA_IFNAME, IFLA_LINKINFO, IFLA_STATS64, IFLA_EXT_MASK = 3, 18, 23, 29
INFO_KIND, INFO_DATA = 1, 2
CAN_BITTIMING, CAN_STATE, CAN_BERR_COUNTER, CAN_DATA_BITTIMING = 1, 4, 8, 9
HEADER = struct.Struct("=IHHII")
LINK = struct.Struct("=BxHiII")
ATTRIBUTE = struct.Struct("=HH")
NESTED = 0x3FFF


class Link(NamedTuple):
    """One CAN interface. Counters are the kernel's since the interface was made; 0 where it did not tell."""

    name: str
    number: int
    up: bool
    present: bool = True
    kind: str = ""
    """`can` for hardware, `vcan`, `vxcan`, `slcan`."""
    state: BusState | None = None
    """None for a virtual interface, which has no controller."""
    bitrate: int = 0
    data_bitrate: int = 0
    tx_errors: int = 0
    rx_errors: int = 0
    rx_frames: int = 0
    rx_bytes: int = 0
    tx_frames: int = 0
    tx_bytes: int = 0
    dropped: int = 0

    @property
    def usable(self) -> bool:
        """True when frames can arrive."""
        return self.present and self.up


class LinkWatcher:
    """One netlink socket: ask with `request`, be told of changes; `read` returns both alike."""

    def __init__(self) -> None:
        self._sequence = 0
        self._roll = Roll()
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK
        self._socket = socket.socket(socket.AF_NETLINK, kind, 0)
        self._socket.bind((0, RTMGRP_LINK))

    def fileno(self) -> int:
        """Return the descriptor, readable when there is news."""
        return self._socket.fileno()

    def request(self) -> None:
        """Ask for all interfaces; they come through `read`."""
        self._sequence += 1
        body = LINK.pack(0, 0, 0, 0, 0)
        head = HEADER.pack(
            HEADER.size + len(body), RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, self._sequence, 0
        )
        with contextlib.suppress(BlockingIOError):
            self._socket.send(head + body)

    def read(self) -> list[Link]:
        """Return news of CAN interfaces, oldest first; after an overrun everything is asked for anew."""
        links: list[Link] = []
        while True:
            try:
                data, _, _, (pid, _) = self._socket.recvmsg(1 << 16)
            except BlockingIOError:
                return links
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.request()
                return links
            if pid == 0:  # from the kernel, nobody else
                links += self._roll.take(data)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()


class Roll:
    """The interfaces that are there, by name. News can be lost in an overrun: what a full list of the kernel
    does not have any more, renamed interfaces too, is told as gone.
    """

    def __init__(self) -> None:
        self._there: dict[str, Link] = {}
        self._list: int | None = None
        self._met: set[str] = set()
        self._torn = False

    def take(self, data: bytes) -> list[Link]:
        """Return what a datagram of netlink messages tells, oldest first."""
        told: list[Link] = []
        for kind, flags, sequence, link in messages(data):
            if flags & NLM_F_MULTI and sequence != self._list:
                self._list, self._met, self._torn = sequence, set(), False
            self._torn |= bool(flags & NLM_F_DUMP_INTR)
            if link is not None:
                told.append(link)
                self._note(link)
            elif kind == NLMSG_DONE and sequence == self._list and not self._torn:
                told += [
                    self._there.pop(name)._replace(present=False) for name in self._there.keys() - self._met
                ]
        return told

    def _note(self, link: Link) -> None:
        if link.present:
            self._there[link.name] = link
            self._met.add(link.name)
        else:
            self._there.pop(link.name, None)


def messages(data: bytes) -> Iterator[tuple[int, int, int, Link | None]]:
    """Yield type, flags and sequence number of the netlink messages in `data`, with the CAN interface that
    one tells of.

    Never raises, whatever the bytes.
    """
    view = memoryview(data)
    while len(view) >= HEADER.size:
        length, kind, flags, sequence, _ = HEADER.unpack_from(view)
        if length < HEADER.size or length > len(view):
            return
        link = None
        if kind in (RTM_NEWLINK, RTM_DELLINK) and length >= HEADER.size + LINK.size:
            link = _link(view[HEADER.size : length], kind == RTM_NEWLINK)
        yield kind, flags, sequence, link
        view = view[(length + 3) & ~3 :]


def _link(body: memoryview, present: bool) -> Link | None:
    _, hardware, index, flags, _ = LINK.unpack_from(body)
    if hardware != ARPHRD_CAN:
        return None
    attributes = _attributes(body[LINK.size :])
    name = bytes(attributes.get(IFLA_IFNAME, b"")).split(b"\0")[0].decode("ascii", "replace")
    info = _attributes(attributes.get(IFLA_LINKINFO, memoryview(b"")))
    can = _attributes(info.get(INFO_DATA, memoryview(b"")))
    stats = _numbers(attributes.get(IFLA_STATS64), "=8Q")
    state = _numbers(can.get(CAN_STATE), "=I")
    tx_errors, rx_errors = _numbers(can.get(CAN_BERR_COUNTER), "=HH") or (0, 0)
    rx_frames, tx_frames, rx_bytes, tx_bytes, _, _, dropped, _ = stats or (0,) * 8
    return Link(
        name=name, number=index, up=bool(flags & IFF_UP), present=present,
        kind=bytes(info.get(INFO_KIND, b"")).rstrip(b"\0").decode("ascii", "replace"),
        state=kernel_state(state[0]) if state else None,
        bitrate=(_numbers(can.get(CAN_BITTIMING), "=I") or (0,))[0],
        data_bitrate=(_numbers(can.get(CAN_DATA_BITTIMING), "=I") or (0,))[0],
        tx_errors=tx_errors, rx_errors=rx_errors,
        rx_frames=rx_frames, rx_bytes=rx_bytes, tx_frames=tx_frames, tx_bytes=tx_bytes, dropped=dropped,
    )  # fmt: skip


def _attributes(view: memoryview) -> dict[int, memoryview]:
    found: dict[int, memoryview] = {}
    while len(view) >= ATTRIBUTE.size:
        length, kind = ATTRIBUTE.unpack_from(view)
        if length < ATTRIBUTE.size or length > len(view):
            break
        found[kind & NESTED] = view[ATTRIBUTE.size : length]
        view = view[(length + 3) & ~3 :]
    return found


def _numbers(view: memoryview | None, layout: str) -> tuple[int, ...] | None:
    if view is None or len(view) < struct.calcsize(layout):
        return None
    return struct.unpack_from(layout, view)


def restart_request(folder: str, interface: str) -> None:
    """Ask for a restart of `interface` after bus-off: leaves a file for smartcockpit-can-restart.path.

    We have no right to do it ourselves; raises OSError when `folder` cannot be written.
    """
    place = os.path.join(folder, os.path.basename(interface))
    os.makedirs(folder, mode=0o700, exist_ok=True)
    os.close(os.open(place, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
