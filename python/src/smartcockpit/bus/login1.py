# SPDX-License-Identifier: Apache-2.0
"""What we ask and hear of logind (org.freedesktop.login1(5)): who blocks a shutdown, and that one has begun.

Asking for the power-off itself takes root; see docs/decisions/0015.
"""

from __future__ import annotations

from collections.abc import Callable

from smartcockpit.bus.codec import Incoming
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.match import MatchRule
from smartcockpit.bus.names import PROPERTIES
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.core.named import NamedTuple

LOGIN1 = "org.freedesktop.login1"
MANAGER_PATH = "/org/freedesktop/login1"
MANAGER = "org.freedesktop.login1.Manager"


class Block(NamedTuple):
    """Somebody who blocks a shutdown."""

    who: str
    why: str


async def shutdown_blocks(connection: BusConnection) -> list[Block]:
    """Return who blocks a shutdown at logind; nobody does where logind does not answer."""
    try:
        (rows,) = await connection.call(LOGIN1, MANAGER_PATH, MANAGER, "ListInhibitors", timeout_s=2.0)
    except SmartCockpitError:
        return []
    return [
        Block(who, why) for what, who, why, mode, *_ in rows
        if "shutdown" in what.split(":") and mode in ("block", "block-weak")
    ]  # fmt: skip


async def watch_shutdown(connection: BusConnection, heard: Callable[[bool], None]) -> None:
    """Have `heard` called with True when the system begins to go down, False when that is called off.

    A shutdown that has begun already is heard of at once. Raises `SmartCockpitError` where nobody can listen.
    """

    def take(message: Incoming) -> None:
        if message.signature == "b":
            heard(bool(message.args()[0]))

    rule = MatchRule(MANAGER, "PrepareForShutdown", MANAGER_PATH, sender=LOGIN1)
    await connection.subscribe(rule, take)
    if await _goes_down(connection):
        heard(True)


async def _goes_down(connection: BusConnection) -> bool:
    """Ask whether a shutdown has begun; none has where logind does not answer."""
    question = (MANAGER, "PreparingForShutdown")
    try:
        (found,) = await connection.call(
            LOGIN1, MANAGER_PATH, PROPERTIES, "Get", "ss", question, timeout_s=2.0
        )
    except SmartCockpitError:
        return False
    return found is True
