# SPDX-License-Identifier: Apache-2.0
"""One bus at work: opens its source, drains it into the decoder, follows its state, ages its signals.

Owns the loop's readers of this bus. Hands updates to `publish` and says through `on_change` that its status
is another. All callbacks run in the loop; none blocks, none raises for anything that a bus can do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import cached_property

from smartcockpit.adapters.can_netlink import Link
from smartcockpit.adapters.frame_source import FrameSource
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.canbus import BackOff, BusMonitor, BusState
from smartcockpit.core.canload import LoadMeter
from smartcockpit.core.clock import Clock
from smartcockpit.core.decode import DecoderBackend
from smartcockpit.core.errors import ConfigError, UnavailableError
from smartcockpit.core.freshness import Freshness
from smartcockpit.core.named import NamedTuple
from smartcockpit.core.signals import SignalQuality, Update
from smartcockpit.core.table import VehicleTable
from smartcockpit.daemons.canbridge import events

log = logging.getLogger(__name__)
BATCHES_PER_TURN = 16
"""Then the loop gets its turn, so that a flooded bus cannot starve the others."""
DEAF = (BusState.UNAVAILABLE, BusState.BUS_OFF)


class Reach(NamedTuple):
    """How the source of a bus is opened. `needs_link`: only while the kernel's interface is up."""

    interface: str
    open: Callable[[], FrameSource]
    needs_link: bool
    restart: Callable[[], None]


