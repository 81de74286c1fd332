# SPDX-License-Identifier: Apache-2.0
"""When the server is asked again: its wish, jitter lest a fleet come at once, back-off on trouble."""

from __future__ import annotations

from collections.abc import Callable

Chance = Callable[[], float]
"""Returns a number from 0 to below 1."""
JITTER = 0.1
"""Share by which a pause is varied to either side."""
LONGEST_SLEEP_S = 86_399
"""hawkBit's own upper limit, 23:59:59."""


def poll_pause_s(wish_s: float, least_s: float, override_s: float, chance: Chance) -> float:
    """Return the pause to the next poll: `override_s` when set, else the server's wish within its limits."""
    wanted = override_s or min(max(wish_s or 300.0, least_s), LONGEST_SLEEP_S)
    return jittered(wanted, chance)


def jittered(pause_s: float, chance: Chance) -> float:
    """Return `pause_s` varied by `JITTER`."""
    return pause_s * (1 + JITTER * (2 * chance() - 1))


class BackOff:
    """Pauses that double from `first_s` to `last_s`, each with full jitter over its upper half."""

    def __init__(self, first_s: float, last_s: float, chance: Chance) -> None:
        self._first_s, self._last_s, self._chance = first_s, last_s, chance
        self.failures = 0
        """Attempts that failed in a row."""

    def failed(self, at_least_s: float = 0.0) -> float:
        """Return the pause before the next attempt; the server's Retry-After comes as `at_least_s`."""
        pause = min(self._last_s, self._first_s * float(1 << min(self.failures, 30)))
        self.failures += 1
        varied = pause * (0.5 + 0.5 * self._chance())
        return max(varied, min(at_least_s, LONGEST_SLEEP_S))

    def succeeded(self) -> None:
        """Start anew."""
        self.failures = 0


def floored_us(now_us: int, floors_us: tuple[int, ...]) -> int:
    """Return the time to go by on a unit whose clock may have been lost: never before any of `floors_us`.

    Floors are times that have certainly passed: when the image was built, when the time was last saved, when
    the newest verified bundle was made.
    """
    return max(now_us, *floors_us) if floors_us else now_us
