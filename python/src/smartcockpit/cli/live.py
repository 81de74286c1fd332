# SPDX-License-Identifier: Apache-2.0
"""`cockpitctl live`: the cockpit's state as JSON lines, sampled, for a viewer at the other end of a port.

Format 1, one object a line, each with "v": 1, "type" and "t" (seconds since the Unix epoch, this machine's
clock). Unknown types and keys are to be skipped. Types:
  signals  {"full": bool, "rows": [[path, value, unit, quality, time_us], …]}: what changed since the last
           line; all of them (in several lines when many) when full, every 5 s and after a loss
  daemons  {"slot": "A"|null, "rows": [{daemon, unit, state, …}]}, as `cockpitctl status --json`
  buses    {"vehicle": …, "rows": [{name, state, load_percent, frames, …}]}, as `cockpitctl can --json`
  power    {"state": …, "reason": …, "time_to_shutdown_s": number|null, …}, as `cockpitctl power --json`;
  left out
           while nobody offers it
  sound    {"state", "volume", "muted", "focus": role that has the say or null, "playing": one line or ""}
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

from smartcockpit.bus.audio_client import AudioClient
from smartcockpit.bus.client import CanBridgeClient, SignalsClient
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.owners import Catalogue
from smartcockpit.bus.power_client import PowerClient
from smartcockpit.cli import audio, boot, can, inventory, output, power, status
from smartcockpit.cli.sink import LineSink
from smartcockpit.core.errors import SmartCockpitError, UnavailableError

VERSION = 1
PERIODS_S = {"owners": 2.0, "full": 5.0, "buses": 1.0, "power": 1.0, "sound": 2.0, "daemons": 10.0}
"""How often who owns signals, all values, the buses, power, sound and the daemons are asked for."""
ROWS_PER_LINE = 250
SHARE = 0.2
"""Share of one core that sampling may take: a slow machine samples less often."""
LONGEST_REST_S = 1.0
"""Even the slowest machine is sampled once a second."""
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
        self._can, self._audio = CanBridgeClient(bus), AudioClient(bus)
        self._power_client = PowerClient(bus)
        self._catalogues: list[Catalogue] = []
        self._last: dict[str, tuple[Any, ...]] = {}
        self._due_s = dict.fromkeys(PERIODS_S, 0.0)
        self._stages: list[tuple[str, float]] = []
        self._trouble = ""
        self._lost = self._first_frame_us = 0

    async def run(self) -> None:
        """Sample for ever; errors of daemons are told as trouble and outlived."""
        while True:
            began, began_cpu_s = time.monotonic(), time.process_time()
            try:
                for kind in [kind for kind, due_s in self._due_s.items() if began >= due_s]:
                    self._due_s[kind] = began + PERIODS_S[kind]
                    await getattr(self, f"_{kind}")()
                await self._sample()
                self._trouble = ""
            except SmartCockpitError as error:
                self._due_s["owners"] = 0.0
                if str(error) != self._trouble:
                    self._trouble = str(error)
                    _emit(self._sink, "trouble", {"text": self._trouble})
            rest_s = self._interval_s - (time.monotonic() - began)
            spent_s = time.process_time() - began_cpu_s
            await asyncio.sleep(min(LONGEST_REST_S, max(rest_s, spent_s * (1 / SHARE - 1), 0.02)))

    async def _owners(self) -> None:
        before = [catalogue.unique for catalogue in self._catalogues]
        self._catalogues = await self._signals.catalogues()
        if [catalogue.unique for catalogue in self._catalogues] != before:
            self._last.clear()
            self._due_s["daemons"] = 0.0
        if not self._catalogues:
            raise UnavailableError("no daemon on the bus offers vehicle signals yet")

    async def _daemons(self) -> None:
        found = await status.collect(self._bus, inventory.daemons())
        _emit(self._sink, "daemons", {"slot": status.boot_slot(), "rows": [asdict(one) for one in found]})
        if len(self._stages) < boot.COMPLETE:
            self._stages = await boot.stages(self._bus, self._first_frame_us)
        if self._stages:
            _emit(self._sink, "boot", {"stages": self._stages})

    async def _buses(self) -> None:
        try:
            state = await self._can.state()
        except SmartCockpitError as error:
            _emit(self._sink, "buses", {"vehicle": "", "rows": [], "reason": str(error)})
        else:
            rows = [can.as_json(name, state) for name in state.buses]
            _emit(self._sink, "buses", {"vehicle": state.vehicle, "rows": rows})
            first_frames = [one.first_frame for one in state.counters.values() if one.first_frame]
            if first_frames and not self._first_frame_us:
                self._first_frame_us = min(first_frames)
                self._due_s["daemons"] = 0.0

    async def _power(self) -> None:
        try:
            found = await self._power_client.status()
        except SmartCockpitError:
            return
        _emit(self._sink, "power", power.as_json(found))

    async def _sound(self) -> None:
        try:
            state = await self._audio.state()
        except SmartCockpitError:
            return  # the line on the daemons says it
        focus = state.focus[0][1] if state.focus else None
        playing = audio.playing_text(state) if state.player else ""
        body = {"state": state.server.state, "volume": state.master[0], "muted": state.master[1]}
        _emit(self._sink, "sound", {**body, "focus": focus, "playing": playing})

    async def _full(self) -> None:
        self._last.clear()

    async def _sample(self) -> None:
        if self._sink.dropped != self._lost:
            self._lost = self._sink.dropped
            self._last.clear()
        full = not self._last
        rows = []
        for catalogue in self._catalogues:
            for path, value, quality, time_us, _ in await self._signals.read(
                catalogue, list(catalogue.signals)
            ):
                seen = (value, quality, time_us)
                if self._last.get(path) != seen:
                    self._last[path] = seen
                    rows.append([path, value, catalogue.signals[path].unit, quality.label, time_us])
        for start in range(0, len(rows), ROWS_PER_LINE):
            _emit(self._sink, "signals", {"full": full, "rows": rows[start : start + ROWS_PER_LINE]})