class BusWork:
    """Bus number `index` of `table`."""

    def __init__(
        self,
        table: VehicleTable,
        index: int,
        reach: Reach,
        *,
        board: SignalBoard,
        publish: Callable[[Sequence[Update]], None],
        on_change: Callable[[], None],
        clock: Clock,
        gather_s: float,
        back_off: BackOff,
        make_decoder: Callable[[], DecoderBackend],
    ) -> None:
        self.bus = table.buses[index]
        self.reach = reach
        self._make_decoder = make_decoder
        self.monitor = BusMonitor(clock.realtime_us(), "not opened yet")
        self.load = 0.0
        self.first_frame_ns = 0
        """When the first mapped frame came, CLOCK_MONOTONIC, to a tick; 0 before that."""
        self._link: Link | None = None
        self._board, self._publish, self._on_change, self._clock = board, publish, on_change, clock
        self._messages = messages = [m for m in table.messages if m.bus == index]
        self._signals = sorted({i for m in messages for i in m.signals})
        # Of a multiplexed message a frame renews only some signals; those keep the time of their last change.
        self._renewed = [() if None in m.decode(bytes(m.length)) else m.signals for m in messages]
        self._freshness = Freshness((m.cycle_ms, m.timeout_ms) for m in messages)
        extended = sum(m.can_id >> 31 for m in messages) / max(1, len(messages))
        self._mean_length = sum(m.length for m in messages) // max(1, len(messages))
        self._meter = LoadMeter(self.bus.bitrate, self.bus.data_bitrate, extended)
        self._gather_s = gather_s
        self._back_off = back_off
        self._source: FrameSource | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._drained_ns = 0
        self._dropped_before = 0
        self._told_drops = 0

    @cached_property
    def decoder(self) -> DecoderBackend:
        """The decoder; made on first use, because loading its library can wait until after ready."""
        return self._make_decoder()

    @property
    def drops(self) -> int:
        """Frames lost because we read too late, since the start of the daemon."""
        return self._dropped_before + (self._source.dropped if self._source else 0)

    # ---- source ------------------------------------------------------------------------------------------

    def try_open(self) -> None:
        """Open the source unless it is open; a failure becomes the reason of being unavailable."""
        if self._source is not None or (self.reach.needs_link and not (self._link and self._link.usable)):
            return
        try:
            self._source = source = self.reach.open()
        except (UnavailableError, ConfigError) as error:
            self._became(BusState.UNAVAILABLE, str(error))
            return
        loop = asyncio.get_running_loop()
        loop.add_reader(source.fileno(), self._drain)
        if source.error_fileno() >= 0:
            loop.add_reader(source.error_fileno(), self._read_errors)
        self._became((self._link.state if self._link else None) or BusState.ERROR_ACTIVE)

    def close(self, reason: str = "closed") -> None:
        """Close the source; its signals become unavailable."""
        source, self._source = self._source, None
        if source is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(source.fileno())
            if source.error_fileno() >= 0:
                loop.remove_reader(source.error_fileno())
            self._dropped_before += source.dropped
            source.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._became(BusState.UNAVAILABLE, reason)

    def _drain(self) -> int:
        """Decode all that waits and return the number of frames.

        Under load, go on by timer instead of by wake-up.
        """
        source, count = self._source, 0
        if source is None:
            return 0
        now_ns = self._clock.monotonic_ns()
        try:
            for _ in range(BATCHES_PER_TURN):
                batch = source.receive()
                if batch is None:
                    break
                updates = self.decoder.feed(batch, now_ns)
                if updates:
                    self._publish(updates)
                count += batch.count
                if not batch.full:
                    break
        except OSError as error:
            self.close(error.strerror or str(error))
            return 0
        if self._timer is None and self._gather_s and now_ns - self._drained_ns < self._gather_s * 1e9:
            loop = asyncio.get_running_loop()
            loop.remove_reader(source.fileno())
            self._timer = loop.call_later(self._gather_s, self._drain_by_timer)
        self._drained_ns = now_ns
        return count

    def _drain_by_timer(self) -> None:
        loop = asyncio.get_running_loop()
        if self._drain() > 1:
            self._timer = loop.call_later(self._gather_s, self._drain_by_timer)
        elif self._source is not None:
            self._timer = None
            loop.add_reader(self._source.fileno(), self._drain)

    def _read_errors(self) -> None:
        if self._source is None:
            return
        try:
            frames = self._source.read_errors()
        except OSError as error:
            self.close(error.strerror or str(error))
            return
        self._drain()  # data wait in a socket of their own: what came before bus-off is not heard after it
        if self._source is None:
            return
        changed = False
        for can_id, data in frames:
            changed |= self.monitor.error_frame(can_id, data, self._clock.realtime_us())
        if changed:
            self._changed()

    # ---- state -------------------------------------------------------------------------------------------

    def link_news(self, link: Link | None) -> None:
        """Take over what the kernel says of our interface; None: there is no such interface."""
        known = self._link is not None and link is not None and self._link.number == link.number
        if not known:
            self._meter.forget()
        self._link = link
        name = self.reach.interface
        if link is None or not link.present:
            self._link = None
            self.close(f"there is no interface {name}")
        elif not link.up:
            self.close(f"{name} is down")
        else:
            self.monitor.tx_errors, self.monitor.rx_errors = link.tx_errors, link.rx_errors
            self.try_open()
            if self._source is not None and link.state is not None:
                if link.state in DEAF:
                    self._drain()
                if self._source is not None:
                    self._became(link.state)

    def _became(self, state: BusState, reason: str = "") -> None:
        if self.monitor.became(state, self._clock.realtime_us(), reason):
            self._changed()

    def _changed(self) -> None:
        monitor = self.monitor
        if monitor.state in DEAF:
            # Also from one to the other: a virtual wire carries frames while its controller is off.
            self.decoder.start_over()
            self._publish(self._board.mark(self._signals, SignalQuality.UNAVAILABLE))
        event = {
            BusState.UNAVAILABLE: events.BUS_DOWN, BusState.BUS_OFF: events.BUS_OFF,
            BusState.ERROR_ACTIVE: events.BUS_UP,
        }.get(monitor.state, events.BUS_TROUBLE)  # fmt: skip
        event.log(
            log,
            bus=self.bus.name,
            interface=self.reach.interface,
            state=monitor.state.value,
            reason=monitor.reason,
        )
        self._on_change()

    # ---- time --------------------------------------------------------------------------------------------

    def tick(self, now_ns: int) -> None:
        """Age signals, release what an interval held back, restart after bus-off.

        Call it some times a second.
        """
        if updates := self.decoder.flush(now_ns):
            self._publish(updates)
        if not self.first_frame_ns:
            self.first_frame_ns = min(filter(None, self.decoder.last_seen_ns), default=0)
        for k in self._freshness.newly_overdue(self.decoder.last_seen_ns, now_ns):
            self.decoder.forget(k)
            known = [i for i in self._messages[k].signals if self._board.qualities[i]]
            self._publish(self._board.mark(known, SignalQuality.STALE))
        if self.monitor.state is BusState.BUS_OFF:
            if self._back_off.trouble(now_ns):
                self.reach.restart()
        elif self._source is None and not self.reach.needs_link:
            if self._back_off.trouble(now_ns):
                self.try_open()
        else:
            self._back_off.calm(now_ns)

    def renew_times(self) -> None:
        """Give valid signals the time of the last frame that carried them, also where it changed nothing."""
        board, now_ns, now_us = self._board, self._clock.monotonic_ns(), self._clock.realtime_us()
        for seen, signals in zip(self.decoder.last_seen_ns, self._renewed, strict=True):
            if seen:
                time_us = now_us - (now_ns - seen) // 1000
                for i in signals:
                    if board.qualities[i] == SignalQuality.VALID and board.times_us[i] < time_us:
                        board.times_us[i] = time_us

    def each_second(self, now_ns: int) -> None:
        """Measure the load and tell of losses."""
        link = self._link
        if link is not None and link.usable:
            # A virtual interface counts each frame of this host as sent and as received.
            virtual = link.kind in ("vcan", "vxcan")
            frames = link.rx_frames + (0 if virtual else link.tx_frames)
            self.load = self._meter.update(frames, link.rx_bytes + (0 if virtual else link.tx_bytes), now_ns)
        else:
            frames = self.decoder.tally.frames
            self.load = self._meter.update(frames, frames * self._mean_length, now_ns)
        if self.drops > self._told_drops:
            lost, self._told_drops = self.drops - self._told_drops, self.drops
            events.DROPS.log(log, bus=self.bus.name, interface=self.reach.interface, count=lost)
