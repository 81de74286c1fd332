# SPDX-License-Identifier: Apache-2.0
"""Following signals across restarts of their owners and of the bus daemon.

Narrow match rules keep other branches' traffic away: a branch is asked for with `arg0namespace`, a leaf
with the `arg0` of its parent. What a prefix is, the owners' catalogues say; while nobody knows it, both
rules stand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from smartcockpit.bus.codec import Incoming
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.declare import spec_of
from smartcockpit.bus.interfaces.signals1 import Signals1
from smartcockpit.bus.match import MatchRule, below
from smartcockpit.bus.names import DBUS_INTERFACE, DBUS_NAME, PREFIX
from smartcockpit.bus.reading import Reading
from smartcockpit.bus.subscriptions import Subscription
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.core.signals import SignalQuality

if TYPE_CHECKING:
    from smartcockpit.bus.client import SignalsClient
    from smartcockpit.bus.owners import Catalogue

_log = logging.getLogger(__name__)

_CHANGED = spec_of(Signals1).events["Changed"]
RETRY_S = 1.0


class Watch:
    """Gathers readings at or below `prefixes`; newest of each signal wins when nobody takes them."""

    def __init__(self, connection: BusConnection, client: SignalsClient, prefixes: Sequence[str]) -> None:
        self._connection = connection
        self._client = client
        self._prefixes = tuple(dict.fromkeys(prefixes)) or ("",)
        self._owners: dict[str, Catalogue] = {}
        self._last: dict[str, Reading] = {}
        self._waiting: dict[str, Reading] = {}
        self._wake = asyncio.Event()
        self._stale = True
        self._subscriptions: dict[MatchRule, Subscription] = {}

    async def batches(self) -> AsyncIterator[list[Reading]]:
        """Yield what is new, for ever; the first batch holds all current readings and may be empty."""
        rule = MatchRule(DBUS_INTERFACE, "NameOwnerChanged", sender=DBUS_NAME, arg0namespace=PREFIX)
        self._subscriptions[rule] = await self._connection.subscribe(rule, self._owner_changed)
        self._connection.on_connected(self._look_again)
        while True:
            if self._stale:
                await self._refresh()
            batch, self._waiting = list(self._waiting.values()), {}
            self._wake.clear()
            yield batch
            if not self._stale and not self._waiting:
                await self._wake.wait()

    async def close(self) -> None:
        """End the subscriptions."""
        self._connection.on_connected(self._look_again, remove=True)
        for subscription in self._subscriptions.values():
            await subscription.close()
        self._subscriptions.clear()

    def _look_again(self) -> None:
        self._stale = True
        self._wake.set()

    def _owner_changed(self, _: Incoming) -> None:
        self._look_again()

    async def _refresh(self) -> None:
        """Find the owners, subscribe, read all: in this order, so that nothing falls in between."""
        self._stale = False
        try:
            catalogues = await self._client.catalogues()
            self._owners = {catalogue.unique: catalogue for catalogue in catalogues}
            await self._subscribe(self._rules(catalogues))
            for catalogue in catalogues:
                paths = [path for path in catalogue.signals if self._wanted(path)]
                for reading in await self._client.read(catalogue, paths):
                    self._keep(reading)
            self._forget_lost_owners()
        except SmartCockpitError as error:
            _log.debug("cannot read all signals now: %s", error)
            if not self._connection.connected:
                self._owners = {}
                self._forget_lost_owners()
            asyncio.get_running_loop().call_later(RETRY_S, self._look_again)

    def _rules(self, catalogues: list[Catalogue]) -> set[MatchRule]:
        known = {path for catalogue in catalogues for path in catalogue.signals}
        rules = set()
        for prefix in self._prefixes:
            base = MatchRule(_CHANGED.interface, _CHANGED.name, spec_of(Signals1).path)
            if prefix in known:
                rules.add(MatchRule(base.interface, base.member, base.path, arg0=prefix.rpartition(".")[0]))
                continue
            rules.add(MatchRule(base.interface, base.member, base.path, arg0namespace=prefix))
            if prefix and not any(below(path, prefix) for path in known):
                parent = prefix.rpartition(".")[0]
                rules.add(MatchRule(base.interface, base.member, base.path, arg0=parent))
        return rules

    async def _subscribe(self, rules: set[MatchRule]) -> None:
        """Make the subscriptions to `Changed` those of `rules`: new ones first, so that nothing is missed."""
        for rule in rules - self._subscriptions.keys():
            self._subscriptions[rule] = await self._connection.subscribe(rule, self._changed)
        for rule in self._subscriptions.keys() - rules:
            if rule.interface == _CHANGED.interface:
                await self._subscriptions.pop(rule).close()

    def _wanted(self, path: str) -> bool:
        return any(below(path, prefix) for prefix in self._prefixes)

    def _changed(self, message: Incoming) -> None:
        """Take over an owner's readings; anybody may send such a signal, only owners are believed.

        Of several owners it is the preferred one: the others' catalogues lack the signal.
        """
        catalogue = self._owners.get(message.sender)
        if catalogue is None or message.signature != _CHANGED.signature:
            return
        for row in message.args()[1]:
            if row[0] in catalogue.signals and self._wanted(row[0]):
                self._keep(Reading.from_wire(row, catalogue.owner))

    def _keep(self, reading: Reading) -> None:
        if self._last.get(reading.path) != reading:
            self._last[reading.path] = reading
            self._waiting[reading.path] = reading
            self._wake.set()

    def _forget_lost_owners(self) -> None:
        present = {catalogue.owner: catalogue for catalogue in self._owners.values()}
        for path, reading in self._last.items():
            owner = present.get(reading.owner)
            gone = owner is None or path not in owner.signals
            if gone and reading.quality is not SignalQuality.UNAVAILABLE:
                self._waiting[path] = self._last[path] = reading.without_owner()
                self._wake.set()
