# SPDX-License-Identifier: Apache-2.0
"""Daemons stay within budgets.toml: memory as budgeted, CPU time to ready no worse than what was reached."""

from __future__ import annotations

import pytest
from perf.bench_start import BUDGETS, measure


@pytest.mark.slow
def test_start_and_memory_stay_within_the_budget() -> None:
    for name, (cost, peer) in measure(rounds=3).items():
        assert cost.rss_mb <= BUDGETS[name]["rss_mb"], name
        assert cost.cpu_ms / peer.cpu_ms <= BUDGETS[name]["start_ratio_ratchet"], name
