# SPDX-License-Identifier: Apache-2.0
"""The stream to the host never waits, never tears a line, and finds its port again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from smartcockpit.cli.sink import LineSink


def test_slow_reader_loses_whole_lines_only(tmp_path: Path) -> None:
    port = tmp_path / "port"
    os.mkfifo(port)
    reader = os.open(port, os.O_RDONLY | os.O_NONBLOCK)
    sink = LineSink(str(port))
    sent = [sink.write(f"{number}:" + "x" * 900) for number in range(200)]
    assert not all(sent)
    assert sink.dropped == sent.count(False)
    received = b""
    while True:
        try:
            received += os.read(reader, 65536)
        except BlockingIOError:
            break
        sink.write("last")
        if b"last\n" in received:
            break
    lines = received.split(b"\n")
    assert all(len(line.partition(b":")[2]) == 900 for line in lines[:-1] if line != b"last")
    os.close(reader)
    sink.close()


def test_missing_port_is_tried_again(tmp_path: Path) -> None:
    port = tmp_path / "later" / "port"
    sink = LineSink(str(port))
    assert not sink.write("lost")
    port.parent.mkdir()
    assert sink.write("kept")
    assert port.read_text() == "kept\n"
    sink.close()


def test_reader_that_goes_away_is_outlived(tmp_path: Path) -> None:
    port = tmp_path / "port"
    os.mkfifo(port)
    sink = LineSink(str(port))
    assert not sink.write("nobody there")
    reader = os.open(port, os.O_RDONLY | os.O_NONBLOCK)
    assert sink.write("hello")
    os.close(reader)
    sink.write("into the void")
    reader = os.open(port, os.O_RDONLY | os.O_NONBLOCK)
    assert sink.write("again")
    assert os.read(reader, 100).endswith(b"again\n")
    os.close(reader)


def test_closed_standard_output_ends_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    sink = LineSink(None)
    sink._fd = write_end
    with pytest.raises(BrokenPipeError):
        sink.write("x")
    os.close(write_end)
