# SPDX-License-Identifier: Apache-2.0
"""Programs that a step runs: one that takes its process group with it must not take us."""

from __future__ import annotations

import pytest
from smartcockpit_bench.progress import StepError, run


def test_a_program_that_hangs_up_on_its_group_is_one_failed_step() -> None:
    # Given a program that fails as mmdebstrap does on a full disk
    script = "echo 'E: write failed: No space left on device'; kill -HUP 0"
    # When it is run, then we live to say it in one sentence
    with pytest.raises(StepError, match=r"building failed .*no space left on the disk.*free some space"):
        run(["sh", "-c", script], doing="building")
