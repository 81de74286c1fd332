# SPDX-License-Identifier: Apache-2.0
"""What the power daemon needs of GPIO lines, and what it says of them; how they are reached is for the
others.

Levels here are logical: on means that what the line stands for is on. Polarity is the adapter's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from smartcockpit.core.errors import UnavailableError
from smartcockpit.core.named import NamedTuple


class LinesLostError(UnavailableError):
    """The chip or one of its lines cannot be read or written (any more)."""


class Wiring(NamedTuple):
    """How one line is connected."""

    number: int
    active_low: bool = False
    pull: str = "none"
    """none, up or down; inputs only."""


class GpioLines(Protocol):
    """The lines of one chip, by name. Blocking calls of some microseconds; all raise `LinesLostError`."""

    chip: str
    """Path or label of what was opened, for people."""

    def read(self, name: str) -> bool:
        """Return whether the input is on."""

    def write(self, name: str, on: bool) -> None:
        """Set the output."""

    def check(self) -> None:
        """See whether the chip is still there."""

    def close(self) -> None:
        """Give the lines back; never raises."""


Wirings = Mapping[str, Wiring]
