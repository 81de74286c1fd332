# SPDX-License-Identifier: Apache-2.0
"""Who holds a shutdown up, and why: the list behind `Power1.Inhibit`.

Pure. How an inhibition ends (its descriptor is closed) and for how long it counts (`core.power`) is for
others; here are the words, and the bounds of what callers may pile up.
"""

from __future__ import annotations

from smartcockpit.core.errors import LimitError, UsageError
from smartcockpit.core.named import NamedTuple
from smartcockpit.core.nearest import did_you_mean

WHAT = ("shutdown",)
AT_ONCE, AT_ONCE_PER_SENDER = 32, 4
TEXT_LIMIT = 120
"""Letters of `who` and `why`."""


class Inhibition(NamedTuple):
    """One of them; `sender` is the caller's unique name on the bus, `since_us` µs since the Unix epoch."""

    who: str
    why: str
    sender: str
    since_us: int

    @property
    def label(self) -> str:
        """Return it for people."""
        return f"{self.who} ({self.why})" if self.why else self.who


class Inhibitors:
    """Inhibitions by a key of the caller's choice."""

    def __init__(self) -> None:
        self._held: dict[int, Inhibition] = {}

    def check(self, what: str, who: str, sender: str) -> None:
        """Raise `UsageError` or `LimitError` for an inhibition that must not be."""
        if what not in WHAT:
            hint = did_you_mean(what, WHAT, f"one of: {', '.join(WHAT)}")
            raise UsageError(f"{what[:64]!r} cannot be inhibited", hint)
        if not clean(who):
            raise UsageError("an inhibition needs a name of who asks for it")
        if len(self._held) >= AT_ONCE:
            raise LimitError(f"{AT_ONCE} inhibitions are held already", "close one first")
        if sum(held.sender == sender for held in self._held.values()) >= AT_ONCE_PER_SENDER:
            raise LimitError(f"{sender} holds {AT_ONCE_PER_SENDER} inhibitions already", "close one first")

    def add(self, key: int, who: str, why: str, sender: str, now_us: int) -> Inhibition:
        """Hold one more; `check` it first."""
        self._held[key] = held = Inhibition(clean(who), clean(why), sender, now_us)
        return held

    def remove(self, key: int) -> Inhibition | None:
        """Drop one, None when it is gone already."""
        return self._held.pop(key, None)

    def __len__(self) -> int:
        return len(self._held)

    def all(self) -> list[Inhibition]:
        """Return them, oldest first."""
        return list(self._held.values())


def clean(text: str) -> str:
    """Return what a journal and a terminal can show of `text`, on one line."""
    return "".join(c if c.isprintable() else " " for c in text[:TEXT_LIMIT]).strip()
