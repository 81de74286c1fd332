# SPDX-License-Identifier: Apache-2.0
"""The GPIO lines at work: opened and opened again, inputs sampled and debounced, outputs set when they
change.

Owns the chip. Everything runs in the loop; what a line or a chip can do wrong ends as "unavailable" with a
reason.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from smartcockpit.adapters.gpio_lines import GpioLines
from smartcockpit.core.canbus import BackOff
from smartcockpit.core.debounce import Debounce
from smartcockpit.core.errors import UnavailableError
from smartcockpit.daemons.power import events

log = logging.getLogger(__name__)
MS = 1_000_000
CHECK_NS = 1_000 * MS


class LineWork:
    """Inputs with their debounce times (ms) and outputs, on what `open_lines` opens."""

    def __init__(
        self, open_lines: Callable[[], GpioLines], inputs: Mapping[str, int], outputs: Mapping[str, bool]
    ) -> None:
        self._open = open_lines
        self._debounce = {name: Debounce(ms * MS) for name, ms in inputs.items()}
        self._wanted = dict(outputs)
        self._set: dict[str, bool] = {}
        self._lines: GpioLines | None = None
        self._back_off = BackOff(200, 5_000)
        self._checked_ns = 0
        self._told = ""
        self.reason = "" if inputs or outputs else "none"
        """Why the lines cannot be used: empty while they can, `none` when there are none."""

    def level(self, name: str) -> bool | None:
        """Return the settled level of an input, None while it is unknown or there is no such line."""
        debounce = self._debounce.get(name)
        return None if debounce is None else debounce.level

    def output(self, name: str) -> bool | None:
        """Return what an output is set to, None while it cannot be."""
        return self._set.get(name)

    def try_open(self) -> None:
        """Open the chip unless it is open or there is nothing to open it for."""
        if self._lines is not None or self.reason == "none":
            return
        try:
            self._lines = self._open()
        except UnavailableError as error:
            self._became(str(error))
            return
        self._set.clear()
        events.LINES_UP.log(log, chip=self._lines.chip)
        self.reason = self._told = ""
        for name in self._wanted:
            self._write(name)

    def sample(self, now_ns: int) -> bool:
        """Read all inputs; return whether a settled level is another than before."""
        if self._lines is None:
            if self.reason != "none" and self._back_off.trouble(now_ns):
                self.try_open()
            return False
        changed = False
        try:
            for name, debounce in self._debounce.items():
                changed |= debounce.sample(self._lines.read(name), now_ns)
            if now_ns - self._checked_ns >= CHECK_NS:
                self._checked_ns = now_ns
                self._lines.check()
                self._back_off.calm(now_ns)
        except UnavailableError as error:
            return self._lost(str(error)) or changed
        return changed

    def set(self, name: str, on: bool) -> None:
        """Switch an output, now or when the chip is back; one that is not wired is nothing to do."""
        if name not in self._wanted:
            return
        self._wanted[name] = on
        self._write(name)

    def _write(self, name: str) -> None:
        on = self._wanted[name]
        if self._lines is None or self._set.get(name) is on:
            return
        try:
            self._lines.write(name, on)
        except UnavailableError as error:
            self._lost(str(error))
        else:
            self._set[name] = on

    def _lost(self, reason: str) -> bool:
        self.close()
        self._became(reason)
        self._set.clear()
        known = [debounce.forget() for debounce in self._debounce.values()]
        return any(known)

    def _became(self, reason: str) -> None:
        self.reason = reason
        if reason != self._told:
            self._told = reason
            events.LINES_DOWN.log(log, reason=reason)

    def close(self) -> None:
        """Give the lines back."""
        lines, self._lines = self._lines, None
        if lines is not None:
            lines.close()
