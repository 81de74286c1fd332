# SPDX-License-Identifier: Apache-2.0
"""Programs that a step runs: one that takes its process group with it must not take us."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest
from smartcockpit_bench.progress import StepError, run


def test_a_program_that_hangs_up_on_its_group_is_one_failed_step() -> None:
    # Given a program that fails as mmdebstrap does on a full disk
    script = "echo 'E: write failed: No space left on device'; kill -HUP 0"
    # When it is run, then we live to say it in one sentence
    with pytest.raises(StepError, match=r"building failed .*no space left on the disk.*free some space"):
        run(["sh", "-c", script], doing="building")


def test_on_a_terminal_the_last_line_of_a_long_step_is_shown_and_goes() -> None:
    # Given a terminal on which a step runs a program that talks
    ours, theirs = pty.openpty()
    code = (
        "from smartcockpit_bench.progress import run;"
        "print(repr(run(['sh', '-c', 'echo one; echo t\\033wo'], doing='it')))"
    )
    # When it has run
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=theirs, check=True)
    os.close(theirs)
    shown = os.read(ours, 4096).decode()
    os.close(ours)
    # Then each line stood there without its control characters, none stays, and the caller has all of it
    assert shown == "\r\033[2K    one\r\033[2K    two\r\033[2K"
    assert done.stdout == b"'one\\nt\\x1bwo\\n'\n"
