# SPDX-License-Identifier: Apache-2.0
"""How a CAN bus is doing: controller state, from error frames and the kernel, and back-off of restarts.

Pure: adapters bring the facts, the daemon acts. Sources: linux/can/error.h and linux/can/netlink.h (states),
ISO 11898-1 (fault confinement, frame formats).
"""

from __future__ import annotations

from enum import StrEnum

from smartcockpit.core.named import NamedTuple

ERR_CRTL, ERR_BUSOFF, ERR_RESTARTED, ERR_CNT = 0x004, 0x040, 0x100, 0x200
CRTL_RX_OVERFLOW, CRTL_WARNING, CRTL_PASSIVE, CRTL_ACTIVE = 0x01, 0x04 | 0x08, 0x10 | 0x20, 0x40


class BusState(StrEnum):
    """State of a controller, or that there is none to ask."""

    UNAVAILABLE = "unavailable"
    ERROR_ACTIVE = "error-active"
    ERROR_WARNING = "error-warning"
    ERROR_PASSIVE = "error-passive"
    BUS_OFF = "bus-off"


KERNEL_STATES = (BusState.ERROR_ACTIVE, BusState.ERROR_WARNING, BusState.ERROR_PASSIVE, BusState.BUS_OFF)
"""`enum can_state` in its order; 4 (stopped) and 5 (sleeping) mean that the link is down."""


def kernel_state(number: int) -> BusState:
    """Return the state for a value of `enum can_state`."""
    return KERNEL_STATES[number] if 0 <= number < len(KERNEL_STATES) else BusState.UNAVAILABLE


class ErrorReport(NamedTuple):
    """What one error frame says; None where it says nothing."""

    state: BusState | None = None
    tx_errors: int | None = None
    rx_errors: int | None = None
    restarted: bool = False
    overflow: bool = False


def read_error_frame(can_id: int, data: bytes) -> ErrorReport:
    """Return what an error frame (`CAN_ERR_FLAG` in `can_id`, 8 data bytes) says of the controller."""
    control = data[1] if can_id & ERR_CRTL and len(data) > 1 else 0
    state: BusState | None = None
    if can_id & ERR_BUSOFF:
        state = BusState.BUS_OFF
    elif control & CRTL_PASSIVE:
        state = BusState.ERROR_PASSIVE
    elif control & CRTL_WARNING:
        state = BusState.ERROR_WARNING
    elif control & CRTL_ACTIVE or can_id & ERR_RESTARTED:
        state = BusState.ERROR_ACTIVE
    tx, rx = (data[6], data[7]) if can_id & ERR_CNT and len(data) >= 8 else (None, None)
    return ErrorReport(state, tx, rx, bool(can_id & ERR_RESTARTED), bool(control & CRTL_RX_OVERFLOW))


class BusMonitor:
    """The last known condition of one bus and how often it failed; times are µs CLOCK_REALTIME."""

    def __init__(self, now_us: int, reason: str) -> None:
        self.state = BusState.UNAVAILABLE
        self.since_us = now_us
        self.reason = reason
        self.tx_errors = 0
        self.rx_errors = 0
        self.bus_off_count = 0
        self.restarts = 0
        self.error_frames = 0
        self._was_up = False

    def became(self, state: BusState, now_us: int, reason: str = "") -> bool:
        """Take over `state`; return whether it, or the reason of being unavailable, changed."""
        if state is self.state:
            changed, self.reason = reason != self.reason, reason
            return changed
        if state is BusState.BUS_OFF:
            self.bus_off_count += 1
        if self.state in (BusState.UNAVAILABLE, BusState.BUS_OFF) and state not in (
            BusState.UNAVAILABLE,
            BusState.BUS_OFF,
        ):
            self.restarts += self._was_up
            self._was_up = True
        self.state, self.since_us, self.reason = state, now_us, reason
        return True

    def error_frame(self, can_id: int, data: bytes, now_us: int) -> bool:
        """Take over what an error frame says; return whether the state changed."""
        self.error_frames += 1
        report = read_error_frame(can_id, data)
        if report.tx_errors is not None and report.rx_errors is not None:
            self.tx_errors, self.rx_errors = report.tx_errors, report.rx_errors
        if report.state is None or self.state is BusState.UNAVAILABLE:
            return False
        return self.became(report.state, now_us)


class BackOff:
    """When to try again.

    pauses double from `first_ms` to `last_ms`, and start anew after `calm_ms` without trouble.
    """

    def __init__(self, first_ms: int = 100, last_ms: int = 10_000, calm_ms: int = 10_000) -> None:
        self._first_ns, self._last_ns = first_ms * 1_000_000, last_ms * 1_000_000
        self._calm_ns = calm_ms * 1_000_000
        self._pause_ns = self._first_ns
        self._due_ns: int | None = None
        self._calm_since_ns: int | None = None

    def trouble(self, now_ns: int) -> bool:
        """Say that there is trouble now; return True when it is time for an attempt.

        Call it as often as you like.
        """
        if self._due_ns is None:
            if self._calm_since_ns is not None and now_ns - self._calm_since_ns >= self._calm_ns:
                self._pause_ns = self._first_ns
            self._due_ns = now_ns + self._pause_ns
        self._calm_since_ns = None
        if now_ns < self._due_ns:
            return False
        self._pause_ns = min(self._pause_ns * 2, self._last_ns)
        self._due_ns = now_ns + self._pause_ns
        return True

    def calm(self, now_ns: int) -> None:
        """Say that all is well."""
        if self._calm_since_ns is None:
            self._calm_since_ns = now_ns
            self._due_ns = None
