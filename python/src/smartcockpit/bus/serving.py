# SPDX-License-Identifier: Apache-2.0
"""Serving the calls of one connection: at once where the method is plain, as a bounded number of tasks
where it waits."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from typing import Any

from smartcockpit.bus.codec import Incoming, Outgoing
from smartcockpit.bus.dispatch import answer, error_reply
from smartcockpit.bus.errors import DBusFailure
from smartcockpit.bus.header import NO_REPLY_EXPECTED
from smartcockpit.bus.link import Link
from smartcockpit.bus.names import ERROR
from smartcockpit.bus.objects import Objects

CALLS_AT_ONCE = 64
"""Calls being served by `async` methods; further ones are refused with LimitsExceeded until one is done."""


class Server:
    """Answers calls with `objects`, each on the link that it came by."""

    def __init__(self) -> None:
        self.objects = Objects()
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, link: Link, call: Incoming) -> None:
        """Serve `call`; the reply leaves now or when its method is done."""
        reply = answer(self.objects, call)
        if not isinstance(reply, Coroutine):
            self._reply(link, call, reply)
        elif len(self._tasks) < CALLS_AT_ONCE:
            task = asyncio.create_task(self._reply_later(link, call, reply))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            reply.close()
            busy = DBusFailure(ERROR + "LimitsExceeded", "too many calls at once; try again")
            self._reply(link, call, error_reply(call, busy))

    async def close(self) -> None:
        """Give up the calls that are still being served; their callers are told by the end of the
        connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _reply_later(self, link: Link, call: Incoming, reply: Coroutine[Any, Any, Outgoing]) -> None:
        self._reply(link, call, await reply)

    @staticmethod
    def _reply(link: Link, call: Incoming, reply: Outgoing) -> None:
        if not call.flags & NO_REPLY_EXPECTED and not link.ended.is_set():
            link.send(reply)
        else:
            for fd in reply.fds:
                os.close(fd)
