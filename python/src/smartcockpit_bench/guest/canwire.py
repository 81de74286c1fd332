# SPDX-License-Identifier: Apache-2.0
"""The simulated car's end of the wire: text frames from the host's virtio-serial port onto SocketCAN.

Runs in the guest under `python3 -I -S` with the standard library alone. Owns the port and the sending
sockets of the *car's* interfaces (`can0=car0`: what the host calls can0 is sent on car0); the cockpit never
sees this program. One line a frame, as `candump -L` writes it, an optional leading `(time)` is ignored:

    can0 123#11223344            classic, 11 bit; 8 hex digits for a 29 bit id; #R or #R8 for a remote frame
    can1 18FF0001##1AABB..       CAN FD, one hex digit of flags (1 = bit rate switch)
    ?ping TOKEN                  answered by `! pong TOKEN frames=N`, after all earlier lines were sent
    ?hello                       answered by `! hello`: the host asks when it connects
    ?stats                       answered by a `! stats` line; one also comes by itself when something changed

To the host: `! hello 1 can0=car0 …` when the port opens, `! stats frames=N garbage=N dropped=N can0=up …`,
`! bad <line>` for at most one garbage line a second. Garbage is skipped and counted. An interface that is
down, missing, bus-off or full drops its frames, as a car's controller does, and is tried again.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Callable

PROTOCOL = 1
MAX_LINE = 512
RETRY_S = 0.3
STATS_S = 1.0
FD_LENGTHS = frozenset((0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64))
EFF_FLAG, RTR_FLAG = 0x8000_0000, 0x4000_0000
FDF_FLAG = 4
"""CANFD_FDF of linux/can.h: marks an FD frame even where only its length would tell."""
GONE = frozenset((errno.ENETDOWN, errno.ENXIO, errno.ENODEV, errno.EBADF, errno.EADDRNOTAVAIL))


def parse_id(text: str) -> int:
    """Return the CAN id of 3 or 8 hex digits with bit 31 for 29 bits; raises ValueError."""
    if len(text) not in (3, 8) or not text.isalnum():
        raise ValueError(text)
    can_id = int(text, 16)
    if can_id > (0x7FF if len(text) == 3 else 0x1FFF_FFFF):
        raise ValueError(text)
    return can_id if len(text) == 3 else can_id | EFF_FLAG


def classic_head(id_text: str, length: int) -> bytes:
    """Return the first 8 bytes of `struct can_frame`; raises ValueError."""
    if length > 8:
        raise ValueError(length)
    return struct.pack("=IB3x", parse_id(id_text), length)


def fd_head(id_text: str, flags: str, length: int) -> bytes:
    """Return the first 8 bytes of `struct canfd_frame`; raises ValueError."""
    if length not in FD_LENGTHS:
        raise ValueError(length)
    return struct.pack("=IBB2x", parse_id(id_text), length, int(flags, 16) & 3 | FDF_FLAG)


def remote_frame(id_text: str, length: str) -> bytes:
    """Return a remote frame; `length` is "" or one digit up to 8. Raises ValueError."""
    dlc = int(length or "0")
    if not 0 <= dlc <= 8:
        raise ValueError(length)
    return struct.pack("=IB11x", parse_id(id_text) | RTR_FLAG, dlc)


class Interface:
    """A CAN interface to send on: opened late, lost and found again, never fatal."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.state = "down"
        self.dropped = 0
        self._socket: socket.socket | None = None
        self._retry_at = 0.0

    def send(self, frame: bytes) -> bool:
        """Send one kernel frame (16 or 72 bytes); a frame that cannot be sent now is dropped and counted."""
        if self._socket is None and not self._open():
            self.dropped += 1
            return False
        assert self._socket is not None
        for _ in range(20):
            try:
                self._socket.send(frame)
            except OSError as error:
                if error.errno == errno.ENOBUFS:  # queue full: the wire needs a moment
                    time.sleep(0.001)
                    continue
                self._failed(error)
                break
            else:
                return True
        self.dropped += 1
        return False

    def _open(self) -> bool:
        if time.monotonic() < self._retry_at:
            return False
        try:
            sock = socket.socket(socket.AF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
        except OSError as error:  # the kernel has no CAN, or not yet
            self._failed(error)
            return False
        try:
            sock.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_FILTER, b"")
            sock.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_FD_FRAMES, 1)
            # A send buffer smaller than the device queue makes send() wait for the wire instead of failing.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("@ll", 0, 50_000))
            sock.bind((self.name,))
        except OSError as error:
            sock.close()
            self._failed(error)
            return False
        self._socket, self.state = sock, "up"
        return True

    def _failed(self, error: OSError) -> None:
        if error.errno in (errno.EINVAL, errno.EMSGSIZE):  # an FD frame on a classic interface
            self.state = "refused"
            return
        self.state = (
            "full" if error.errno == errno.EAGAIN else "missing" if error.errno == errno.ENODEV else "down"
        )
        if error.errno in GONE and self._socket is not None:
            self._socket.close()
        if error.errno != errno.EAGAIN:
            self._socket = None
        self._retry_at = time.monotonic() + RETRY_S


