# SPDX-License-Identifier: Apache-2.0
"""What is known of the box, from the JSON lines of `cockpitctl live` (format 1).

Any bytes may come: what is no line of format 1 is counted in `garbage` and skipped. Ages use the box's own
clock plus the time since its last line on ours, so the two clocks need not agree.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

QUALITIES = ("valid", "stale", "invalid", "unavailable")
MAX_SIGNALS = 50_000


@dataclass(frozen=True, slots=True)
class Shown:
    """One reading as the viewer has it; `time_us` is 0 when never received."""

    value: Any
    unit: str
    quality: str
    time_us: int


@dataclass(slots=True)
class Cockpit:
    """The newest picture. `now_s` arguments are seconds of the host's monotonic clock."""

    signals: dict[str, Shown] = field(default_factory=dict)
    daemons: list[dict[str, Any]] = field(default_factory=list)
    buses: list[dict[str, Any]] = field(default_factory=list)
    frames_per_s: dict[str, float] = field(default_factory=dict)
    stages: list[tuple[str, float]] = field(default_factory=list)
    sound: str = ""
    slot: str = ""
    power: str = ""
    """State of power, with the time to shutdown when one is foreseen."""
    vehicle: str = ""
    trouble: str = ""
    boot_stage: str = ""
    lines: int = 0
    garbage: int = 0
    heard_at_s: float = 0.0
    box_time_s: float = 0.0
    _counted: tuple[float, dict[str, int]] = (0.0, {})

    def feed(self, line: bytes | str, now_s: float) -> str:
        """Take one line; returns its type, or "" when it was garbage."""
        try:
            message = json.loads(line)
            kind = message["type"]
            if message["v"] != 1 or not isinstance(kind, str):
                raise ValueError("another format")
            take = getattr(self, f"_take_{kind}", None)
            box_time_s = float(message["t"])
            if take is not None:
                take(message)
        except (ValueError, TypeError, KeyError, IndexError, RecursionError, AttributeError):
            self.garbage += 1
            return ""
        self.lines += 1
        self.heard_at_s, self.box_time_s = now_s, box_time_s
        return kind

    @property
    def waiting(self) -> str:
        """Return why there is nothing to show yet."""
        stage = f": {self.boot_stage}" if self.boot_stage else ""
        return self.trouble or f"waiting for the first signals from the box{stage}"

    def age_s(self, shown: Shown, now_s: float) -> float | None:
        """Return how old a reading is, None when it was never received."""
        if not shown.time_us:
            return None
        return max(0.0, self.box_time_s + self.silence_s(now_s) - shown.time_us / 1e6)

    def silence_s(self, now_s: float) -> float:
        """Return how long the box has said nothing."""
        return now_s - self.heard_at_s

    def number(self, path: str) -> float | None:
        """Return the value of a signal when it is a usable number, even a stale one."""
        shown = self.signals.get(path)
        if shown is None or shown.quality == "unavailable" or isinstance(shown.value, bool):
            return None
        return float(shown.value) if isinstance(shown.value, int | float) else None

    def is_on(self, path: str) -> bool | None:
        """Return a switch: boolean signals, and strings such as ACTIVE; None when not known."""
        shown = self.signals.get(path)
        if shown is None or shown.quality in ("unavailable", "invalid"):
            return None
        if isinstance(shown.value, str):
            return shown.value not in ("", "OFF", "INACTIVE", "NONE")
        return bool(shown.value)

    def _take_signals(self, message: dict[str, Any]) -> None:
        fresh: dict[str, Shown] = {}
        for path, value, unit, quality, time_us in message["rows"]:
            if (
                quality not in QUALITIES
                or not isinstance(path, str)
                or not isinstance(value, str | float | int | list | None)
            ):
                raise ValueError(path)
            fresh[path] = Shown(value, str(unit), quality, int(time_us))
        if len(self.signals) + len(fresh) > MAX_SIGNALS:
            self.signals.clear()
        self.signals.update(fresh)
        self.trouble = ""

    def _take_daemons(self, message: dict[str, Any]) -> None:
        self.daemons = [dict(row) for row in message["rows"]]
        self.slot = str(message.get("slot") or "")

    def _take_buses(self, message: dict[str, Any]) -> None:
        self.buses = [dict(row) for row in message["rows"]]
        self.vehicle = str(message.get("vehicle") or "")
        counted = {str(row["name"]): int(row["frames"]) for row in self.buses}
        before_s, before = self._counted
        passed = float(message["t"]) - before_s
        if 0 < passed < 60:
            self.frames_per_s = {n: max(0, f - before[n]) / passed for n, f in counted.items() if n in before}
        self._counted = (float(message["t"]), counted)

    def _take_power(self, message: dict[str, Any]) -> None:
        left_s = message.get("time_to_shutdown_s")
        left = "" if left_s is None else f", off in {int(left_s)} s"
        self.power = f"{message['state']}{left}"

    def _take_sound(self, message: dict[str, Any]) -> None:
        volume = "muted" if message["muted"] is True else f"{int(message['volume'])} %"
        words = [str(message["state"]), volume]
        words += [str(message[key]) for key in ("focus", "playing") if message.get(key)]
        self.sound = "  ".join(words)

    def _take_boot(self, message: dict[str, Any]) -> None:
        self.stages = [(str(name), float(at_s)) for name, at_s in message["stages"]]

    def _take_trouble(self, message: dict[str, Any]) -> None:
        self.trouble = str(message["text"])
