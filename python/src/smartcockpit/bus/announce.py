# SPDX-License-Identifier: Apache-2.0
"""How an exported object's own signals and property changes leave.

Property changes are gathered until the loop turns, and for as long as the writer is congested: then the
present values are sent, so that the newest wins and nothing piles up. `Signals1.Changed` has its own,
faster way: `publisher`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from smartcockpit.bus.codec import message
from smartcockpit.bus.declare import Emits, EventSpec, InterfaceSpec, spec_of
from smartcockpit.bus.header import INTERFACE, MEMBER, PATH, SIGNAL
from smartcockpit.bus.interfaces.standard import Properties
from smartcockpit.bus.objects import read_property

if TYPE_CHECKING:
    from smartcockpit.bus.connection import BusConnection

_log = logging.getLogger(__name__)


class Announcer:
    """The sink (`smartcockpit.bus.declare.Sink`) of one object at one path of one connection."""

    def __init__(self, connection: BusConnection, path: str, obj: Any) -> None:
        self._connection, self._path, self._obj = connection, path, obj
        self._waiting: dict[str, None] = {}
        self._scheduled = False
        connection.on_drained(self._flush)

    def emit(self, spec: EventSpec, args: tuple[Any, ...]) -> None:
        """Send a signal now; without a connection or with a stalled one it is dropped (and counted by the
        writer)."""
        link = self._connection.live
        if link is None:
            return
        fields = {PATH: self._path, INTERFACE: spec.interface, MEMBER: spec.name}
        link.writer.write_signal(message(SIGNAL, fields, spec.signature, args).pack(link.next_serial()))

    def properties_changed(self, interface: InterfaceSpec, names: tuple[str, ...]) -> None:
        """Announce `names` when the loop turns."""
        silent = (Emits.FALSE, Emits.CONST)
        self._waiting.update((n, None) for n in names if interface.properties[n].emits not in silent)
        if self._waiting and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._scheduled = False
        if not self._connection.connected:
            self._waiting.clear()  # whoever sees the name come back reads everything anew
        link = self._connection.live
        if not self._waiting or link is None or link.writer.congested:
            return
        names, self._waiting = list(self._waiting), {}
        known = spec_of(self._obj)
        sent = [n for n in names if known.properties[n].emits is Emits.TRUE]
        values = {n: read_property(self._obj, known.properties[n]) for n in sent}
        invalidated = [n for n in names if n not in values]
        spec = spec_of(Properties).events["PropertiesChanged"]
        self.emit(spec, (known.name, values, invalidated))
