# SPDX-License-Identifier: Apache-2.0
"""Lamp patterns tell the states apart, and the fan does not flutter."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.core.lamp import PATTERNS, Fan, lamp
from smartcockpit.core.power import PowerState

MS = 1_000_000


def duty(state: PowerState) -> float:
    """Return the share of 4 s during which the lamp is on."""
    samples = [lamp(state, t * MS) for t in range(4000)]
    return sum(samples) / len(samples)


def test_each_state_has_its_own_pattern() -> None:
    assert set(PATTERNS) == set(PowerState)
    assert len(set(PATTERNS.values())) == len(PowerState)
    assert (duty(PowerState.OFF), duty(PowerState.RUNNING)) == (0, 1)
    assert 0.04 < duty(PowerState.ACCESSORY) < 0.06
    assert duty(PowerState.WAKING) == 0.5


def test_fan_switches_with_hysteresis() -> None:
    fan = Fan(65, 55)
    assert [fan.update(t) for t in (60, 65, 60, 55, 54.9, 60)] == [False, True, True, True, False, False]


def test_unknown_temperature_leaves_the_fan_as_it_is() -> None:
    fan = Fan(65, 55)
    assert not fan.update(None)
    fan.update(80)
    assert fan.update(None)


@given(st.lists(st.floats(56, 64)))
def test_between_the_thresholds_nothing_happens(temperatures: list[float]) -> None:
    for start in (20.0, 90.0):
        fan = Fan(65, 55)
        before = fan.update(start)
        assert all(fan.update(t) is before for t in temperatures)
