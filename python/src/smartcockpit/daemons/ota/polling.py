# SPDX-License-Identifier: Apache-2.0
"""One poll: the server is asked, and what it says is taken into the state."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from smartcockpit.adapters.network import NetworkError
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.core.update import feedback, news
from smartcockpit.core.update.codes import Phase
from smartcockpit.core.update.ddi import DdiError
from smartcockpit.core.update.pacing import poll_pause_s
from smartcockpit.daemons.ota import events
from smartcockpit.daemons.ota.dialogue import Dialogue

if TYPE_CHECKING:
    from smartcockpit.daemons.ota.engine import Engine

log = logging.getLogger(__name__)


async def poll(engine: Engine) -> None:
    """Ask the server and take in what it says; trouble becomes a pause."""
    dialogue, host = engine.ports.dialogue, engine.ports.host
    assert dialogue is not None
    await _know_ourselves(engine)
    try:
        found = await dialogue.poll(engine.attributes)
        if found.quiet:
            await _tell_version(engine, dialogue)
    except (NetworkError, DdiError) as error:
        engine.network_failed(error)
        return
    engine.network.succeeded()
    if engine.trouble:
        events.SERVER_BACK.log(log)
        engine.trouble = ""
    engine.answered_us = host.now_us()
    engine.metered = ""
    pace = engine.pace
    engine.poll_at_s = time.monotonic() + poll_pause_s(
        found.sleep_s, pace.least_poll_s, pace.poll_s, engine.chance
    )
    engine.fresh = True
    if found.stop:
        await _cancel(engine, found.stop, found.link)
    elif found.offer is not None:
        now_us = host.now_us()
        engine.keep(
            news.offered(engine.state, found.offer, found.link, host.running, now_us, confirm=found.confirm),
            "offered",
        )
    elif found.refused is not None:
        after = news.refused_offer(
            engine.state, found.refused, found.link, host.running, host.now_us(), confirm=found.confirm
        )
        engine.keep(after, "offer refused")
    else:
        engine.apply(news.gone, "action gone")


async def _know_ourselves(engine: Engine) -> None:
    """Complete what the server and the update record are told of this unit, as soon as somebody knows it."""
    attributes, ports = engine.attributes, engine.ports
    if not attributes.get("vin"):
        attributes["vin"] = await ports.vehicle.vin()
    if not attributes.get("hardware"):
        try:
            found = await ports.installer.slots()
        except SmartCockpitError:
            return
        attributes["hardware"], attributes["slot"] = found.compatible, found.booted


async def _tell_version(engine: Engine, dialogue: Dialogue) -> None:
    """Tell what runs when it came here without the server's doing, such as from a file.

    Only while nothing is pending there: hawkBit says 200 to it in the middle of an action and forgets it.
    """
    running, told = engine.ports.host.running, engine.state.told_version
    if running == told or (engine.update.phase is not Phase.IDLE and engine.update.from_server):
        return
    if told:
        await dialogue.runs(engine.pace.distribution, running)
    engine.keep(engine.state._replace(told_version=running), "version told")


async def _cancel(engine: Engine, action: str, link: str) -> None:
    """Answer at once what needs no thought; the rest is answered when the update has ended."""
    reply = news.cancel_asked(engine.update, action, link)
    engine.apply(lambda update: news.cancel_asked(update, action, link).update, "cancel asked")
    if reply.reply:
        finished = feedback.SUCCESS if reply.reply == feedback.CLOSED else feedback.NONE
        words = "nothing of it is here" if reply.reply == feedback.CLOSED else "too late: it is on trial"
        await engine.tell(
            link,
            feedback.status(reply.reply, finished=finished, details=[words]),
        )
        engine.poll_at_s = 0.0 if reply.reply == feedback.CLOSED else engine.poll_at_s
