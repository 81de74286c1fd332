# SPDX-License-Identifier: Apache-2.0
"""Cutting messages out of a stream, however it arrives."""

from __future__ import annotations

import contextlib

import pytest
from dbus_next import Message, MessageType
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.bus.codec import Incoming
from smartcockpit.bus.framing import HEADER_LIMIT, Framer, ProtocolError
from smartcockpit.bus.header import CALL


def call(text: str, serial: int = 1, path: str = "/a") -> bytes:
    message = Message(
        destination="org.example.X1",
        path=path,
        interface="org.example.X1",
        member="Say",
        signature="s",
        body=[text],
        serial=serial,
        sender=":1.5",
    )
    return bytes(message._marshall())


def feed_in_pieces(framer: Framer, data: bytes, size: int) -> list[Incoming]:
    return [m for i in range(0, len(data), size) for m in framer.feed(data[i : i + size])]


@given(
    st.lists(st.text(st.characters(codec="ascii", min_codepoint=32), max_size=40), max_size=6),
    st.integers(1, 99),
)
def test_any_split_gives_the_same_messages(texts: list[str], size: int) -> None:
    stream = b"".join(call(text, n + 1) for n, text in enumerate(texts))
    messages = feed_in_pieces(Framer(), stream, size)
    assert [(m.serial, m.args()) for m in messages] == [(n + 1, [t]) for n, t in enumerate(texts)]


@pytest.mark.parametrize("size", [1, 7, 100, 10_000_000])
def test_a_large_call_is_reported_by_its_header_and_its_body_is_not_kept(size: int) -> None:
    big = call("x" * 10_000)
    framer = Framer(call_limit=1000)
    first, second = feed_in_pieces(framer, big + call("small", 2), size)
    assert (first.kind, first.member, first.too_large, first.body) == (CALL, "Say", len(big), b"")
    assert second.args() == ["small"]


def test_a_large_reply_to_us_is_not_limited_like_a_call() -> None:
    reply = Message(
        message_type=MessageType.METHOD_RETURN, reply_serial=4, signature="s", body=["x" * 10_000], serial=1
    )
    (message,) = Framer(call_limit=1000).feed(bytes(reply._marshall()))
    assert not message.too_large
    assert len(message.args()[0]) == 10_000


@pytest.mark.parametrize("size", [100, 1_000_000])
def test_an_absurd_header_is_skipped(size: int) -> None:
    framer = Framer()
    absurd = call("x", path="/" + "a" * HEADER_LIMIT)
    assert [m.serial for m in feed_in_pieces(framer, absurd + call("y", 2), size)] == [2]
    assert framer.skipped == 1


@given(st.binary(min_size=16, max_size=200))
def test_rubbish_is_told_apart_and_never_another_error(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        Framer().feed(data)


def test_a_big_endian_message_is_understood() -> None:
    fields = b"\x01\x01o\0\0\0\0\x02/a\0\0\0\0\0\0" + b"\x03\x01s\0\0\0\0\x01M\0"
    head = b"B\x01\0\x01" + (4).to_bytes(4, "big") + (9).to_bytes(4, "big") + len(fields).to_bytes(4, "big")
    signature = b"\x08\x01g\0\x01u\0"
    padded = fields + bytes(-len(fields) % 8) + signature
    head = head[:12] + len(padded).to_bytes(4, "big")
    message = head + padded + bytes(-(16 + len(padded)) % 8) + (77).to_bytes(4, "big")
    (got,) = Framer().feed(message)
    assert (got.serial, got.path, got.member, got.args()) == (9, "/a", "M", [77])
