# SPDX-License-Identifier: Apache-2.0
"""The queue of a player: what comes next and before, with repeat and shuffle. Knows locations, not sound."""

from __future__ import annotations

import random
from collections.abc import Sequence

from smartcockpit.core.named import NamedTuple


class Place(NamedTuple):
    """One place in the queue. `number` is never used again, so that two equal locations can be told apart."""

    number: int
    location: str


class PlayQueue:
    """Starts empty. `loop` is none, track or queue; `pick` makes the order of a shuffle."""

    def __init__(self, pick: random.Random | None = None) -> None:
        self.loop = "none"
        self._shuffle = False
        self._places: list[Place] = []
        self._order: list[int] = []
        self._at = 0
        self._last = 0
        self._pick = pick or random.Random()  # noqa: S311 - music, not secrets

    def __len__(self) -> int:
        return len(self._places)

    def replace(self, locations: Sequence[str]) -> None:
        """Put other things into the queue; the first one is current, or any when it is shuffled."""
        self._places = [Place(self._last + n, location) for n, location in enumerate(locations, 1)]
        self._last += len(locations)
        self._at = 0
        self._arrange(None)

    @property
    def shuffle(self) -> bool:
        """True when the order is none."""
        return self._shuffle

    @shuffle.setter
    def shuffle(self, on: bool) -> None:
        if on is not self._shuffle:
            self._shuffle = on
            self._arrange(self.current)

    @property
    def current(self) -> Place | None:
        """Return what is to be heard."""
        return self._places[self._order[self._at]] if self._places else None

    def upcoming(self, by_itself: bool = True) -> Place | None:
        """Return what follows, None at the end; `by_itself`: because the track has ended, not by a button."""
        step = self._step(1, by_itself)
        return None if step is None else self._places[self._order[step]]

    def advance(self, by_itself: bool = True) -> Place | None:
        """Go on to what follows and return it; at the end stay where it is and return None."""
        step = self._step(1, by_itself)
        if step is None:
            return None
        self._at = step
        return self.current

    def go_back(self) -> Place | None:
        """Go to what was before and return it; at the start stay there."""
        step = self._step(-1, False)
        if step is not None:
            self._at = step
        return self.current

    @property
    def can_go_back(self) -> bool:
        """True when there is something before."""
        return self._step(-1, False) is not None

    def _step(self, by: int, by_itself: bool) -> int | None:
        if not self._places:
            return None
        if by_itself and self.loop == "track":
            return self._at
        at = self._at + by
        if 0 <= at < len(self._places):
            return at
        return at % len(self._places) if self.loop == "queue" else None

    def _arrange(self, keep: Place | None) -> None:
        """Make the order anew; `keep` stays current."""
        self._order = list(range(len(self._places)))
        where = self._places.index(keep) if keep in self._places else None
        if not self._shuffle:
            self._at = where or 0
            return
        self._pick.shuffle(self._order)
        if where is not None:
            self._order.remove(where)
            self._order.insert(0, where)
        self._at = 0
