# SPDX-License-Identifier: Apache-2.0
"""Man page and completion say what the parser says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from smartcockpit_bench import cli_docs


@pytest.mark.parametrize("path", cli_docs.GENERATED, ids=lambda path: path.name)
def test_committed_file_is_what_the_parser_generates(path: Path) -> None:
    generated = cli_docs.GENERATED[path]()
    remedy = "run: python -m smartcockpit_bench.cli_docs"
    assert path.read_text().split() == generated.split(), remedy


def test_completion_is_valid_bash_and_offers_the_verbs() -> None:
    script = f"source {cli_docs.BASH}; COMP_WORDS=(cockpitctl s); COMP_CWORD=1"
    script += "; _shtab_cockpitctl cockpitctl s cockpitctl"
    done = subprocess.run(
        ["bash", "-c", f"{script}; printf '%s\\n' ${{COMPREPLY[@]}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert {"status", "signals"} <= set(done.stdout.split())
