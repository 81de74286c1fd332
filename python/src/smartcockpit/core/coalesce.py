# SPDX-License-Identifier: Apache-2.0
"""Which readings are worth a message, and when: coalescing per VSS branch.

Pure: the caller brings the time and does the sending. Rules:

- A branch that was quiet for a tick is due at once; else one tick after its last message.
- Of several readings of a signal that wait, the newest value wins.
- A change of quality is never lost: readings of different quality are kept in order, at most
`QUALITY_CHANGES` of them a
  signal. Beyond that (a signal that flips its quality more often than that between two messages, or during
  a stall) the oldest goes; the newest reading is always kept.

So at most `QUALITY_CHANGES` readings a signal wait, however long nobody takes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from smartcockpit.core.signals import Update

TICK_NS = 20_000_000
QUALITY_CHANGES = 8


class Coalescer:
    """Gathers updates of signals; `branch_of[i]` is the branch number of signal `i`."""

    def __init__(self, branch_of: Sequence[int], tick_ns: int = TICK_NS) -> None:
        self._branch_of = branch_of
        self._tick_ns = tick_ns
        branches = max(branch_of, default=-1) + 1
        self._newest: list[dict[int, Update]] = [{} for _ in range(branches)]
        self._of_signal = [self._newest[branch] for branch in branch_of]
        self._earlier: list[dict[int, list[Update]]] = [{} for _ in range(branches)]
        self._due_ns = [0] * branches
        self._filled: set[int] = set()

    def add(self, updates: Iterable[Update]) -> None:
        """Take in `updates`, in order."""
        of_signal = self._of_signal
        for update in updates:
            index = update[0]
            newest = of_signal[index]
            if index in newest:
                if newest[index][2] != update[2]:
                    self._keep_earlier(newest[index])
            elif not newest:
                self._filled.add(self._branch_of[index])
            newest[index] = update

    def _keep_earlier(self, update: Update) -> None:
        index = update[0]
        earlier = self._earlier[self._branch_of[index]].setdefault(index, [])
        earlier.append(update)
        if len(earlier) == QUALITY_CHANGES:
            del earlier[0]

    def due(self, now_ns: int) -> list[int]:
        """Return the branches whose message should leave by `now_ns` (monotonic ns)."""
        due_ns = self._due_ns
        return [branch for branch in self._filled if due_ns[branch] <= now_ns]

    def next_due_ns(self) -> int | None:
        """Return when the first waiting branch is due (monotonic ns), None when nothing waits."""
        return min((self._due_ns[branch] for branch in self._filled), default=None) if self._filled else None

    def take(self, branch: int, now_ns: int) -> list[Update]:
        """Return what waits for `branch` and start its tick."""
        newest, earlier = self._newest[branch], self._earlier[branch]
        self._filled.discard(branch)
        self._due_ns[branch] = now_ns + self._tick_ns
        if earlier:
            taken = [u for index, last in newest.items() for u in (*earlier.get(index, ()), last)]
            earlier.clear()
        else:
            taken = list(newest.values())
        newest.clear()
        return taken

    def __len__(self) -> int:
        """Return how many readings wait."""
        earlier = sum(len(updates) for branch in self._earlier for updates in branch.values())
        return earlier + sum(len(branch) for branch in self._newest)
