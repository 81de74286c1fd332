# SPDX-License-Identifier: Apache-2.0
"""When the cockpit is on and when it goes off: the power state machine.

Pure: others bring ignition, doors, voltage, inhibitors and the time (monotonic ns), and carry out what
`PowerMachine.step` decides. Rules, strongest first:

1. Once the system is going down (`committed`) nothing stops it.
2. Ignition on: `RUNNING`, whatever else; also while `SHUTTING_DOWN` has not been committed.
3. Ignition off: `ACCESSORY`, for as long as the linger. A driver who has got out (door opened and closed)
   shortens it; opening the door again takes that back. `stay` lengthens it, up to a limit.
4. A weak battery shortens it in stages, see `core.voltage`.
5. An inhibitor holds a shutdown up, but no longer than `hold_ns` beyond its time, and never at a critical
   voltage.
6. `SHUTTING_DOWN` first warns for `warn_ns`; then it asks for power-off until it is granted.

Unknown is never a reason to go off: an ignition that nobody can tell leaves the last known state, an
unknown door or voltage shortens nothing.
"""

from __future__ import annotations

from enum import StrEnum

from smartcockpit.core.named import NamedTuple
from smartcockpit.core.voltage import Stage

S = 1_000_000_000


class PowerState(StrEnum):
    """Where the cockpit is between two power-offs."""

    OFF = "off"
    """Nothing is known yet, or the system is going down for good."""
    WAKING = "waking"
    """Started, but the ignition has not been on yet and has not been off for long."""
    RUNNING = "running"
    ACCESSORY = "accessory"
    """Ignition off, lingering."""
    SHUTTING_DOWN = "shutting-down"


class Timing(NamedTuple):
    """How long things take, ns."""

    wake_ns: int = 20 * S
    """After the start an ignition that is off is believed so late: it may just be about to come."""
    linger_ns: int = 600 * S
    leave_ns: int = 60 * S
    """The rest of the linger once the driver has got out."""
    low_ns: int = 120 * S
    """The longest linger at a low voltage …"""
    very_low_ns: int = 30 * S
    """… and at a very low one; at a critical one there is none."""
    stay_ns: int = 7200 * S
    """The most that `stay` can ask for, counted from ignition off."""
    hold_ns: int = 3600 * S
    """The most that inhibitors can hold a shutdown up beyond its time."""
    warn_ns: int = 3 * S
    """Between `SHUTTING_DOWN` and the first request."""
    retry_ns: int = 10 * S
    """Between two requests for power-off."""


class Inputs(NamedTuple):
    """What is known at one moment; None: nobody can tell."""

    ignition: bool | None = None
    driver_door_open: bool | None = None
    stage: Stage = Stage.UNKNOWN
    inhibitors: tuple[str, ...] = ()
    """Who holds us up, for people."""


class Decision(NamedTuple):
    """What a step came to."""

    state: PowerState
    reason: str
    """For people: why it is in that state, or what it waits for."""
    deadline_ns: int | None
    """When it will shut down unless something changes; None: not foreseen."""
    request: bool = False
    """Ask for power-off now."""
    force: bool = False
    """… even where somebody blocks it."""


