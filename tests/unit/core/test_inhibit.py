# SPDX-License-Identifier: Apache-2.0
"""The list of inhibitions has bounds, and words that cannot harm a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.core.errors import LimitError, UsageError
from smartcockpit.core.inhibit import AT_ONCE, AT_ONCE_PER_SENDER, TEXT_LIMIT, Inhibitors


def held(count: int, sender: str = "") -> Inhibitors:
    found = Inhibitors()
    for key in range(count):
        found.add(key, "update", "writing", sender or f":1.{key}", 0)
    return found


def test_unknown_thing_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="shutdown"):
        Inhibitors().check("shutdwon", "x", ":1.1")


@pytest.mark.parametrize("who", ["", "  ", "\n"])
def test_somebody_without_a_name_is_refused(who: str) -> None:
    with pytest.raises(UsageError):
        Inhibitors().check("shutdown", who, ":1.1")


def test_one_sender_may_hold_few_and_all_together_not_many() -> None:
    with pytest.raises(LimitError):
        held(AT_ONCE_PER_SENDER, ":1.9").check("shutdown", "x", ":1.9")
    held(AT_ONCE_PER_SENDER, ":1.9").check("shutdown", "x", ":1.8")
    with pytest.raises(LimitError):
        held(AT_ONCE).check("shutdown", "x", ":1.999")


def test_one_that_has_ended_makes_room_and_ends_once() -> None:
    found = held(AT_ONCE_PER_SENDER, ":1.9")
    assert found.remove(0) is not None
    assert found.remove(0) is None
    found.check("shutdown", "x", ":1.9")


@given(st.text(), st.text())
def test_words_are_short_printable_and_on_one_line(who: str, why: str) -> None:
    label = Inhibitors().add(1, who, why, ":1.1", 0).label
    assert len(label) <= 2 * TEXT_LIMIT + 3
    assert label.isprintable()
