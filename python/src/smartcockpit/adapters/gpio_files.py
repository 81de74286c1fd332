# SPDX-License-Identifier: Apache-2.0
"""GPIO lines made of files, for development and tests: `<folder>/<number>` holds 0 or 1.

`echo 1 > lines/17` turns an input on; an output is written to its file. A folder that goes away is a chip
that is unplugged, anything but 0 and 1 a line that cannot be read. A file that is not there yet reads as 0.
"""

from __future__ import annotations

import os

from smartcockpit.adapters.gpio_lines import LinesLostError, Wiring, Wirings


class FileLines:
    """Implements `GpioLines` below `folder`."""

    def __init__(self, folder: str, inputs: Wirings, outputs: Wirings) -> None:
        self.chip = folder
        self._inputs, self._outputs = inputs, outputs
        self.check()

    def _path(self, wiring: Wiring) -> str:
        return f"{self.chip}/{wiring.number}"

    def read(self, name: str) -> bool:
        """Return whether the input is on."""
        wiring = self._inputs[name]
        try:
            with open(self._path(wiring), "rb") as file:  # noqa: PTH123 - many times a second
                said = file.read(8).strip()
        except FileNotFoundError:
            self.check()
            said = b"0"
        except OSError as error:
            raise LinesLostError(f"line {wiring.number}: {error.strerror}") from error
        if said not in (b"0", b"1", b""):
            raise LinesLostError(f"{self._path(wiring)} holds neither 0 nor 1", "echo 1 turns it on")
        return (said == b"1") is not wiring.active_low

    def write(self, name: str, on: bool) -> None:
        """Set the output."""
        wiring = self._outputs[name]
        try:
            with open(self._path(wiring), "w", encoding="ascii") as file:  # noqa: PTH123
                file.write(f"{int(on is not wiring.active_low)}\n")
        except OSError as error:
            raise LinesLostError(f"line {wiring.number}: {error.strerror}") from error

    def check(self) -> None:
        """See whether the folder is still there."""
        if not os.path.isdir(self.chip):  # noqa: PTH112
            raise LinesLostError(f"there is no folder {self.chip}", f"mkdir {self.chip}")

    def close(self) -> None:
        """Do nothing: files stay."""