class PowerMachine:
    """One cockpit from power-on to power-off; call `step` at each change and some times a second."""

    def __init__(self, timing: Timing, now_ns: int) -> None:
        self._timing = timing
        self._started_ns = now_ns
        self.state = PowerState.OFF
        self._reason = "starting"
        self._off_since_ns: int | None = None
        self._left_ns: int | None = None
        self._door: bool | None = None
        self._opened_since_off = False
        self._stay_until_ns = 0
        self._warned_ns = 0
        self._asked_ns: int | None = None
        self._committed = False

    @property
    def committed(self) -> bool:
        """True once the system is going down."""
        return self._committed

    def commit(self, reason: str) -> None:
        """Say that the system is going down, whoever asked for it; the first reason counts."""
        if not self._committed:
            self._committed, self._reason = True, reason

    def abandon(self) -> None:
        """Say that it does not go down after all."""
        if self._committed:
            self._committed, self._asked_ns = False, None
            self.state = PowerState.WAKING if self._off_since_ns is None else PowerState.ACCESSORY

    def stay(self, seconds: int, now_ns: int) -> int:
        """Ask to stay on for so long while the ignition is off; return the seconds that are granted."""
        if self._off_since_ns is None or self.state not in (PowerState.ACCESSORY, PowerState.SHUTTING_DOWN):
            return 0
        wish = min(now_ns + max(0, seconds) * S, self._off_since_ns + self._timing.stay_ns)
        self._stay_until_ns = max(self._stay_until_ns, wish)
        return max(0, self._stay_until_ns - now_ns) // S

    def step(self, inputs: Inputs, now_ns: int) -> Decision:
        """Take in what is known at `now_ns`."""
        if self._committed:
            self.state = PowerState.OFF
            return Decision(self.state, self._reason, None)
        if inputs.ignition:
            self._run()
            return Decision(self.state, "ignition on", None)
        if inputs.ignition is False and self._off_since_ns is None:
            self._off_since_ns = now_ns
        self._follow_door(inputs.driver_door_open, now_ns)
        if self._off_since_ns is None:
            if self.state is PowerState.OFF:
                self.state = PowerState.WAKING
            return Decision(self.state, "ignition unknown", None)
        return self._linger(self._off_since_ns, inputs, now_ns)

    def _run(self) -> None:
        self.state = PowerState.RUNNING
        self._off_since_ns = self._left_ns = self._asked_ns = None
        self._opened_since_off = False
        self._stay_until_ns = 0

    def _follow_door(self, is_open: bool | None, now_ns: int) -> None:
        """The driver is gone when the door closes after it was opened with the ignition off."""
        before, self._door = self._door, is_open
        if self._off_since_ns is None or is_open is None:
            return
        if is_open:
            self._opened_since_off, self._left_ns = True, None
        elif before and self._opened_since_off:
            self._left_ns = now_ns

    def _linger(self, off_ns: int, inputs: Inputs, now_ns: int) -> Decision:
        """Ignition off: wait for the deadline, be held up, warn, ask."""
        if self.state in (PowerState.OFF, PowerState.WAKING):
            if now_ns - self._started_ns < self._timing.wake_ns and inputs.stage is not Stage.CRITICAL:
                self.state = PowerState.WAKING
                return Decision(self.state, "waiting for the ignition", None)
            self.state = PowerState.ACCESSORY
        deadline_ns, reason = self._deadline(off_ns, inputs.stage)
        held = bool(inputs.inhibitors) and inputs.stage is not Stage.CRITICAL
        if held:
            held = now_ns < deadline_ns + self._timing.hold_ns
        if now_ns < deadline_ns or held:
            self.state, self._asked_ns = PowerState.ACCESSORY, None
            if now_ns >= deadline_ns:
                reason = "held up by " + ", ".join(inputs.inhibitors)
                deadline_ns += self._timing.hold_ns
            return Decision(self.state, reason, deadline_ns)
        return self._shut_down(reason, bool(inputs.inhibitors) or inputs.stage is Stage.CRITICAL, now_ns)

    def _deadline(self, off_ns: int, stage: Stage) -> tuple[int, str]:
        """Return when the linger ends, and why then."""
        deadline_ns, reason = off_ns + self._timing.linger_ns, "ignition off"
        if self._left_ns is not None and self._left_ns + self._timing.leave_ns < deadline_ns:
            deadline_ns, reason = self._left_ns + self._timing.leave_ns, "ignition off, the driver has left"
        if self._stay_until_ns > deadline_ns:
            deadline_ns, reason = self._stay_until_ns, "asked to stay on"
        limits = {Stage.LOW: self._timing.low_ns, Stage.VERY_LOW: self._timing.very_low_ns, Stage.CRITICAL: 0}
        if stage in limits and off_ns + limits[stage] < deadline_ns:
            deadline_ns, reason = off_ns + limits[stage], f"battery voltage {stage.label}"
        return deadline_ns, reason

    def _shut_down(self, reason: str, force: bool, now_ns: int) -> Decision:
        if self.state is not PowerState.SHUTTING_DOWN:
            self.state, self._warned_ns, self._asked_ns = PowerState.SHUTTING_DOWN, now_ns, None
        due = now_ns - self._warned_ns >= self._timing.warn_ns and (
            self._asked_ns is None or now_ns - self._asked_ns >= self._timing.retry_ns
        )
        if due:
            self._asked_ns = now_ns
        return Decision(self.state, reason, self._warned_ns + self._timing.warn_ns, due, due and force)
