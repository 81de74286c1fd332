# SPDX-License-Identifier: Apache-2.0
"""Emission of `Signals1.Changed`: coalesced, packed from prepared pieces, held back while the bus daemon
stalls.

When what leaves is decided by `smartcockpit.core.coalesce`, how it looks by `wire`. While the writer is
congested, or there is no connection, readings wait in the coalescer, which is bounded; after a reconnect
the whole board is sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.declare import spec_of
from smartcockpit.bus.interfaces.signals1 import Signals1
from smartcockpit.bus.wire import ChangedTemplate, ElementPacker
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.clock import Clock, SystemClock
from smartcockpit.core.coalesce import Coalescer
from smartcockpit.core.signals import Update

_log = logging.getLogger(__name__)

SLACK_NS = 5_000_000
"""Branches that are due within this time leave together, which saves wake-ups."""
READINGS_PER_MESSAGE = 512
"""Larger branches are sent in several messages."""
BYTES_PER_WRITE = 32 * 1024
"""Messages that leave together go to the kernel together, up to about this size."""


class SignalPublisher:
    """Publishes readings of the signals of `board` on `connection`; the board is sent anew after a
    reconnect."""

    def __init__(self, connection: BusConnection, board: SignalBoard, clock: Clock | None = None) -> None:
        self._connection = connection
        self._board = board
        self._clock = clock or SystemClock()
        branch_of = [spec.branch for spec in board.specs]
        branches = list(dict.fromkeys(branch_of))
        number = {branch: i for i, branch in enumerate(branches)}
        self._coalescer = Coalescer([number[branch] for branch in branch_of])
        interface = spec_of(Signals1)
        self._templates = [ChangedTemplate(interface.path, interface.name, branch) for branch in branches]
        self._packer = ElementPacker(board.specs)
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._misfits = 0
        connection.on_connected(self._send_everything)
        connection.on_drained(self._tick)

    def publish(self, updates: Sequence[Update]) -> None:
        """Apply `updates` to the board and send them: a lone change at once, else within 20 ms, newest
        value wins.

        Never blocks and never raises for a bus in trouble.
        """
        self._board.apply(updates)
        self._coalescer.add(updates)
        if self._timer is None:
            self._send_due(0)

    def close(self) -> None:
        """Stop; what still waits is not sent."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _send_everything(self) -> None:
        board = self._board
        readings = zip(board.values, board.qualities, board.times_us, strict=True)
        self._coalescer.add([(i, *reading) for i, reading in enumerate(readings)])
        self._tick()

    def _tick(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._closed:
            self._send_due(SLACK_NS)

    def _send_due(self, slack_ns: int) -> None:
        """Send what is due, then sleep until the next branch is."""
        link = self._connection.live
        if link is None:
            return  # _send_everything follows
        now_ns = self._clock.monotonic_ns()
        messages: list[bytes] = []
        size = 0
        for branch in self._coalescer.due(now_ns + slack_ns):
            if link.writer.congested:
                return  # on_drained follows
            elements = self._packer.pack(self._coalescer.take(branch, now_ns))
            template = self._templates[branch]
            for start in range(0, len(elements), READINGS_PER_MESSAGE):
                portion = b"".join(elements[start : start + READINGS_PER_MESSAGE])
                messages.append(template.pack(link.next_serial(), portion))
                size += len(portion)
            if size > BYTES_PER_WRITE:
                link.writer.write(b"".join(messages))
                messages, size = [], 0
        if messages:
            link.writer.write(b"".join(messages))
        if len(self._packer.misfits) > self._misfits:
            self._report_misfits()
        due_ns = self._coalescer.next_due_ns()
        if due_ns is not None and self._timer is None:
            delay_s = max(0, due_ns - now_ns) / 1e9
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._tick)

    def _report_misfits(self) -> None:
        for path in list(self._packer.misfits)[self._misfits :]:
            _log.error("a value of %s does not fit its datatype; sent as invalid", path)
        self._misfits = len(self._packer.misfits)
