# SPDX-License-Identifier: Apache-2.0
"""Which messages are overdue.

Owns the rule: a message is overdue when it has been silent for longer than its own limit, or for three cycle
times where it has none; one that was never seen is not overdue but unavailable. What becomes of its signals,
and when they count as fresh again, is for the caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

CYCLES = 3


class Freshness:
    """Watches messages by index; `cycles` gives (cycle_ms, timeout_ms) of each, 0 for none.

    A message with neither is sent on change and never overdue.
    """

    def __init__(self, cycles: Iterable[tuple[int, int]]) -> None:
        self._limits_ns = [(timeout_ms or cycle_ms * CYCLES) * 1_000_000 for cycle_ms, timeout_ms in cycles]
        self._told_ns = [0] * len(self._limits_ns)

    def newly_overdue(self, last_seen_ns: Sequence[int], now_ns: int) -> list[int]:
        """Return the messages that have become overdue since the last call.

        `last_seen_ns` holds the monotonic time of each message's last frame, 0 for never.
        """
        told = self._told_ns
        overdue = [
            k
            for k, (seen, limit) in enumerate(zip(last_seen_ns, self._limits_ns, strict=True))
            if seen and limit and now_ns - seen > limit and told[k] != seen
        ]
        for k in overdue:
            told[k] = last_seen_ns[k]
        return overdue
