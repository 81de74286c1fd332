# SPDX-License-Identifier: Apache-2.0
"""Contacts that bounce: one change for one press, whatever happens in between."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.core.debounce import Debounce

MS = 1_000_000
HOLD_NS = 50 * MS


def changes(line: Debounce, samples: list[tuple[int, bool]]) -> list[tuple[int, bool]]:
    return [(at_ns, level) for at_ns, level in samples if line.sample(level, at_ns)]


def test_first_sample_counts_at_once() -> None:
    line = Debounce(HOLD_NS)
    assert line.sample(True, 0)
    assert line.level is True


def test_contact_that_bounces_at_1_khz_and_settles_changes_once() -> None:
    line = Debounce(HOLD_NS)
    line.sample(False, 0)
    bouncing = [(t * MS // 2, bool(t % 2)) for t in range(2, 60)]  # an edge every 0.5 ms for 30 ms
    settled = [(t * MS, True) for t in range(30, 130)]
    assert changes(line, bouncing + settled) == [(80 * MS, True)]


def test_line_that_never_rests_keeps_its_level() -> None:
    line = Debounce(HOLD_NS)
    line.sample(False, 0)
    assert changes(line, [(t * MS // 2, bool(t % 2)) for t in range(1, 20_000)]) == []


def test_without_debounce_every_sample_counts() -> None:
    assert len(changes(Debounce(0), [(t, bool(t % 2)) for t in range(10)])) == 10


def test_line_that_could_not_be_read_starts_afresh() -> None:
    line = Debounce(HOLD_NS)
    line.sample(False, 0)
    assert line.forget()
    assert not line.forget()
    assert line.level is None
    assert line.sample(True, 1)


@given(st.lists(st.tuples(st.integers(0, 40 * MS), st.booleans()), max_size=60))
def test_changes_alternate_and_keep_their_distance(steps: list[tuple[int, bool]]) -> None:
    line, now_ns, samples = Debounce(HOLD_NS), 0, []
    for pause_ns, level in steps:
        samples.append((now_ns := now_ns + pause_ns, level))
    found = changes(line, samples)
    for (first_ns, first), (second_ns, second) in itertools.pairwise(found):
        assert first is not second
        assert second_ns - first_ns >= HOLD_NS


@given(st.booleans(), st.integers(1, 200))
def test_a_level_that_lasts_is_believed_in_the_debounce_time(level: bool, period_ms: int) -> None:
    line = Debounce(HOLD_NS)
    line.sample(not level, 0)
    found = changes(line, [(t * period_ms * MS, level) for t in range(1, 100)])
    assert len(found) == 1
    assert found[0][0] - period_ms * MS <= HOLD_NS + period_ms * MS
