# SPDX-License-Identifier: Apache-2.0
"""Setting up the machine: what is said when it cannot be, and that two do not get in each other's way."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from smartcockpit_bench import setup

HOLDER = """
import sys
from pathlib import Path
from smartcockpit_bench.setup import alone
with alone(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.read()
"""


def test_a_second_setup_waits_for_the_first(tmp_path: Path) -> None:
    # Given one that holds the checkout
    file = tmp_path / "lock"
    file.touch()
    command = [sys.executable, "-c", textwrap.dedent(HOLDER), file]
    pipe = subprocess.PIPE
    first = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    assert first.stdout is not None
    assert first.stdout.readline() == "in\n"
    # When another one comes
    second = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert second.stderr is not None
    # Then it says that it waits, and gets in when the first has gone
    assert second.stderr.readline() == "  another setup is running; waiting for it …\n"
    first.communicate("")
    assert second.communicate("", timeout=10)[0] == "in\n"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("… [SSL: CERTIFICATE_VERIFY_FAILED] …\nERROR: No matching distribution found for x", "PIP_CERT"),
        (
            "… Failed to establish a new connection …\nERROR: No matching distribution found for x",
            "no network",
        ),
        ("ERROR: no space\n", "pip failed: no space. Hint"),
    ],
)
def test_failure_of_pip_is_named_by_its_cause(said: str, why: str) -> None:
    with pytest.raises(setup.SetupError, match=why):
        setup.explain(said, "pip")