class Wire:
    """Turns bytes from the port into sent frames, and counts."""

    def __init__(self, interfaces: dict[str, Interface], answer: Callable[[str], None]) -> None:
        self.interfaces = interfaces
        self.frames = self.garbage = 0
        self.hello = f"! hello {PROTOCOL} " + " ".join(
            f"{bus}={face.name}" for bus, face in interfaces.items()
        )
        self._senders = {name: face.send for name, face in interfaces.items()}
        self._answer = answer
        self._tail = ""
        self._heads: dict[tuple[str, int], bytes] = {}
        self._complain_at = 0.0

    def feed(self, chunk: bytes) -> None:
        """Take any bytes: whole lines are sent, the rest waits for the next chunk."""
        lines = (self._tail + chunk.decode("ascii", "replace")).split("\n")
        self._tail = lines.pop()
        if len(self._tail) > MAX_LINE:
            lines.append(self._tail)
            self._tail = ""
        senders, heads, fromhex, sent = self._senders, self._heads, bytes.fromhex, 0
        for line in lines:
            try:
                bus, _, rest = line.partition(" ")
                id_text, mark, data = rest.partition("#")
                if not mark:
                    raise ValueError
                payload = fromhex(data)
                sent += senders[bus](heads[id_text, len(payload)] + payload.ljust(8, b"\0"))
            except (KeyError, ValueError):
                self.frames, sent = self.frames + sent, 0
                self.frames += self._slow(line)
        self.frames += sent

    def stats(self) -> str:
        """Return the line that tells the host how it goes."""
        dropped = sum(face.dropped for face in self.interfaces.values())
        states = " ".join(f"{name}={face.state}" for name, face in self.interfaces.items())
        return f"! stats frames={self.frames} garbage={self.garbage} dropped={dropped} {states}"

    def _slow(self, line: str) -> int:
        """Handle what the fast path does not know: times, new ids, FD, remote frames, questions, garbage."""
        line = line.strip()
        if not line or line.startswith("#"):
            return 0
        if line.startswith("?"):
            self._ask(line[1:].split())
            return 0
        try:
            words = line.split()
            bus, rest = words[1:3] if line.startswith("(") else words[:2]
            return self._senders[bus](self._parse(rest))
        except (KeyError, ValueError):
            self._complain(line)
            return 0

    def _parse(self, rest: str) -> bytes:
        id_text, mark, data = rest.partition("#")
        if data.startswith("#"):
            payload = bytes.fromhex(data[2:])
            return fd_head(id_text, data[1:2], len(payload)) + payload.ljust(64, b"\0")
        if not mark:
            raise ValueError(rest)
        if data.startswith("R"):
            return remote_frame(id_text, data[1:])
        payload = bytes.fromhex(data)
        head = classic_head(id_text, len(payload))
        if len(self._heads) < 4096:
            self._heads[id_text, len(payload)] = head
        return head + payload.ljust(8, b"\0")

    def _ask(self, words: list[str]) -> None:
        if words[:1] == ["ping"]:
            self._answer(f"! pong {' '.join(words[1:2])} frames={self.frames}")
        elif words[:1] == ["hello"]:
            self._answer(self.hello)
        elif words[:1] == ["stats"]:
            self._answer(self.stats())
        else:
            self.garbage += 1

    def _complain(self, line: str) -> None:
        self.garbage += 1
        now = time.monotonic()
        if now >= self._complain_at:
            self._complain_at = now + STATS_S
            self._answer("! bad " + ascii(line[:80]))


def serve(port: str, wire_of: Callable[[Callable[[str], None]], Wire]) -> None:
    """Open `port` again and again, and pass what comes to the wire. Never returns."""
    while True:
        try:
            fd = os.open(port, os.O_RDWR | os.O_NONBLOCK)
        except OSError:  # no such port (yet), or somebody else has it
            time.sleep(RETRY_S)
            continue
        try:
            converse(fd, wire_of)
        except OSError as error:
            print(f"{port}: {error.strerror}, opening it again", file=sys.stderr, flush=True)
        finally:
            os.close(fd)
        time.sleep(RETRY_S)


def converse(fd: int, wire_of: Callable[[Callable[[str], None]], Wire]) -> None:
    """Serve one opening of the port until it fails (OSError)."""

    def answer(text: str) -> None:
        with contextlib.suppress(BlockingIOError):  # nobody reads; the next report says the same and more
            os.write(fd, text.encode("ascii", "replace") + b"\n")

    wire = wire_of(answer)
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    greeted, told, report_at = False, "", 0.0
    while True:
        events = poller.poll(1000)
        hung_up = bool(events and events[0][1] & select.POLLHUP)
        if hung_up:  # the host's side is closed: wait for it, and say hello again
            greeted = False
            time.sleep(RETRY_S)
            continue
        if not greeted:
            greeted = True
            answer(wire.hello)
        if events:
            wire.feed(os.read(fd, 65536))
        now = time.monotonic()
        if now >= report_at and (text := wire.stats()) != told:
            told, report_at = text, now + STATS_S
            answer(text)


def main(argv: list[str]) -> int:
    """Run with `PORT BUS=INTERFACE…`, for example `/dev/virtio-ports/org.smartcockpit.car can0=car0`."""
    pairs = [word.partition("=") for word in argv[1:]]
    if len(argv) < 2 or not all(name and sep and face for name, sep, face in pairs):
        print("usage: canwire.py PORT BUS=INTERFACE…", file=sys.stderr)
        return 2
    faces = {name: Interface(face) for name, _, face in pairs}
    serve(argv[0], lambda answer: Wire(faces, answer))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
