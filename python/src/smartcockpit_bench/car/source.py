# SPDX-License-Identifier: Apache-2.0
"""The simulated car on its buses: every message of the vehicle folder at its cycle time, guarded as declared.

`CarSource.due(t)` returns the frames up to `t` seconds after the start; the same seed, faults and times give
the same frames. Messages start spread over their cycle, as control units do, so that no burst hits the bus.
"""

from __future__ import annotations

import heapq
import itertools
from pathlib import Path

from smartcockpit.core.plan import BusPlan, MappedSignal, MessagePlan

from smartcockpit_bench.car.faults import Faults
from smartcockpit_bench.car.layout import feeders, put, raw_of, variants
from smartcockpit_bench.car.model import Car
from smartcockpit_bench.car.state import CarState
from smartcockpit_bench.car.values import VALUES
from smartcockpit_bench.frame import FD_LENGTHS, Frame

DEFAULT_CYCLE_S = 0.1
EFF_FLAG = 0x8000_0000


class MessageSender:
    """One message: its counter, its variants, its payload from the car's state."""

    def __init__(self, message: MessagePlan, bus: BusPlan) -> None:
        self.name, self.bus = message.name, bus.channel
        self.cycle_s = message.cycle_ms / 1000.0 or DEFAULT_CYCLE_S
        self._plan = message
        self._fd = bool(bus.data_bitrate)
        self._length = next(n for n in FD_LENGTHS if n >= message.length)
        self._feeders = feeders(message, frozenset(VALUES))
        self._variants = itertools.cycle(variants(message.fields))
        self._counter = 0

    @property
    def paths(self) -> list[str]:
        """VSS paths that the car fills in this message."""
        return [mapped.spec.path for mapped in self._feeders]

    def frame(self, car: CarState, faults: Faults) -> Frame:
        """Return the next frame."""
        plan, variant = self._plan, next(self._variants)
        payload = bytearray(self._length)
        for mapped in self._feeders:
            if mapped.field in variant.fields:
                self._fill(payload, mapped, car, faults)
        for index, value in variant.selectors:
            put(payload, plan.fields[index].place, value)
        for (message, signal), raw in faults.raw.items():
            for field in plan.fields if message == self.name else ():
                if field.name == signal:
                    put(payload, field.place, raw)
        data = self._guard(payload, faults)
        if self.name in faults.short:
            data = data[: len(data) // 2]
        can_id, extended = plan.can_id & 0x1FFF_FFFF, bool(plan.can_id & EFF_FLAG)
        return Frame(self.bus, can_id, data, extended, self._fd, self._fd)

    def _fill(self, payload: bytearray, mapped: MappedSignal, car: CarState, faults: Faults) -> None:
        path, place = mapped.spec.path, self._plan.fields[mapped.field].place
        value = faults.values[path] if path in faults.values else VALUES[path](car)
        raw = raw_of(value, mapped.conversion, place)
        if raw is not None:
            put(payload, place, raw)

    def _guard(self, payload: bytearray, faults: Faults) -> bytes:
        if self._plan.counter is not None:
            index, counter = self._plan.counter
            put(payload, self._plan.fields[index].place, self._counter)
            if self.name not in faults.frozen_counter:
                self._counter = counter.next(self._counter)
        data = bytes(payload)
        if self._plan.checksum is not None:
            data = self._plan.checksum.seal(data)
            if self.name in faults.bad_checksum:
                at = self._plan.checksum.at
                data = data[:at] + bytes([data[at] ^ 0x5A]) + data[at + 1 :]
        return data


class CarSource:
    """A `FrameSource`: the demo drive on the buses of a vehicle folder."""

    ended = False

    def __init__(self, messages: list[MessagePlan], buses: tuple[BusPlan, ...], *, seed: int = 1) -> None:
        self.car = Car(seed)
        self.faults = Faults()
        self.senders = [MessageSender(message, buses[message.bus]) for message in messages]
        self._queue = [
            (sender.cycle_s * (number * 0.618 % 1.0), number) for number, sender in enumerate(self.senders)
        ]
        heapq.heapify(self._queue)
        self._burst: dict[str, tuple[float, float]] = {}

    @classmethod
    def of(cls, folder: Path | str, *, seed: int = 1) -> CarSource:
        """Return the car on the vehicle in `folder`; raises `ConfigError` as the vehicle compiler does."""
        from smartcockpit.vehicle.compiler import compile_vehicle

        vehicle = compile_vehicle(Path(folder))
        mapped = {(message.bus, message.can_id): message for message in vehicle.plan.messages}
        messages = [mapped.get((message.bus, message.can_id), message) for message in vehicle.messages]
        return cls(messages, vehicle.plan.buses, seed=seed)

    @property
    def paths(self) -> set[str]:
        """VSS paths that move."""
        return {path for sender in self.senders for path in sender.paths}

    def due(self, until_s: float) -> list[Frame]:
        """Return the frames due until `until_s` that were not returned before, in order of time."""
        frames: list[Frame] = []
        while self._queue and self._queue[0][0] <= until_s:
            at_s, number = self._queue[0]
            sender = self.senders[number]
            heapq.heapreplace(self._queue, (at_s + sender.cycle_s, number))
            frame = sender.frame(self.car.advance(at_s), self.faults)
            if sender.name not in self.faults.stopped and sender.bus not in self.faults.silent_buses:
                frames.append(frame)
        if self.faults.burst:
            frames += self._bursts(until_s)
        return frames

    def _bursts(self, until_s: float) -> list[Frame]:
        frames: list[Frame] = []
        for bus, frames_per_s in self.faults.burst.items():
            rate, next_s = self._burst.get(bus, (0.0, until_s))
            if rate != frames_per_s:
                next_s = until_s
            on_bus = [sender for sender in self.senders if sender.bus == bus]
            while on_bus and next_s <= until_s:
                sender = on_bus[len(frames) % len(on_bus)]
                frames.append(sender.frame(self.car.state, self.faults))
                next_s += 1.0 / frames_per_s
            self._burst[bus] = (frames_per_s, next_s)
        return frames
