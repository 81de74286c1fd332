# SPDX-License-Identifier: Apache-2.0
"""Recordings come back byte for byte, and as far as they go."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smartcockpit.adapters.gnss_recording import Piece, Recorder, pieces
from smartcockpit.core.errors import ConfigError, UnavailableError

FILE = "drive.scgnss"


def write(path: Path, parts: list[bytes], limit: int = 1 << 20) -> Recorder:
    recorder = Recorder(path, limit)
    for i, part in enumerate(parts):
        recorder.take(part, 1000 + i, 7 + i)
    recorder.close()
    return recorder


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(st.binary(min_size=1, max_size=50), max_size=6), cut=st.integers(0, 500))
def test_what_was_recorded_comes_back_up_to_where_the_file_breaks_off(
    tmp_path: Path, parts: list[bytes], cut: int
) -> None:
    path = tmp_path / FILE
    write(path, parts)
    expected = [Piece(i, 7 + i, part) for i, part in enumerate(parts)]
    assert list(pieces(path)) == expected
    whole = path.read_bytes()
    path.write_bytes(whole[: max(8, cut)])
    found = list(pieces(path))
    assert found == expected[: len(found)]
    assert len(found) == len(expected) or cut < len(whole)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"$GPRMC,1,2,3\r\n")
    with pytest.raises(ConfigError, match="no recording of a receiver"):
        list(pieces(tmp_path / FILE))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="nosuch"):
        list(pieces(tmp_path / "nosuch"))


def test_it_ends_at_its_largest_size(tmp_path: Path) -> None:
    recorder = write(tmp_path / FILE, [b"x" * 100] * 10, limit=400)
    assert len(list(pieces(tmp_path / FILE))) == 3
    assert recorder.problem == ""


def test_a_folder_that_is_not_there_is_a_problem_and_no_crash(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "no" / FILE, 1000)
    recorder.take(b"x", 0, 0)
    assert "No such file" in recorder.problem
