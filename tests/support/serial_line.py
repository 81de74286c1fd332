# SPDX-License-Identifier: Apache-2.0
"""A serial line with a simulated receiver at its far end: a pty that garbles bytes at a wrong baud rate.

Unplugging closes the far end and takes the device's name away, as udev does; plugging makes a new one.
"""

from __future__ import annotations

import asyncio
import os
import pty
import random
import termios
import time
import tty
from pathlib import Path

from smartcockpit_bench.car.state import CarState
from smartcockpit_bench.gnss.receiver import SimulatedReceiver

RATES = {
    getattr(termios, f"B{rate}"): rate
    for rate in (4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
    if hasattr(termios, f"B{rate}")
}


class SerialLine:
    """`link` is the device's name. Use `async with`; `play` lets a receiver speak in real time."""

    def __init__(self, link: Path, baudrate: int = 38400) -> None:
        self.link = link
        self.baudrate = baudrate
        self.sent = b""
        """What the daemon has sent."""
        self._master = -1
        self._noise = random.Random(1)
        self._task: asyncio.Task[None] | None = None

    @property
    def plugged(self) -> bool:
        return self._master >= 0

    def plug(self) -> None:
        """Make the device appear."""
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(os.ttyname(slave))
        os.close(slave)
        os.set_blocking(self._master, False)

    def unplug(self) -> None:
        """Pull the plug."""
        if self.plugged:
            self.link.unlink(missing_ok=True)
            os.close(self._master)
            self._master = -1

    @property
    def rate_in_use(self) -> int:
        """The rate that the other side has set."""
        return RATES.get(termios.tcgetattr(self._master)[5], 0)

    def write(self, data: bytes) -> None:
        """Send; at a wrong rate other bytes arrive. Without a plug, or when nobody reads, they are lost."""
        if not self.plugged:
            return
        if self.rate_in_use != self.baudrate:
            data = self._noise.randbytes(len(data) // 2)
        try:
            os.write(self._master, data)
        except OSError:
            return

    def read(self) -> bytes:
        """Return what the other side has sent; at a wrong rate it cannot be understood."""
        if not self.plugged:
            return b""
        try:
            data = os.read(self._master, 4096)
        except OSError:  # nothing there, or nobody has the other end open
            return b""
        self.sent += data
        return data if self.rate_in_use == self.baudrate else b""

    def play(self, receiver: SimulatedReceiver, car: CarState) -> None:
        """Let `receiver` speak for `car` from now on."""
        self._task = asyncio.create_task(self._play(receiver, car), name="receiver")

    async def _play(self, receiver: SimulatedReceiver, car: CarState) -> None:
        last = 0
        while True:
            now_s = time.time()
            epoch = int(now_s / receiver.period_s)
            if epoch != last:
                last = epoch
                self.write(receiver.epoch(car, epoch * receiver.period_s))
            if data := self.read():
                self.write(receiver.take(data))
            await asyncio.sleep(0.01)

    async def __aenter__(self) -> SerialLine:
        self.plug()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.unplug()
