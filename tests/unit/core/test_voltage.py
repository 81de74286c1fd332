# SPDX-License-Identifier: Apache-2.0
"""Stages of a weak battery: what lasts counts, what dips does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.core.voltage import HOLD_NS, Stage, Thresholds, VoltageMonitor

T = Thresholds()


def settled(monitor: VoltageMonitor, voltage_v: float, start_ns: int = 0) -> Stage:
    monitor.update(voltage_v, start_ns)
    return monitor.update(voltage_v, start_ns + HOLD_NS)


@pytest.mark.parametrize(
    ("voltage_v", "stage"),
    [
        (14.2, Stage.NORMAL),
        (12.0, Stage.NORMAL),
        (11.99, Stage.LOW),
        (11.59, Stage.VERY_LOW),
        (10.9, Stage.CRITICAL),
    ],
)
def test_steady_voltage_gives_its_stage(voltage_v: float, stage: Stage) -> None:
    assert settled(VoltageMonitor(T), voltage_v) is stage


def test_dip_of_a_starter_is_no_weak_battery() -> None:
    monitor = VoltageMonitor(T)
    monitor.update(12.6, 0)
    assert monitor.update(8.0, 1) is Stage.NORMAL
    assert monitor.update(8.0, HOLD_NS) is Stage.NORMAL
    assert monitor.update(14.1, HOLD_NS + 2) is Stage.NORMAL
    assert monitor.update(8.0, 2 * HOLD_NS) is Stage.NORMAL, "the clock began anew"


def test_deep_dip_within_a_shallow_one_counts_as_the_shallow_one() -> None:
    monitor = VoltageMonitor(T)
    monitor.update(12.6, 0)
    for at_ns, voltage_v in ((1, 11.9), (2, 10.0), (3, 11.9)):
        monitor.update(voltage_v, at_ns)
    assert monitor.update(10.0, 1 + HOLD_NS) is Stage.LOW


def test_recovery_needs_some_more_and_lasts() -> None:
    monitor = VoltageMonitor(T)
    assert settled(monitor, 11.8) is Stage.LOW
    assert settled(monitor, 12.1, 2 * HOLD_NS) is Stage.LOW
    assert settled(monitor, 12.25, 4 * HOLD_NS) is Stage.NORMAL


def test_unknown_voltage_forgets_all_at_once() -> None:
    monitor = VoltageMonitor(T)
    settled(monitor, 10.0)
    assert monitor.update(None, 3 * HOLD_NS) is Stage.UNKNOWN


@given(st.lists(st.tuples(st.floats(12.3, 16.0), st.integers(0, HOLD_NS)), max_size=20))
def test_a_healthy_battery_never_leaves_normal(steps: list[tuple[float, int]]) -> None:
    monitor, now_ns = VoltageMonitor(T), 0
    for voltage_v, pause_ns in steps:
        now_ns += pause_ns
        assert monitor.update(voltage_v, now_ns) is Stage.NORMAL


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)), max_size=30))
def test_any_voltage_is_outlived_and_the_last_one_settles(voltages: list[float | None]) -> None:
    monitor, now_ns = VoltageMonitor(T), 0
    for voltage_v in [*voltages, 13.0, 13.0]:
        monitor.update(voltage_v, now_ns := now_ns + HOLD_NS)
    assert monitor.stage is Stage.NORMAL
