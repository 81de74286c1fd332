# SPDX-License-Identifier: Apache-2.0
"""The way out under pressure: order, bounds, and the two levels of back-pressure."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator

import pytest
from smartcockpit.bus.writer import HARD_LIMIT, HIGH_WATER, Writer


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    with ours, theirs:
        yield ours, theirs


class Watched:
    def __init__(self, sock: socket.socket) -> None:
        self.drained = 0
        self.lost: list[OSError] = []
        self.writer = Writer(sock, self.lost.append, self._drained)

    def _drained(self) -> None:
        self.drained += 1


async def read_all(sock: socket.socket, size: int) -> bytes:
    data = b""
    async with asyncio.timeout(10):
        while len(data) < size:
            data += await asyncio.get_running_loop().sock_recv(sock, 1 << 20)
    return data


async def test_all_arrives_in_order_however_slowly_it_is_read(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    watched = Watched(pair[0])
    messages = [bytes([n % 251]) * (n * 37 % 4000 + 1) for n in range(500)]
    for message in messages:
        watched.writer.write(message)
    assert watched.writer.congested
    assert await read_all(pair[1], sum(map(len, messages))) == b"".join(messages)
    await asyncio.sleep(0)
    assert (watched.writer.queued, watched.writer.congested, watched.drained) == (0, False, 1)
    watched.writer.close()


async def test_signals_are_dropped_at_the_hard_limit_and_replies_are_not(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    watched = Watched(pair[0])
    piece = bytes(64 * 1024)
    while watched.writer.write_signal(piece):
        assert watched.writer.queued <= HARD_LIMIT
    assert watched.writer.dropped == 1
    before = watched.writer.queued
    watched.writer.write(b"reply")
    assert watched.writer.queued == before + 5
    assert before > HIGH_WATER
    watched.writer.close()


async def test_a_closed_peer_is_told_once_and_later_writes_are_nothing(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    watched = Watched(pair[0])
    pair[1].close()
    watched.writer.write(b"x")
    watched.writer.write(b"y")
    assert len(watched.lost) == 1
    assert watched.writer.queued == 0


def open_pipe() -> tuple[int, int]:
    """Return (end to look at, end to give away)."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    return read, write


def is_closed(read: int) -> bool:
    """True when nobody holds the other end any more."""
    try:
        return os.read(read, 1) == b""
    except BlockingIOError:
        return False


async def test_descriptors_travel_with_the_first_byte_of_their_message(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    watched = Watched(pair[0])
    read, write = open_pipe()
    watched.writer.write(b"before")
    watched.writer.write(b"lock", [write])
    watched.writer.write(b"after")
    _, fds, _, _ = socket.recv_fds(pair[1], 6, 4)
    assert fds == []
    data, fds, _, _ = socket.recv_fds(pair[1], 100, 4)
    # A message with descriptors starts a read of its own (unix(7)).
    assert (data[:4], len(fds)) == (b"lock", 1)
    assert not is_closed(read)
    os.close(fds[0])
    assert is_closed(read), "we kept a copy"
    os.close(read)
    watched.writer.close()


@pytest.mark.parametrize("position", [0, 1, 63, 64, 200])
async def test_descriptors_wait_their_turn_in_a_full_queue(
    pair: tuple[socket.socket, socket.socket], position: int
) -> None:
    watched = Watched(pair[0])
    watched.writer.write(bytes(2 * HIGH_WATER))
    read, write = open_pipe()
    for n in range(300):
        watched.writer.write(b"%4d" % n, [write] if n == position else [])
    received, found_at, loop = bytearray(), -1, asyncio.get_running_loop()
    async with asyncio.timeout(10):
        while len(received) < 2 * HIGH_WATER + 1200:
            ready = loop.create_future()
            loop.add_reader(pair[1], lambda future=ready: future.done() or future.set_result(None))
            await ready
            data, fds, _, _ = socket.recv_fds(pair[1], 1 << 20, 4)
            if fds:
                found_at = len(received)
                os.close(fds[0])
            received += data
    loop.remove_reader(pair[1])
    assert received[2 * HIGH_WATER :] == b"".join(b"%4d" % n for n in range(300))
    # A read may begin with bytes before the message, never after its first.
    assert 0 <= found_at <= 2 * HIGH_WATER + 4 * position
    assert is_closed(read)
    os.close(read)
    watched.writer.close()


@pytest.mark.parametrize("lost", ["closed before", "closed with the queue", "peer gone"])
async def test_descriptors_that_cannot_be_sent_are_closed(
    pair: tuple[socket.socket, socket.socket], lost: str
) -> None:
    watched = Watched(pair[0])
    read, write = open_pipe()
    if lost == "closed before":
        watched.writer.close()
    elif lost == "peer gone":
        pair[1].close()
    else:
        watched.writer.write(bytes(2 * HIGH_WATER))
    watched.writer.write(b"lock", [write])
    watched.writer.close()
    assert is_closed(read)
    os.close(read)
