# SPDX-License-Identifier: Apache-2.0
"""The end of an update in the server's words, and in those of the update record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smartcockpit.adapters.network import NetworkError
from smartcockpit.core.update import feedback
from smartcockpit.core.update.codes import Cancel, Code, Outcome
from smartcockpit.core.update.state import Update

if TYPE_CHECKING:
    from smartcockpit.daemons.ota.engine import Engine


def answer(update: Update) -> tuple[str, dict[str, Any]]:
    """Return the link whose feedback ends the action on the server, and the body."""
    code, text = int(update.code), [update.text]
    if update.outcome is Outcome.CANCELLED and update.cancel is Cancel.SERVER:
        done = feedback.status(feedback.CLOSED, finished=feedback.SUCCESS, code=code, details=text)
        return update.cancel_link, done
    if update.confirm_link and not update.link:
        return update.confirm_link, feedback.confirmation(update.outcome is Outcome.SUCCESS, text, code)
    if update.outcome is Outcome.DOWNLOADED:
        return update.link, feedback.status(feedback.DOWNLOADED, code=code, details=text)
    finished = feedback.SUCCESS if update.outcome is Outcome.SUCCESS else feedback.FAILURE
    return update.link, feedback.status(feedback.CLOSED, finished=finished, code=code, details=text)


async def needs_more(engine: Engine, update: Update) -> bool:
    """After a fall-back tell the version that truly runs: hawkBit would take the new one for installed.

    Returns False when that did not get through.
    """
    dialogue = engine.ports.dialogue
    if update.code is not Code.FELL_BACK or dialogue is None:
        return True
    try:
        await dialogue.runs(engine.pace.distribution, engine.ports.host.running)
    except NetworkError as error:
        engine.network_failed(error)
        return False
    return True


def entry(update: Update, now_us: int, attributes: Mapping[str, str]) -> dict[str, Any]:
    """Return what the update record keeps of an update that has ended (UN R156 7.1.1)."""
    return {
        "time": now_us,
        "started": update.started_us,
        "source": "server" if update.from_server else "file",
        "action": update.action,
        "file": update.filename,
        "from": update.from_version,
        "to": update.version,
        "slot": update.slot_to,
        "size": update.size,
        "sha256": update.sha256,
        "fetched": update.fetched,
        "purpose": update.purpose[:500],
        "changes": update.changes[:500],
        "consent": update.consent.value,
        "consent_time": update.consent_us,
        "outcome": update.outcome.value,
        "code": int(update.code),
        "text": update.text[:2000],
        "vin": attributes.get("vin", ""),
        "hardware": attributes.get("hardware", ""),
    }
