# SPDX-License-Identifier: Apache-2.0
"""The guest's end of the wire: what it makes of text, and of garbage."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit_bench.frame import FD_LENGTHS, Frame
from smartcockpit_bench.guest.canwire import Interface, Wire


class Sink(Interface):
    """An interface that keeps what it is given."""

    def __init__(self) -> None:
        super().__init__("fake0")
        self.frames: list[bytes] = []

    def send(self, frame: bytes) -> bool:
        self.frames.append(frame)
        return True


def wire() -> tuple[Wire, Sink, list[str]]:
    sink, answers = Sink(), []
    return Wire({"can0": sink, "can1": sink}, answers.append), sink, answers


def kernel_view(frame: bytes) -> tuple[int, bytes, bool]:
    can_id, length = struct.unpack_from("=IB", frame)
    assert len(frame) in (16, 72)
    return can_id, frame[8 : 8 + length], len(frame) == 72


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    extended, fd = draw(st.booleans()), draw(st.booleans())
    can_id = draw(st.integers(0, 0x1FFF_FFFF if extended else 0x7FF))
    length = draw(st.sampled_from(FD_LENGTHS)) if fd else draw(st.integers(0, 8))
    data = draw(st.binary(min_size=length, max_size=length))
    return Frame("can0", can_id, data, extended, fd, fd and draw(st.booleans()))


@given(st.lists(frames(), max_size=20), st.integers(1, 40))
def test_every_frame_arrives_as_it_was_however_the_bytes_are_cut(sent: list[Frame], cut: int) -> None:
    end, sink, _ = wire()
    text = "".join(frame.line() + "\n" for frame in sent).encode()
    for start in range(0, len(text), cut):
        end.feed(text[start : start + cut])
    expected = [(f.can_id | f.extended << 31, f.data, f.fd) for f in sent]
    assert [kernel_view(frame) for frame in sink.frames] == expected
    assert (end.frames, end.garbage) == (len(sent), 0)


@given(st.binary(max_size=2000))
def test_no_bytes_ever_raise(data: bytes) -> None:
    end, sink, _ = wire()
    end.feed(data)
    end.feed(b"\n")
    assert all(len(frame) in (16, 72) for frame in sink.frames)


@pytest.mark.parametrize(
    "line",
    [
        "can9 123#11", "can0 123", "can0 12#11", "can0 800#11", "can0 FFFFFFFF#11",
        "can0 123#112233445566778899", "can0 123#1", "can0 123#zz", "can0 123##0112233445566778899",
        "can0 +12#11", "can0 1_2#11", "can0",
        "can0 123#R9", "(abc", "can0 123##", "?what", "(1.0) can0", "\ufffd\ufffd",
    ],
)  # fmt: skip
def test_garbage_is_skipped_counted_and_reported_once_a_second(line: str) -> None:
    end, sink, answers = wire()
    end.feed((line + "\n").encode() * 3 + b"can0 123#11\n")
    assert len(sink.frames) == 1
    assert end.garbage == 3
    assert sum(answer.startswith("! bad ") for answer in answers) <= 1


def test_times_blank_lines_comments_and_remote_frames_are_understood() -> None:
    end, sink, _ = wire()
    end.feed(b"\n# a comment\n(12.5) can0 123#AABB\r\ncan1 12345678#R4\n")
    assert kernel_view(sink.frames[0]) == (0x123, b"\xaa\xbb", False)
    assert struct.unpack_from("=IB", sink.frames[1]) == (0x1234_5678 | 0xC000_0000, 4)
    assert end.garbage == 0


def test_ping_is_answered_after_the_frames_before_it() -> None:
    end, _, answers = wire()
    end.feed(b"can0 123#11\ncan0 123#12\n?ping t7\n?stats\n?hello\n")
    assert answers[0] == "! pong t7 frames=2"
    assert answers[1].startswith("! stats frames=2 garbage=0 dropped=0 can0=")
    assert answers[2] == "! hello 1 can0=fake0 can1=fake0"


def test_line_without_end_is_given_up() -> None:
    end, sink, _ = wire()
    for _ in range(100):
        end.feed(b"x" * 1000)
    end.feed(b"\ncan0 123#11\n")
    assert len(sink.frames) == 1


def test_missing_interface_drops_and_counts() -> None:
    face = Interface("nosuchcan9")
    end = Wire({"can0": face}, lambda _: None)
    end.feed(b"can0 123#11\n" * 5)
    assert (end.frames, face.dropped) == (0, 5)
    assert face.state in ("missing", "down")
