# SPDX-License-Identifier: Apache-2.0
"""When a message counts as overdue."""

from __future__ import annotations

from smartcockpit.core.freshness import Freshness

MS = 1_000_000


def test_overdue_after_three_cycles_and_told_once() -> None:
    freshness = Freshness([(100, 0)])
    seen = [1000 * MS]
    assert freshness.newly_overdue(seen, 1300 * MS) == []
    assert freshness.newly_overdue(seen, 1301 * MS) == [0]
    assert freshness.newly_overdue(seen, 9999 * MS) == []


def test_own_limit_wins_over_cycles() -> None:
    freshness = Freshness([(100, 50)])
    assert freshness.newly_overdue([1000 * MS], 1051 * MS) == [0]


def test_a_message_that_came_back_can_be_overdue_again() -> None:
    freshness = Freshness([(10, 0)])
    assert freshness.newly_overdue([1000 * MS], 1100 * MS) == [0]
    assert freshness.newly_overdue([1100 * MS], 1110 * MS) == []
    assert freshness.newly_overdue([1100 * MS], 1200 * MS) == [0]


def test_never_seen_and_event_messages_are_never_overdue() -> None:
    freshness = Freshness([(10, 0), (0, 0)])
    assert freshness.newly_overdue([0, 5 * MS], 10**15) == []
