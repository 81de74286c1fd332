# SPDX-License-Identifier: Apache-2.0
"""GPIO lines by gpiozero: its lgpio factory on a board and in the box, its mock factory in tests.

Of gpiozero only pins and factories are used. What else `import gpiozero` brings (boards, colours, SPI, entry
points, statistics) waits for its first use, which does not come here.

Levels are read when they are asked for; gpiozero's edge detection is not used: as soon as one edge is
watched, lgpio's thread wakes 2,000 times a second, and on a chip that was unplugged it never rests
(docs/decisions/0014).
"""

from __future__ import annotations

import glob
import os
from typing import TYPE_CHECKING, Any

from smartcockpit.adapters.gpio_lines import LinesLostError, Wiring, Wirings
from smartcockpit.core.defer import defer_module
from smartcockpit.core.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

DEVICES = "/dev/gpiochip"
_PULLS = {"none": "floating", "up": "up", "down": "down"}


class GpioZeroLines:
    """Implements `GpioLines` with the pins of a gpiozero `factory`, which it owns.

    `failures` are the exceptions of the factory's own library. `device` is the file whose end is the chip's.
    """

    def __init__(
        self,
        factory: Any,
        chip: str,
        inputs: Wirings,
        outputs: Wirings,
        *,
        failures: tuple[type[Exception], ...] = (),
        device: str = "",
    ) -> None:
        self.chip = chip
        self._factory, self._device = factory, device
        self._failures: tuple[type[Exception], ...] = (*failures, OSError)
        self._inputs: dict[str, tuple[Any, Wiring]] = {}
        self._outputs: dict[str, tuple[Any, Wiring]] = {}
        try:
            for name, wiring in inputs.items():
                self._inputs[name] = self._claim(
                    name, wiring, lambda pin, w: pin.input_with_pull(_PULLS[w.pull])
                )
            for name, wiring in outputs.items():
                self._outputs[name] = self._claim(
                    name, wiring, lambda pin, w: pin.output_with_state(w.active_low)
                )
        except LinesLostError:
            self.close()
            raise

    def _claim(self, name: str, wiring: Wiring, use: Callable[[Any, Wiring], None]) -> tuple[Any, Wiring]:
        try:
            pin = self._factory.pin(wiring.number)
            use(pin, wiring)
        except self._failures as error:
            hint = "is it used by a driver or another program? gpioinfo shows"
            raise LinesLostError(f"line {wiring.number} ({name}) of {self.chip}: {error}", hint) from error
        return pin, wiring

    def read(self, name: str) -> bool:
        """Return whether the input is on."""
        pin, wiring = self._inputs[name]
        try:
            return bool(pin.state) is not wiring.active_low
        except self._failures as error:
            raise LinesLostError(f"line {wiring.number} ({name}) of {self.chip}: {error}") from error

    def write(self, name: str, on: bool) -> None:
        """Set the output."""
        pin, wiring = self._outputs[name]
        try:
            pin.state = on is not wiring.active_low
        except self._failures as error:
            raise LinesLostError(f"line {wiring.number} ({name}) of {self.chip}: {error}") from error

    def check(self) -> None:
        """See whether the chip's device is still there."""
        if self._device and not os.path.exists(self._device):  # noqa: PTH110
            raise LinesLostError(f"{self._device} is gone")

    def close(self) -> None:
        """Close the factory; what its library says about a chip that is gone is of no interest."""
        try:
            self._factory.close()
        except self._failures:
            return


def _load_pins() -> None:
    """Make gpiozero's pins loadable without the rest of it."""
    if not defer_module("gpiozero"):
        raise UnavailableError("gpiozero is not installed", "install python3-gpiozero and python3-lgpio")
    defer_module("importlib.metadata", entry_points=None)
    defer_module("statistics", median=None)
    defer_module("gpiozero.pins.spi", SPISoftware=object)


def open_mock(inputs: Wirings, outputs: Wirings) -> GpioZeroLines:
    """Return lines without hardware; inputs rest at their pull. For tests and for looking at settings."""
    _load_pins()
    from gpiozero.pins.mock import MockFactory

    return GpioZeroLines(MockFactory(), "mock", inputs, outputs)


def open_lgpio(chip: str, inputs: Wirings, outputs: Wirings) -> GpioZeroLines:
    """Claim lines of `chip`: its label as `gpiodetect` shows it, or the path of its device.

    Raises `LinesLostError` while there is no such chip.
    """
    # lgpio makes a pipe in the working directory when it is imported, and finds it there again.
    folder = os.environ.get("RUNTIME_DIRECTORY") or os.environ.get("XDG_RUNTIME_DIR") or "/tmp"  # noqa: S108
    os.environ.setdefault("LG_WD", folder)
    os.chdir(os.environ["LG_WD"])
    _load_pins()
    try:
        import lgpio
    except ImportError as error:
        raise UnavailableError("lgpio is not installed", "install python3-lgpio") from error
    from smartcockpit.adapters.lgpio_factory import ChipFactory

    number = _number(chip, lgpio)
    try:
        factory = ChipFactory(number)
    except lgpio.error as error:
        raise LinesLostError(f"{DEVICES}{number}: {error}", f"ls -l {DEVICES}{number}") from error
    return GpioZeroLines(factory, chip, inputs, outputs, failures=(lgpio.error,), device=f"{DEVICES}{number}")


def _number(chip: str, lgpio: Any) -> int:
    """Return the number of the device; raises `LinesLostError` when there is none."""
    if chip.startswith("/"):
        device = os.path.realpath(chip)
        suffix = device.removeprefix(DEVICES)
        if suffix == device or not suffix.isdecimal() or not os.path.exists(device):  # noqa: PTH110
            raise LinesLostError(f"there is no GPIO chip {chip}", "gpiodetect lists them")
        return int(suffix)
    seen = []
    for device in sorted(glob.glob(f"{DEVICES}*")):  # noqa: PTH207
        number = int(device.removeprefix(DEVICES))
        try:
            handle = lgpio.gpiochip_open(number)
        except lgpio.error:
            seen.append(f"{device} (no access)")
            continue
        label = lgpio.gpio_get_chip_info(handle)[3]
        lgpio.gpiochip_close(handle)
        if label == chip:
            return number
        seen.append(label)
    raise LinesLostError(f"there is no GPIO chip {chip}", f"there is: {', '.join(seen) or 'none'}")
