# SPDX-License-Identifier: Apache-2.0
"""How a run ends when others end first: the reader of its output, or the box that never started."""

from __future__ import annotations

import json
import signal
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


RUNNING = """
import asyncio, signal
from smartcockpit_bench.run import end_as_by_ctrl_c
async def work():
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, asked.set)
    try:
        print("running", flush=True)
        await asyncio.wait_for(asked.wait(), 60)
        print("still there")
    finally:
        print("clean", flush=True)
end_as_by_ctrl_c(signal.SIGHUP, signal.SIGTERM)
try:
    asyncio.run(work())
except KeyboardInterrupt:
    pass
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


def run_with(ignored: str, *sent: signal.Signals) -> tuple[int, bytes]:
    """Run a loop as `make run` does, started by a shell that ignores some signals, and send it others."""
    shell = ["sh", "-c", f"trap '' {ignored}; exec \"$@\"", "sh", sys.executable, "-c", RUNNING]
    with subprocess.Popen(shell, stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        program.stdout.readline()
        for number in sent:
            program.send_signal(number)
        said, _ = program.communicate(timeout=10)
    return program.returncode, said


def test_a_kill_ends_it_cleanly_also_in_the_background_of_a_script() -> None:
    assert run_with("INT", signal.SIGTERM) == (0, b"clean\n")
    assert run_with("QUIT", signal.SIGTERM) == (0, b"clean\n")


def test_nohup_keeps_it_running_when_the_terminal_goes() -> None:
    assert run_with("HUP", signal.SIGHUP, signal.SIGUSR1) == (0, b"still there\nclean\n")


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
