# SPDX-License-Identifier: Apache-2.0
"""The receiver's line: opens it, finds its rate, sets the receiver up, reads it, and opens it again.

What the bytes mean is `core.gnss`' business; this owns the descriptor and the state that people see.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from smartcockpit.adapters.serial_port import SerialPort
from smartcockpit.core.clock import Clock
from smartcockpit.core.errors import UnavailableError
from smartcockpit.core.gnss.baud import COMMON, BaudSearch
from smartcockpit.core.gnss.fix import Fix
from smartcockpit.core.gnss.receiver import Receiver
from smartcockpit.daemons.gnss import events
from smartcockpit.daemons.gnss.listening import Listening
from smartcockpit.daemons.gnss.settings import Settings

if TYPE_CHECKING:
    from smartcockpit.core.gnss.configure import Configurator

log = logging.getLogger(__name__)
RETRY_NS = 500_000_000
QUIET_S = 0.015
"""A line that is silent for so long within an epoch has said all; bytes of one burst come closer together."""


class SerialLink:
    """Reads the line of `settings`; `take` gets fixes, `gone` is called when the line is."""

    def __init__(
        self,
        settings: Settings,
        listening: Listening,
        *,
        clock: Clock,
        take: Callable[[list[Fix]], None],
        gone: Callable[[], None],
    ) -> None:
        self._settings, self._listening, self._clock = settings, listening, clock
        self._take, self._gone = take, gone
        self._port: SerialPort | None = None
        self._search = BaudSearch(self._rates(), now_ns=clock.monotonic_ns())
        self._setup: Configurator | None = None
        self._retry_ns = 0
        self._quiet: asyncio.TimerHandle | None = None
        listening.receiver = Receiver(listening.floor_us, self._answer)

    def _rates(self) -> tuple[int, ...]:
        return (self._settings.baudrate,) if self._settings.baudrate else COMMON

    def tick(self, now_ns: int) -> None:
        """Open the line when it is time, doubt its rate, go on with the set-up; ten times a second."""
        if self._port is None:
            if now_ns >= self._retry_ns:
                self._open(now_ns)
            return
        try:
            if self._search.look(self._listening.receiver.valid_pieces, now_ns):
                self._port.set_baudrate(self._search.rate)
                self._lost_sense()
            elif self._search.found:
                self._converse(self._port, now_ns)
        except UnavailableError as error:
            self._lose(error)
        self._listening.look(now_ns)

    def close(self) -> None:
        """Close the line."""
        self._drop()

    def _open(self, now_ns: int) -> None:
        device = self._settings.device
        self._retry_ns = now_ns + RETRY_NS
        try:
            self._port = SerialPort.open(device, self._search.rate)
        except UnavailableError as error:
            self._listening.unavailable(str(error))
            return
        # The last rate first: mostly it is the same receiver.
        rates, pieces = (self._search.rate, *self._rates()), self._listening.receiver.valid_pieces
        self._search = BaudSearch(rates, now_ns=now_ns, pieces=pieces)
        self._listening.opened(device, self._search.rate, now_ns)
        asyncio.get_running_loop().add_reader(self._port.fileno(), self._read)

    def _converse(self, port: SerialPort, now_ns: int) -> None:
        listening = self._listening
        if self._setup is None:
            listening.found_rate(self._search.rate, now_ns)
            self._setup = self._begin_setup(now_ns)
        elif self._setup.was_forgotten(listening.receiver.protocol(now_ns), now_ns):
            self._setup = self._begin_setup(now_ns)  # it was without power for a moment
        before = self._setup.state
        if request := self._setup.step(now_ns):
            port.write(request)
        listening.setup = self._setup.state.value
        if self._setup.state is not before and self._setup.is_over:
            self._tell_setup(self._setup)

    def _begin_setup(self, now_ns: int) -> Configurator:
        from smartcockpit.core.gnss.configure import Configurator

        return Configurator(self._settings.rate_hz, self._search.rate, now_ns)

    def _answer(self, body: bytes) -> None:
        if self._setup is None:
            return
        before = self._setup.state
        try:
            self._setup.answer(body)
        except ValueError:
            return
        if self._setup.state is not before and self._setup.is_over:
            self._tell_setup(self._setup)

    def _tell_setup(self, setup: Configurator) -> None:
        self._listening.setup = setup.state.value
        words = f"left as it is: {setup.reason}" if setup.reason else f"{setup.rate_hz} Hz"
        version = self._listening.receiver.version
        model = (version.model or version.hardware) if version else "of unknown make"
        events.MODEL.log(log, model=model, setup=words)

    def _read(self) -> None:
        port = self._port
        if port is None:
            return
        try:
            self._feed(port.read())
        except UnavailableError as error:
            self._lose(error)

    def _feed(self, data: bytes) -> None:
        if not data:
            return
        fixes = self._listening.heard(data, self._clock.monotonic_ns(), self._clock.realtime_us())
        if fixes:
            self._take(fixes)
        if self._quiet is not None:
            self._quiet.cancel()
        self._quiet = asyncio.get_running_loop().call_later(QUIET_S, self._fell_quiet)

    def _fell_quiet(self) -> None:
        self._quiet = None
        if fixes := self._listening.receiver.quiet():
            self._take(fixes)

    def _lost_sense(self) -> None:
        self._setup = None
        self._listening.searching(self._search.rate)

    def _lose(self, error: UnavailableError) -> None:
        self._drop()
        self._retry_ns = self._clock.monotonic_ns() + RETRY_NS
        self._listening.unavailable(str(error))
        self._gone()

    def _drop(self) -> None:
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None
        if self._port is not None:
            asyncio.get_running_loop().remove_reader(self._port.fileno())
            self._port.close()
            self._port = None
        self._setup = None
