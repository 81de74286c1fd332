# SPDX-License-Identifier: Apache-2.0
"""What people want of the engine: consent, a local file, an end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smartcockpit.core.errors import UsageError
from smartcockpit.core.update import steps
from smartcockpit.core.update.codes import Phase

if TYPE_CHECKING:
    from smartcockpit.daemons.ota.engine import Engine


def consent(engine: Engine, action: str, agreed: bool) -> None:
    """The user has spoken; raises `UsageError` when no such update waits for that."""
    update = engine.update
    if not action or update.action != action:
        raise UsageError(f"there is no update {action[:64]!r}", "see: cockpitctl ota status")
    if update.phase not in steps.EARLY:
        raise UsageError("it is too late for that", "cockpitctl ota cancel may still do")
    now_us = engine.ports.host.now_us()
    engine.apply(lambda update: steps.consented(update, agreed, now_us), "consent")
    engine.wake()


def install_file(engine: Engine, path: str) -> None:
    """Begin with a local bundle; raises `UsageError` while another update is under way."""
    if engine.update.phase is not Phase.IDLE:
        raise UsageError(f"an update to {engine.update.version or '?'} is under way", "cockpitctl ota cancel")
    host = engine.ports.host
    now_us = host.now_us()
    made = steps.from_file(path, f"local-{now_us:x}", host.running, now_us)
    engine.keep(engine.state._replace(update=made), "file")
    engine.wake()


def cancel(engine: Engine) -> None:
    """End the update at hand; raises `UsageError` when there is none, or none that can be ended."""
    if engine.update.phase not in (*steps.EARLY, *steps.REVOCABLE):
        idle = engine.update.phase is Phase.IDLE
        raise UsageError("there is no update to cancel" if idle else "it is too late to cancel it")
    engine.apply(steps.cancelled_here, "cancel")
    engine.wake()
