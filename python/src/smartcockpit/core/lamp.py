# SPDX-License-Identifier: Apache-2.0
"""What the status lamp and the fan show of the cockpit's state. Pure: state or temperature in, on or off
out."""

from __future__ import annotations

from smartcockpit.core.power import PowerState

MS = 1_000_000
PATTERNS: dict[PowerState, tuple[int, int]] = {
    PowerState.OFF: (0, 1),
    PowerState.WAKING: (500 * MS, 1000 * MS),
    PowerState.RUNNING: (1, 1),
    PowerState.ACCESSORY: (100 * MS, 2000 * MS),
    PowerState.SHUTTING_DOWN: (125 * MS, 250 * MS),
}
"""On-time and period, ns: steady while running, a slow blink while waking, a short flash every 2 s while
lingering, fast while shutting down."""


def lamp(state: PowerState, now_ns: int) -> bool:
    """Return whether the lamp is on at `now_ns` (monotonic)."""
    on_ns, period_ns = PATTERNS[state]
    return now_ns % period_ns < on_ns


class Fan:
    """Switches by temperature, with hysteresis; an unknown temperature leaves it as it is."""

    def __init__(self, on_c: float, off_c: float) -> None:
        self._on_c, self._off_c = on_c, off_c
        self.on = False

    def update(self, temperature_c: float | None) -> bool:
        """Take in the temperature and return whether the fan is on."""
        if temperature_c is not None:
            self.on = temperature_c >= (self._off_c if self.on else self._on_c)
        return self.on
