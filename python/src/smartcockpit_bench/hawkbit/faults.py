# SPDX-License-Identifier: Apache-2.0
"""What a server can do wrong, by name: the 22 faults of real servers, proxies and networks.

A fault is switched on for requests that match a word in their path, for a number of times. Names are those
of docs and tests.
"""

from __future__ import annotations

from dataclasses import dataclass, field

STATUS = {
    "404": 404, "401": 401, "403": 403, "409": 409, "410": 410, "429": 429, "500": 500, "503": 503,
}  # fmt: skip
"""Faults 1 to 8: a bare status; 429 comes with Retry-After: 1."""
BODY = ("empty", "bad-json", "huge-json")
"""Faults 9 to 11: for documents."""
REDIRECT = ("redirect-loop", "redirect-http", "redirect-host")
"""Faults 12 to 14."""
TRANSFER = (
    "wrong-length", "etag-changed", "range-ignored", "416", "slow", "stall", "reset", "half-close",
)  # fmt: skip
"""Faults 15 to 22."""
ALL = (*STATUS, *BODY, *REDIRECT, *TRANSFER)


@dataclass
class Switch:
    """One fault, on for requests whose path holds `where`, `times` more times (-1: for ever)."""

    name: str
    where: str = ""
    times: int = -1
    after_bytes: int = 0
    """Of a download: how much is sent before it goes wrong."""
    method: str = ""


@dataclass
class Faults:
    """The switches of a server; the first that matches is taken."""

    switches: list[Switch] = field(default_factory=list)
    hits: dict[str, int] = field(default_factory=dict)

    def on(self, name: str, where: str = "", times: int = -1, after_bytes: int = 0, method: str = "") -> None:
        """Switch a fault on."""
        if name not in ALL:
            raise ValueError(f"there is no fault {name!r}; known are: {', '.join(ALL)}")
        self.switches.append(Switch(name, where, times, after_bytes, method))

    def off(self) -> None:
        """Switch all off."""
        self.switches.clear()

    def take(self, method: str, path: str) -> Switch | None:
        """Return the fault for this request, and count it."""
        for switch in self.switches:
            fits = switch.where in path and switch.method in ("", method)
            if fits and switch.times:
                switch.times -= switch.times > 0
                self.hits[switch.name] = self.hits.get(switch.name, 0) + 1
                return switch
        return None
