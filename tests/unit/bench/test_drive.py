# SPDX-License-Identifier: Apache-2.0
"""Replay of the user's recordings: every format, garbage in them, and their timing."""

from __future__ import annotations

import contextlib
import gzip
from pathlib import Path

import can
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.core.errors import UsageError
from smartcockpit_bench.drive.channels import guess, parse_map
from smartcockpit_bench.drive.log import CanLog, LogEntry
from smartcockpit_bench.drive.replay import BETWEEN_LOOPS_S, LONGEST_PAUSE_S, Replay
from smartcockpit_bench.frame import Frame

CANDUMP = """\
(100.000000) can0 123#1122
(100.100000) vcan1 18FF0001##1AABBCCDD
(100.200000) can0 321#R4
(100.300000) can0 20000080#0000000000000000
"""


def write(path: Path, messages: list[can.Message]) -> Path:
    with can.Logger(str(path)) as logger:
        for message in messages:
            logger(message)
    return path


def messages() -> list[can.Message]:
    return [
        can.Message(1000.0 + i / 10, 0x100 + i, is_extended_id=False, data=[i] * 8, channel=0)
        for i in range(20)
    ]


@pytest.mark.parametrize("suffix", ["log", "asc", "blf", "csv", "trc", "log.gz", "asc.gz"])
def test_every_format_is_read(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"drive.{suffix}", messages())
    log = CanLog(path)
    entries = list(log.entries())
    assert [(e.frame.can_id, e.frame.data) for e in entries] == [
        (0x100 + i, bytes([i] * 8)) for i in range(20)
    ]
    assert entries[-1].time_s - entries[0].time_s == pytest.approx(1.9, abs=0.01)
    assert log.warning() == ""


