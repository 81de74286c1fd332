# SPDX-License-Identifier: Apache-2.0
"""The receive path over socket pairs that carry the kernel's frame structures, with real time stamps."""

from __future__ import annotations

import ast
import errno
import inspect
import random
import socket
import struct
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.adapters import native_receiver, python_can, recvmmsg, recvmsg, socketcan
from smartcockpit.adapters.frame_source import BATCH, EFF_FLAG
from smartcockpit.adapters.native_receiver import NativeReceiver
from smartcockpit.adapters.recvmmsg import MmsgReceiver, NoRecvmmsgError
from smartcockpit.adapters.recvmsg import MsgReceiver
from smartcockpit.adapters.socketcan import FILTER, SocketCan, kernel_filters
from smartcockpit.core.errors import UnavailableError
from support.native import library

Pair = tuple[socket.socket, SocketCan]


def classic(can_id: int, data: bytes = b"") -> bytes:
    return struct.pack("=IB3x8s", can_id, len(data), data)


def fd(can_id: int, data: bytes) -> bytes:
    return struct.pack("=IBB2x64s", can_id, len(data), 5, data)


@pytest.fixture(params=["native", "recvmmsg", "recvmsg"])
def open_pair(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Pair]]:
    opened: list[socket.socket | SocketCan] = []
    if request.param == "recvmsg":

        class Forbidden:
            def __init__(self, *_: object) -> None:
                raise NoRecvmmsgError("forbidden")

        monkeypatch.setattr(socketcan, "MmsgReceiver", Forbidden)

    def make(*, fd_frames: bool = True, kind: int = socket.SOCK_DGRAM) -> Pair:
        far, near = socket.socketpair(socket.AF_UNIX, kind)
        native = library() if request.param == "native" else None
        source = SocketCan.from_socket(near, fd_frames=fd_frames, library=native)
        opened.extend((far, source))
        return far, source

    yield make
    for thing in opened:
        thing.close()


def drain(source: SocketCan) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    while (batch := source.receive()) is not None:
        before = len(found)
        found += batch.records
        assert len(found) - before == batch.count
    return found


def test_nothing_waiting_is_none(open_pair: Callable[..., Pair]) -> None:
    assert open_pair()[1].receive() is None


@pytest.mark.parametrize("fd_frames", [False, True])
def test_classic_frames_arrive_in_order_and_whole(open_pair: Callable[..., Pair], fd_frames: bool) -> None:
    far, source = open_pair(fd_frames=fd_frames)
    sent = [classic(i | (EFF_FLAG if i % 2 else 0), bytes([i] * (i % 9))) for i in range(150)]
    for frame in sent:
        far.send(frame)
    assert drain(source) == [(struct.unpack("=I", f[:4])[0], f[4:]) for f in sent]


def test_fd_and_mixed_frames_arrive_and_others_are_counted(open_pair: Callable[..., Pair]) -> None:
    far, source = open_pair()
    far.send(fd(1, b"a" * 64))
    assert drain(source) == [(1, fd(1, b"a" * 64)[4:])]
    for frame in (classic(2, b"x"), b"bad", fd(3, b"b" * 12), classic(4)):
        far.send(frame)
    assert [(i, len(b)) for i, b in drain(source)] == [(2, 12), (3, 68), (4, 12)]
    assert source._receiver.malformed == 1


def test_times_are_the_kernels(open_pair: Callable[..., Pair]) -> None:
    far, source = open_pair()
    sent = []
    for i in range(3):
        sent.append(time.time_ns() // 1000)
        far.send(classic(i) if i else b"malformed")
        time.sleep(0.003)
    batch = source.receive()
    assert batch is not None
    times = [batch.time_us(i) for i in range(batch.count)]
    assert [abs(a - b) < 2500 for a, b in zip(times, sent[1:], strict=True)] == [True, True]


def test_time_is_the_wake_up_where_the_kernel_gives_none() -> None:
    far, near = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with far, near:
        for receiver in (NativeReceiver(near, True, library()), MmsgReceiver(near, True), MsgReceiver(near)):
            far.send(classic(1))
            batch = receiver.receive()
            assert batch is not None
            assert abs(batch.time_us(0) - time.time_ns() // 1000) < 1_000_000


def test_buffers_are_restored_between_calls(open_pair: Callable[..., Pair]) -> None:
    far, source = open_pair()
    for round_ in range(5):
        for i in range(BATCH + 3):
            far.send(classic(round_ * 100 + i))
        assert [i for i, _ in drain(source)] == [round_ * 100 + i for i in range(BATCH + 3)]


def test_a_peer_that_has_gone_is_an_error(open_pair: Callable[..., Pair]) -> None:
    far, source = open_pair(kind=socket.SOCK_SEQPACKET)
    far.close()
    with pytest.raises(OSError, match="No such device") as caught:
        source.receive()
    assert caught.value.errno == errno.ENODEV


def test_error_frames_come_by_their_own_socket() -> None:
    far, near = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    far_errors, near_errors = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with far, far_errors:
        source = SocketCan.from_socket(near, near_errors)
        far_errors.send(classic(0x2000_0040, bytes(8)))
        far_errors.send(b"bad")
        assert source.error_fileno() == near_errors.fileno()
        assert source.read_errors() == [(0x2000_0040, bytes(8))]
        assert source.read_errors() == []
        source.close()


def passes(filters: bytes, can_id: int) -> bool:
    """The kernel's rule (linux/can.h): <received_can_id> & mask == can_id & mask."""
    return any(can_id & mask == want & mask for want, mask in FILTER.iter_unpack(filters))


@given(st.sets(st.integers(0, 0x7FF) | st.integers(0, 0x1FFF_FFFF).map(lambda i: i | EFF_FLAG), max_size=40))
def test_filters_pass_exactly_the_mapped_ids(ids: set[int]) -> None:
    filters = kernel_filters(ids)
    assert all(passes(filters, i) for i in ids)
    others = {i ^ EFF_FLAG for i in ids} | {i ^ 1 for i in ids} | {i | 0x4000_0000 for i in ids}
    assert not [i for i in others - ids if (i & EFF_FLAG or i & 0x3FFF_FFFF <= 0x7FF) and passes(filters, i)]


def test_many_ids_share_filters_within_the_kernels_limit() -> None:
    rng = random.Random(1)
    ids = {rng.randrange(0x2000_0000) | EFF_FLAG for _ in range(3000)} | set(range(0, 0x7FF, 2))
    filters = kernel_filters(ids)
    assert len(filters) // FILTER.size <= socketcan.MAX_FILTERS
    assert all(passes(filters, i) for i in ids)


def test_no_ids_pass_nothing() -> None:
    assert kernel_filters([]) == b""


def test_an_interface_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="nocan9"):
        SocketCan.open("nocan9", [1], fd_frames=False)


@pytest.mark.parametrize("module", [socketcan, native_receiver, recvmmsg, recvmsg, python_can])
def test_the_adapters_have_no_way_to_send(module: object) -> None:
    names = {n.attr for n in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(n, ast.Attribute)}
    assert not {n for n in names if n.startswith(("send", "write", "sendto")) and n != "sendall"}
