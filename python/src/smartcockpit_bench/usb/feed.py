# SPDX-License-Identifier: Apache-2.0
"""The loom between the simulated car and the box's GPIO adapter: which wire is on which line.

The box's side of it is bench/rootfs/common/usr/share/smartcockpit/power.d/50-box.toml.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from smartcockpit_bench.car.model import Car
from smartcockpit_bench.car.state import REVERSE, CarState, Ignition
from smartcockpit_bench.usb.cp2112 import Cp2112
from smartcockpit_bench.usb.port import UsbPort

INPUTS = {"ignition": 0, "reverse": 1, "voice": 3}
"""Of the box; optocouplers pull them low when they are on."""
OUTPUTS = {"amplifier": 4, "lamp": 5, "fan": 6}
LIVE = (Ignition.ACC, Ignition.ON, Ignition.START)
TICK_S = 0.02


class Loom:
    """The chip with its wires; `set` is the car's side, `is_on` what the box switches."""

    def __init__(self) -> None:
        self.chip = Cp2112()
        for name in INPUTS:
            self.set(name, False)

    def set(self, name: str, on: bool) -> None:
        """Put an input on or off."""
        self.chip.drive(INPUTS[name], not on)

    def is_on(self, name: str) -> bool:
        """Return whether the box drives an output, and high."""
        line = OUTPUTS[name]
        return self.chip.is_output(line) and self.chip.level(line)

    def follow(self, state: CarState) -> None:
        """Take ignition and reversing lamps over from the car."""
        self.set("ignition", state.controls.ignition in LIVE)
        # The lamps hang on the ignition, as in every car.
        self.set("reverse", state.powertrain.selector == REVERSE and state.controls.ignition in LIVE)


async def feed(path: Path, car: Car | None, loom: Loom | None = None, port: UsbPort | None = None) -> None:
    """Have the adapter at the socket `path` follow `car` until cancelled.

    Without a car (a recording has none) the ignition stays on. A `loom` of the caller's can be looked at and
    driven from outside, a `port` pulled out and plugged in.
    """
    loom = loom or Loom()
    port = port or UsbPort(path, loom.chip)
    serving = asyncio.create_task(port.run(), name="gpio adapter")
    loom.set("ignition", True)
    try:
        while True:
            if car is not None:
                loom.follow(car.state)
            await asyncio.sleep(TICK_S)
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
