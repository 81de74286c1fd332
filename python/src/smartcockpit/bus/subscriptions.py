# SPDX-License-Identifier: Apache-2.0
"""Who wants which signals: match rules and their handlers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from smartcockpit.bus.codec import Incoming
from smartcockpit.bus.match import MatchRule

_log = logging.getLogger(__name__)

Handler = Callable[[Incoming], None]


class Subscription:
    """A running subscription."""

    def __init__(
        self, end: Callable[[Subscription], Awaitable[None]], rule: MatchRule, handler: Handler
    ) -> None:
        self._end, self.rule, self.handler = end, rule, handler

    async def close(self) -> None:
        """End it; without a connection there is nothing to take back."""
        await self._end(self)


class Subscriptions:
    """The subscriptions of one connection; a rule that two share is added to the bus once."""

    def __init__(self) -> None:
        self._all: list[Subscription] = []

    def rules(self) -> list[MatchRule]:
        """Return the rules that the bus has to know."""
        return list(dict.fromkeys(s.rule for s in self._all))

    def add(self, subscription: Subscription) -> bool:
        """Take it in; return True when its rule is new."""
        is_new = all(s.rule != subscription.rule for s in self._all)
        self._all.append(subscription)
        return is_new

    def remove(self, subscription: Subscription) -> bool:
        """Drop it; return True when nobody else has its rule."""
        if subscription not in self._all:
            return False
        self._all.remove(subscription)
        return all(s.rule != subscription.rule for s in self._all)

    def deliver(self, message: Incoming) -> None:
        """Hand a received signal to everyone whose rule it matches; a body that cannot be read is logged."""
        if message.too_large:
            _log.warning("skipped a signal of %d bytes from %s", message.too_large, message.sender)
            return
        arg0 = message.arg0()
        for subscription in list(self._all):
            rule = subscription.rule
            if rule.matches(message.interface, message.member, message.path, message.sender, arg0):
                try:
                    subscription.handler(message)
                except ValueError:
                    _log.exception("bad %s.%s from %s", message.interface, message.member, message.sender)
