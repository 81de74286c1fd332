# SPDX-License-Identifier: Apache-2.0
"""gpiozero's lgpio factory for any chip: without its table of Raspberry Pi models, and outputs without a
glitch.

Import it after `gpiozero_lines` has prepared gpiozero; it is `gpiozero_lines`' and nobody else's.
"""

from __future__ import annotations

from typing import Any

import lgpio
from gpiozero.pins import PinInfo
from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin


class ChipPin(LGPIOPin):  # type: ignore[misc]
    """A line that becomes an output with its level, not with a low one first: amplifiers pop."""

    def output_with_state(self, state: bool) -> None:
        """Claim the line as an output."""
        lgpio.gpio_claim_output(self.factory._handle, self._number, int(state))


class ChipFactory(LGPIOFactory):  # type: ignore[misc]
    """The lines of /dev/gpiochip<chip>, by number."""

    def __init__(self, chip: int) -> None:
        super().__init__(chip=chip)
        self.pin_class = ChipPin
        self.pins: dict[int, ChipPin] = {}  # the base class shares them among all factories of a process

    def pin(self, name: int) -> Any:
        """Return the line, claimed as an input the first time."""
        if name not in self.pins:
            info = PinInfo(
                number=name, name=f"GPIO{name}", names=frozenset({name}), pull="", row=0, col=0,
                interfaces=frozenset({"gpio"}),
            )  # fmt: skip
            self.pins[name] = ChipPin(self, info)
        return self.pins[name]

    def close(self) -> None:
        """Give all lines back with the chip."""
        self.pins.clear()  # closing the chip frees them; pin by pin, one that is gone would keep the rest
        super().close()