def test_candump_line_becomes_the_frame_that_it_says(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text(CANDUMP)
    entries = list(CanLog(path).entries())
    assert entries[0] == LogEntry(100.0, "can0", Frame("can0", 0x123, b"\x11\x22"))
    assert entries[1].frame == Frame("vcan1", 0x18FF0001, b"\xaa\xbb\xcc\xdd", True, True, True)
    assert entries[2].frame == Frame("can0", 0x321, b"", remote_length=4)


@pytest.mark.parametrize("suffix", ["log", "asc", "csv", "trc"])
def test_garbage_lines_are_skipped_and_the_rest_is_replayed(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"drive.{suffix}", messages())
    lines = path.read_text().splitlines()
    lines[-5:-5] = ["(12.0) can0 123#GG", "(((", "1.5 1 zz Rx d 8", "1,2,3", "   7)  x", "\x00\x01"]
    path.write_text("\n".join(lines) + "\n")
    log = CanLog(path)
    found = [e.frame.can_id for e in log.entries()]
    assert found == [0x100 + i for i in range(20)]
    if log.skipped:
        assert "line " in log.warning()


def test_skipped_lines_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("what is this\n" + CANDUMP + "(1.0) can0 123#112233445566778899\n(2.0) can0 12G#\n")
    log = CanLog(path)
    assert len(list(log.entries())) == 3
    assert log.skipped == 3
    assert log.warning() == "a.log: skipped 3 unreadable entries, the first: line 1: 'what is this'"


def test_truncated_blf_is_read_up_to_its_damage(tmp_path: Path) -> None:
    path = write(tmp_path / "a.blf", messages() * 2000)
    whole = len(list(CanLog(path).entries()))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    log = CanLog(path)
    assert 0 < len(list(log.entries())) < whole
    assert "cut off" in log.warning() or "damaged" in log.warning()


@pytest.mark.parametrize("suffix", ["log.gz", "asc.gz", "blf.gz"])
def test_cut_off_packed_log_is_read_to_the_cut_and_says_so(tmp_path: Path, suffix: str) -> None:
    plain = write(tmp_path / f"whole.{suffix.removesuffix('.gz')}", messages() * 200).read_bytes()
    path = tmp_path / f"drive.{suffix}"
    packed = gzip.compress(plain)
    path.write_bytes(packed[: len(packed) * 3 // 4])
    log = CanLog(path)
    with contextlib.suppress(UsageError):  # of a BLF there may be not one whole block
        assert 0 < len(list(log.entries())) < len(messages()) * 200
    assert log.skipped >= 1
    assert "cut off" in log.first_skipped or "damaged" in log.first_skipped


def test_blf_that_ends_between_two_objects_says_that_its_end_is_missing(tmp_path: Path) -> None:
    with can.BLFWriter(str(tmp_path / "whole.blf"), max_container_size=256) as writer:
        for message in messages():
            writer(message)
    whole = (tmp_path / "whole.blf").read_bytes()
    cut = tmp_path / "cut.blf"
    cut.write_bytes(whole[: whole.rindex(b"LOBJ", 144)])
    log = CanLog(cut)
    assert 0 < len(list(log.entries())) < len(messages())
    assert "cut off" in log.warning()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.log", None, "no such file"), ("empty.log", b"", "empty"),
        ("drive.mp3", b"x", "unknown kind"),
        ("drive", b"x", "unknown kind"), ("a.log", b"hello\nworld\n", "not one CAN frame"),
        ("a.blf", b"not a blf", "not one CAN frame"), ("a.asc", b"\xff\xfe\x00" * 50, "not one CAN frame"),
        ("a.csv", b"a,b\n1,2\n", "not one CAN frame"), ("a.log.gz", b"no gzip", "not one CAN frame"),
    ],
)  # fmt: skip
def test_unusable_file_is_one_clear_error(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=words) as error:
        list(CanLog(path).entries())
    assert error.value.hint


@given(st.binary(max_size=600), st.sampled_from(["log", "asc", "trc", "csv", "blf", "log.gz"]))
def test_no_bytes_raise_anything_but_a_usage_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, suffix: str
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / f"a.{suffix}"
    path.write_bytes(gzip.compress(data) if suffix.endswith("gz") else data or b" ")
    with contextlib.suppress(UsageError):
        assert all(isinstance(e, LogEntry) for e in CanLog(path).entries())


def replay(tmp_path: Path, text: str, **options: float | bool) -> Replay:
    path = tmp_path / "a.log"
    path.write_text(text)
    return Replay(CanLog(path), {"can0": "can0"}, **options)  # type: ignore[arg-type]


def test_replay_is_true_in_time_and_loops(tmp_path: Path) -> None:
    source = replay(tmp_path, "(50.0) can0 001#\n(50.5) can0 002#\n(51.0) can9 003#\n")
    assert [f.can_id for f in source.due(0.0)] == [1]
    assert source.due(0.49) == []
    assert [f.can_id for f in source.due(0.5)] == [2]
    assert [f.can_id for f in source.due(0.5 + BETWEEN_LOOPS_S)] == [1]
    assert (source.loops, source.ignored) == (1, 1)


def test_speed_pause_and_backward_times(tmp_path: Path) -> None:
    text = "(50.0) can0 001#\n(40.0) can0 002#\n(9999.0) can0 003#\n"
    source = replay(tmp_path, text, speed=2.0, loop=False)
    assert [f.can_id for f in source.due(0.0)] == [1, 2]
    assert [f.can_id for f in source.due(LONGEST_PAUSE_S / 2)] == [3]
    assert source.due(1e9) == []
    assert source.ended


def test_replay_without_a_frame_for_us_ends(tmp_path: Path) -> None:
    source = replay(tmp_path, "(50.0) vcan7 001#\n")
    assert source.due(1e9) == []
    assert source.ended


def test_channels_find_their_bus_by_identifiers() -> None:
    ids = {"can0": frozenset({0x100, 0x101}), "can1": frozenset({0x200, 0x98FF0001})}
    entries = [LogEntry(0, c, Frame(c, i & 0x1FFFFFFF, extended=i >> 31 == 1))
               for c, i in (("5", 0x200), ("5", 0x98FF0001), ("vcan3", 0x101), ("x", 0x7))]  # fmt: skip
    assert guess(entries, ids) == {"5": "can1", "vcan3": "can0"}
    assert guess([LogEntry(0, "a", Frame("a", 7)), LogEntry(0, "b", Frame("b", 7))], ids) == {
        "a": "can0",
        "b": "can1",
    }


@pytest.mark.parametrize("text", ["a", "a=", "=can0", "a=cann0"])
def test_faulty_channel_map_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_map(text, ["can0", "can1"])


def test_channel_map() -> None:
    assert parse_map(" vcan0=can0, 1=can1", ["can0", "can1"]) == {"vcan0": "can0", "1": "can1"}
