# SPDX-License-Identifier: Apache-2.0
"""The power state machine: what drivers expect of it, and what no sequence of events may bring it to do."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from smartcockpit.core.power import Decision, Inputs, PowerMachine, PowerState, S, Timing
from smartcockpit.core.voltage import Stage

T = Timing()
OFF = Inputs(ignition=False)
ON = Inputs(ignition=True)


def started(*, at_ns: int = 0) -> PowerMachine:
    """A machine that has run, and whose ignition went off at `at_ns`."""
    machine = PowerMachine(T, 0)
    machine.step(ON, 0)
    machine.step(OFF, at_ns)
    return machine


def test_it_wakes_until_the_ignition_comes() -> None:
    machine = PowerMachine(T, 0)
    assert machine.state is PowerState.OFF
    assert machine.step(Inputs(), 1).state is PowerState.WAKING
    assert machine.step(OFF, 2).state is PowerState.WAKING
    assert machine.step(ON, 3).state is PowerState.RUNNING


def test_a_unit_without_an_ignition_line_never_goes_off() -> None:
    machine = PowerMachine(T, 0)
    assert machine.step(Inputs(), 10**9 * S).state is PowerState.WAKING


def test_an_ignition_that_stays_off_after_the_start_lingers_and_goes_off() -> None:
    machine = PowerMachine(T, 0)
    machine.step(OFF, 0)
    assert machine.step(OFF, T.wake_ns).state is PowerState.ACCESSORY
    assert machine.step(OFF, T.linger_ns).state is PowerState.SHUTTING_DOWN


def test_linger_is_told_then_warned_of_then_requested_again_and_again() -> None:
    machine = started()
    assert machine.step(OFF, 1) == Decision(PowerState.ACCESSORY, "ignition off", T.linger_ns)
    warned = machine.step(OFF, T.linger_ns)
    assert (warned.state, warned.request) == (PowerState.SHUTTING_DOWN, False)
    asks = [at_s for at_s in range(40) if machine.step(OFF, T.linger_ns + at_s * S).request]
    assert asks == [3, 13, 23, 33]


def test_ignition_during_the_linger_and_during_the_shutdown_wins() -> None:
    machine = started()
    assert machine.step(ON, T.linger_ns - 1).state is PowerState.RUNNING
    machine.step(OFF, T.linger_ns)
    machine.step(OFF, 2 * T.linger_ns)
    assert machine.state is PowerState.SHUTTING_DOWN
    assert machine.step(ON, 2 * T.linger_ns + 1).state is PowerState.RUNNING


def test_ignition_comes_too_late_once_the_system_goes_down() -> None:
    machine = started()
    machine.commit("asked by the administrator")
    machine.commit("heard of it twice")
    assert machine.step(ON, 1) == Decision(PowerState.OFF, "asked by the administrator", None)


def test_a_shutdown_that_is_called_off_lingers_again() -> None:
    machine = started()
    machine.step(OFF, T.linger_ns)
    machine.commit("")
    machine.step(OFF, T.linger_ns + 1)
    machine.abandon()
    assert machine.step(ON, T.linger_ns + 2).state is PowerState.RUNNING


def test_driver_who_gets_out_shortens_the_linger_and_comes_back_for_the_bag() -> None:
    machine = started()
    for at_s, is_open in ((5, False), (6, True), (9, False)):
        found = machine.step(Inputs(False, is_open), at_s * S)
    assert (found.deadline_ns, found.reason) == (9 * S + T.leave_ns, "ignition off, the driver has left")
    assert machine.step(Inputs(False, True), 20 * S).deadline_ns == T.linger_ns


def test_a_door_that_was_open_all_the_time_or_is_unknown_says_nothing() -> None:
    machine = PowerMachine(T, 0)
    machine.step(Inputs(True, False), 0)
    for door in (None, False, None):
        found = machine.step(Inputs(False, door), S)
    assert found.deadline_ns == S + T.linger_ns


def test_weak_battery_shortens_in_stages_and_unknown_does_not() -> None:
    for stage, expected in (
        (Stage.UNKNOWN, T.linger_ns), (Stage.NORMAL, T.linger_ns), (Stage.LOW, T.low_ns),
        (Stage.VERY_LOW, T.very_low_ns), (Stage.CRITICAL, None),
    ):  # fmt: skip
        found = started().step(Inputs(False, stage=stage), 1)
        assert found.deadline_ns == (expected if expected is not None else 1 + T.warn_ns), stage


def test_weak_battery_is_none_of_our_business_while_the_engine_cranks() -> None:
    assert started().step(Inputs(True, stage=Stage.CRITICAL), 1).state is PowerState.RUNNING


def test_an_inhibitor_holds_up_until_its_bound_and_then_is_overridden() -> None:
    machine = started()
    held = Inputs(False, inhibitors=("update (writing)",))
    found = machine.step(held, T.linger_ns)
    assert (found.state, found.reason) == (PowerState.ACCESSORY, "held up by update (writing)")
    assert found.deadline_ns == T.linger_ns + T.hold_ns
    machine.step(held, T.linger_ns + T.hold_ns)
    found = machine.step(held, T.linger_ns + T.hold_ns + T.warn_ns)
    assert (found.request, found.force) == (True, True)


def test_critical_voltage_overrides_inhibitors() -> None:
    machine = started()
    machine.step(Inputs(False, stage=Stage.CRITICAL, inhibitors=("x",)), 1)
    found = machine.step(Inputs(False, stage=Stage.CRITICAL, inhibitors=("x",)), 1 + T.warn_ns)
    assert (found.state, found.request, found.force) == (PowerState.SHUTTING_DOWN, True, True)


def test_stay_lengthens_up_to_its_limit_and_means_nothing_while_driving() -> None:
    machine = started()
    machine.step(OFF, 1)
    assert machine.stay(1800, 1) == 1800
    assert machine.step(OFF, 2).reason == "asked to stay on"
    assert machine.stay(10**9, 1) == T.stay_ns // S - 1
    machine.step(ON, 3)
    assert machine.stay(60, 4) == 0


class AnyDrive(RuleBasedStateMachine):
    """Any sequence of events; the bounds below are the promises of the module."""

    def __init__(self) -> None:
        super().__init__()
        self.now_ns = 0
        self.inputs = Inputs()
        self.off_ns: int | None = None
        self.requested = False
        self.machine = PowerMachine(T, 0)
        self.last = self.machine.step(self.inputs, 0)

    def go_on(self, seconds: int = 0) -> None:
        self.now_ns += seconds * S
        before = self.last.state
        self.last = self.machine.step(self.inputs, self.now_ns)
        if self.inputs.ignition:
            self.off_ns, self.requested = None, False
        elif self.inputs.ignition is False and self.off_ns is None:
            self.off_ns = self.now_ns
        self.requested |= self.last.request
        if self.last.request:
            assert before is PowerState.SHUTTING_DOWN, "no request without a warning before"

    @initialize()
    def wake(self) -> None:
        self.go_on()

    @rule(seconds=st.one_of(st.integers(0, 15), st.integers(0, 10_000)))
    def time_passes(self, seconds: int) -> None:
        self.go_on(seconds)

    @rule(ignition=st.sampled_from([True, False, None]))
    def turn_key(self, ignition: bool | None) -> None:
        self.inputs = self.inputs._replace(ignition=ignition)
        self.go_on()

    @rule(door=st.sampled_from([True, False, None]))
    def move_door(self, door: bool | None) -> None:
        self.inputs = self.inputs._replace(driver_door_open=door)
        self.go_on()

    @rule(stage=st.sampled_from(Stage))
    def battery(self, stage: Stage) -> None:
        self.inputs = self.inputs._replace(stage=stage)
        self.go_on()

    @rule(held=st.sampled_from([(), ("call",), ("call", "update")]))
    def inhibit(self, held: tuple[str, ...]) -> None:
        self.inputs = self.inputs._replace(inhibitors=held)
        self.go_on()

    @rule(seconds=st.integers(-5, 20_000))
    def stay(self, seconds: int) -> None:
        assert 0 <= self.machine.stay(seconds, self.now_ns) <= T.stay_ns // S
        self.go_on()

    @precondition(lambda self: self.off_ns is not None)
    @rule()
    def always_asks_in_bounded_time(self) -> None:
        bound_ns = max(T.linger_ns, T.stay_ns) + T.hold_ns + T.wake_ns
        self.now_ns = max(self.now_ns, (self.off_ns or 0) + bound_ns)
        for _ in range(3):
            self.go_on(T.retry_ns // S)
        assert self.requested

    @invariant()
    def ignition_on_means_running(self) -> None:
        assert not self.inputs.ignition or self.last.state is PowerState.RUNNING

    @invariant()
    def a_machine_that_never_saw_the_ignition_off_asks_for_nothing(self) -> None:
        assert self.off_ns is not None or not self.last.request

    @invariant()
    def inhibitors_are_overridden_only_with_reason(self) -> None:
        if self.last.request and self.inputs.inhibitors:
            assert self.last.force
            overdue = self.now_ns >= (self.off_ns or 0) + T.hold_ns
            assert overdue or self.inputs.stage is Stage.CRITICAL
        if self.last.force:
            assert self.inputs.inhibitors or self.inputs.stage is Stage.CRITICAL

    @invariant()
    def a_strong_battery_gives_the_shortest_linger_at_least(self) -> None:
        if self.last.state is PowerState.SHUTTING_DOWN and self.inputs.stage in (Stage.UNKNOWN, Stage.NORMAL):
            assert self.now_ns - (self.off_ns or 0) >= min(T.linger_ns, T.leave_ns)


AnyDrive.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
TestAnyDrive = AnyDrive.TestCase
