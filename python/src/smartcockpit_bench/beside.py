# SPDX-License-Identifier: Apache-2.0
"""A parked car with its receiver beside a box, in a thread of its own: for those who look at the box."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType

from smartcockpit_bench.car.source import CarSource
from smartcockpit_bench.gnss import feed as gnss
from smartcockpit_bench.places import ROOT
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.simulate import simulate
from smartcockpit_bench.wire import CarWire

NEEDED = frozenset(
    {
        "Vehicle.Speed",
        "Vehicle.Powertrain.Transmission.SelectedGear",
        "Vehicle.Chassis.ParkingBrake.IsEngaged",
        "Vehicle.LowVoltageBattery.CurrentVoltage",
    }
)
"""What a parked car still says: most of its control units sleep."""
CYCLE_S = 0.2
"""The emulated controller holds five frames, and a box that starts or writes a slot is slow to fetch them."""


class ParkedCar:
    """Use as a context manager. `source.faults` may be changed at any time, frames are made from it."""

    def __init__(self, box: Box) -> None:
        self.source = CarSource.of(ROOT / "dbc" / "demo")
        self.source.car.parked = True
        for sender in self.source.senders:
            if NEEDED.isdisjoint(sender.paths):
                self.source.faults.stopped.add(sender.name)
            sender.cycle_s = max(sender.cycle_s, CYCLE_S)
        self._box = box
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="car", daemon=True)
        self._ends = asyncio.Event()

    def __enter__(self) -> ParkedCar:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._ends.set)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        self._loop.run_until_complete(self._stand())

    async def _stand(self) -> None:
        async with CarWire(self._box.car_socket) as wire:
            tasks = [
                asyncio.create_task(simulate(self.source, wire)),
                asyncio.create_task(gnss.feed(self._box.gnss_socket, self.source.car)),
            ]
            await self._ends.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
