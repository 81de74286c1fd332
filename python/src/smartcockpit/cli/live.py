# SPDX-License-Identifier: Apache-2.0
"""`cockpitctl live`: the cockpit's state as JSON lines, sampled, for a viewer at the other end of a port.

Format 1, one object a line, each with "v": 1, "type" and "t" (seconds since the Unix epoch, this machine's
clock). Unknown types and keys are to be skipped. Types:
  signals  {"full": bool, "rows": [[path, value, unit, quality, time_us], …]}: what changed since the last
           line; all of them (in several lines when many) when full, every FULL_S seconds and after a loss
  daemons  {"slot": "A"|null, "rows": [{daemon, unit, state, …}]}, as `cockpitctl status --json`
  buses    {"vehicle": …, "rows": [{name, state, load_percent, frames, …}]}, as `cockpitctl can --json`
  boot     {"stages": [[name, seconds since power-on], …]}
  trouble  {"text": why one of the above is missing at the moment}
Sampling (`Get` of everything, a few times a second) bounds the cost whatever the car sends: the machine that
is watched may be an emulated one.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from dataclasses import asdict
from typing import Any

from smartcockpit.bus.client import CanBridgeClient, SignalsClient
from smartcockpit.bus.connection import BusConnection
from smartcockpit.cli import boot, can, inventory, output, signals, status
from smartcockpit.cli.sink import LineSink
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.core.signals import SignalQuality

VERSION = 1
FULL_S = 5.0
SLOW_S = 2.0
"""Period of daemons, buses and the list of signals."""
ROWS_PER_LINE = 250
SHARE = 0.2
"""Share of one core that sampling may take: a slow machine samples less often."""
RETRY_S = 1.0


async def run(options: argparse.Namespace) -> int:
    """Stream until stopped; the bus and the reader may come and go."""
    sink = LineSink(options.output)
    while True:
        try:
            async with BusConnection(options.bus) as bus:
                await Stream(bus, sink, options.interval).run()
        except SmartCockpitError as error:
            _emit(sink, "trouble", {"text": str(error)})
        await asyncio.sleep(RETRY_S)


def _emit(sink: LineSink, kind: str, body: dict[str, Any]) -> None:
    sink.write(output.line({"v": VERSION, "type": kind, "t": round(time.time(), 3), **body}))


class Stream:
    """Samples one bus into one sink."""

    def __init__(self, bus: BusConnection, sink: LineSink, interval_s: float) -> None:
        self._bus, self._sink, self._interval_s = bus, sink, interval_s
        self._signals = SignalsClient(bus)
        self._can = CanBridgeClient(bus)
        self._units: dict[str, str] = {}
        self._owners: list[str] = []
        self._last: dict[str, tuple[Any, ...]] = {}
        self._full_at = self._slow_at = 0.0
        self._trouble = ""
        self._lost = self._first_valid_us = 0
        self._stages: list[tuple[str, float]] = []

    async def run(self) -> None:
        """Sample for ever; errors of daemons are told as trouble and outlived."""
        while True:
            began = time.monotonic()
            try:
                if began >= self._slow_at:
                    self._slow_at = began + SLOW_S
                    await self._slow()
                await self._sample(began)
                self._trouble = ""
            except SmartCockpitError as error:
                self._units = {}
                if str(error) != self._trouble:
                    self._trouble = str(error)
                    _emit(self._sink, "trouble", {"text": self._trouble})
            took = time.monotonic() - began
            await asyncio.sleep(max(self._interval_s - took, took * (1 / SHARE - 1), 0.02))

    async def _slow(self) -> None:
        owners = await self._signals.owners()
        if owners != self._owners or not self._units:
            self._owners = owners
            self._units = {d.path: d.unit for d in await self._signals.list("")}
            self._full_at = 0.0
        found = await status.collect(self._bus, inventory.daemons())
        _emit(self._sink, "daemons", {"slot": status.boot_slot(), "rows": [asdict(one) for one in found]})
        try:
            state = await self._can.state()
        except SmartCockpitError as error:
            _emit(self._sink, "buses", {"vehicle": "", "rows": [], "reason": str(error)})
        else:
            rows = [can.as_json(name, state) for name in state.buses]
            _emit(self._sink, "buses", {"vehicle": state.vehicle, "rows": rows})
        if len(self._stages) < boot.COMPLETE:
            self._stages = await boot.stages(self._bus, self._first_valid_us)
        if self._stages:
            _emit(self._sink, "boot", {"stages": self._stages})

    async def _sample(self, now: float) -> None:
        full = now >= self._full_at or self._sink.dropped != self._lost
        self._lost = self._sink.dropped
        if full:
            self._full_at = now + FULL_S
        rows = []
        paths = list(self._units)
        for start in range(0, len(paths), signals.CHUNK):
            for reading in await self._signals.get(paths[start : start + signals.CHUNK]):
                if not self._first_valid_us and reading.quality is SignalQuality.VALID:
                    self._first_valid_us = reading.time_us
                seen = (reading.value, reading.quality, reading.time_us)
                if full or self._last.get(reading.path) != seen:
                    self._last[reading.path] = seen
                    unit = self._units[reading.path]
                    rows.append([reading.path, reading.value, unit, reading.quality.label, reading.time_us])
        for start in range(0, len(rows), ROWS_PER_LINE):
            _emit(self._sink, "signals", {"full": full, "rows": rows[start : start + ROWS_PER_LINE]})
