# SPDX-License-Identifier: Apache-2.0
"""Which readings leave, and when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.core.coalesce import QUALITY_CHANGES, TICK_NS, Coalescer
from smartcockpit.core.signals import Update


def test_a_lone_change_is_due_at_once() -> None:
    coalescer = Coalescer([0])
    coalescer.add([(0, 1.0, 3, 5)])
    assert coalescer.due(TICK_NS) == [0]
    assert coalescer.take(0, TICK_NS) == [(0, 1.0, 3, 5)]
    assert coalescer.next_due_ns() is None


def test_under_load_a_branch_waits_one_tick_and_the_newest_value_wins() -> None:
    coalescer = Coalescer([0])
    coalescer.add([(0, 1.0, 3, 1)])
    coalescer.take(0, 0)
    coalescer.add([(0, 2.0, 3, 2)])
    coalescer.add([(0, 3.0, 3, 3)])
    assert coalescer.due(TICK_NS - 1) == []
    assert coalescer.next_due_ns() == TICK_NS
    assert coalescer.due(TICK_NS) == [0]
    assert coalescer.take(0, TICK_NS) == [(0, 3.0, 3, 3)]


def test_a_busy_branch_does_not_hold_up_a_quiet_one() -> None:
    coalescer = Coalescer([0, 1])
    coalescer.add([(0, 1.0, 3, 1)])
    coalescer.take(0, 1000)
    coalescer.add([(0, 2.0, 3, 2), (1, True, 3, 2)])
    assert coalescer.due(2000) == [1]


def test_a_change_of_quality_is_kept_between_two_values() -> None:
    coalescer = Coalescer([0])
    updates: list[Update] = [(0, 1.0, 3, 1), (0, 1.0, 1, 2), (0, 2.0, 3, 3), (0, 2.5, 3, 4)]
    coalescer.add(updates)
    assert coalescer.take(0, 0) == [(0, 1.0, 3, 1), (0, 1.0, 1, 2), (0, 2.5, 3, 4)]


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1), st.integers(0, 3), st.integers(0, 9))))
def test_whatever_comes_the_newest_stays_and_no_more_than_the_bound_waits(updates: list[Update]) -> None:
    coalescer = Coalescer([0, 0, 1, 1])
    coalescer.add(updates)
    assert len(coalescer) <= 4 * QUALITY_CHANGES
    taken = [u for branch in coalescer.due(0) for u in coalescer.take(branch, 0)]
    for index in range(4):
        given_ = [u for u in updates if u[0] == index]
        kept = [u for u in taken if u[0] == index]
        assert kept[-1:] == given_[-1:]
        changes = [q for n, q in enumerate(u[2] for u in given_) if n == 0 or q != given_[n - 1][2]]
        assert [u[2] for u in kept] == changes[-QUALITY_CHANGES:]
