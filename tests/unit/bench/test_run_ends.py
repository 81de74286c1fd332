# SPDX-License-Identifier: Apache-2.0
"""How a run ends when others end first: the reader of its output, or the box that never started."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from smartcockpit_bench.qemu import box as boxes

ENDLESS = """
from smartcockpit_bench.view.__main__ import reader_may_leave
with reader_may_leave():
    while True:
        print("x" * 1000)
"""


def test_a_reader_that_leaves_ends_the_program_quietly() -> None:
    # Given a program that prints without end
    command = [sys.executable, "-c", ENDLESS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        # When its reader has seen enough
        program.stdout.readline()
        program.stdout.close()
        # Then it ends well and complains about nothing
        assert program.stderr.read() == b""
    assert program.returncode == 0


def test_a_box_that_ends_leaves_the_announcement_of_a_later_one(tmp_path: Path) -> None:
    # Given two boxes of one checkout, the later one announced
    running = tmp_path / "running.json"
    running.write_text(json.dumps({"pid": 2, "ssh_port": 22}))
    # When the earlier one ends, then the later one
    boxes.withdraw(running, pid=1)
    kept = running.exists()
    boxes.withdraw(running, pid=2)
    # Then only its own end takes the announcement away
    assert kept
    assert not running.exists()
