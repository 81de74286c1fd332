# SPDX-License-Identifier: Apache-2.0
"""The way out under pressure: order, bounds, and the two levels of back-pressure."""

from __future__ import annotations

import asyncio
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
