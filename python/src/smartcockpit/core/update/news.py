# SPDX-License-Identifier: Apache-2.0
"""What the server says, taken into the update at hand: offers, changes of an offer, cancels, silence.

The same rules as in `steps`: what comes twice changes nothing the second time.
"""

from __future__ import annotations

from smartcockpit.core.named import NamedTuple
from smartcockpit.core.update.codes import Cancel, Code, Consent, Outcome, Phase
from smartcockpit.core.update.ddi import OfferError
from smartcockpit.core.update.offer import Offer
from smartcockpit.core.update.state import State, Update
from smartcockpit.core.update.steps import EARLY, REVOCABLE, ended
from smartcockpit.core.update.version import refusal


def offered(state: State, offer: Offer, link: str, running: str, now_us: int, *, confirm: bool) -> State:
    """Take in what the server offers; `confirm`: it waits for the user's word (confirmationBase)."""
    update = state.update
    if update.phase is not Phase.IDLE and update.from_server and update.action == offer.action:
        return state._replace(update=_renewed(update, offer, link, confirm))
    if update.phase is not Phase.IDLE:
        return state._replace(update=superseded(update))
    fresh = Update(
        phase=Phase.OFFERED, from_server=True, action=offer.action, started_us=now_us, from_version=running,
        version=offer.version, name=offer.name, filename=offer.filename, size=offer.size,
        sha256=offer.sha256,
        purpose=offer.notes.purpose, changes=offer.notes.changes, minutes=offer.notes.minutes,
        pauses=offer.notes.pauses,
    )  # fmt: skip
    fresh = _renewed(fresh, offer, link, confirm)
    for answer in state.answers:
        if (answer.action, answer.sha256) == (offer.action, offer.sha256):
            if confirm:
                return state  # it was declined; the server shows it until somebody decides
            again = ended(fresh, Outcome(answer.outcome), Code(answer.code), answer.text)
            return state._replace(update=again._replace(recorded=True))
    return state._replace(update=_checked(fresh, running))


def _renewed(update: Update, offer: Offer, link: str, confirm: bool) -> Update:
    """Take over what may change while an action runs: soft becomes forced, windows open and close."""
    update = update._replace(
        href=offer.href, download=offer.download, update=offer.update, window=offer.window
    )
    if confirm:
        return update._replace(confirm_link=link)
    if update.confirm_link and update.consent is not Consent.GIVEN:
        # Somebody has agreed elsewhere: by auto-confirmation, or an operator on the server.
        update = update._replace(consent=Consent.GIVEN, consent_told=True)
    return update._replace(link=link, confirm_link="")


def _checked(update: Update, running: str) -> Update:
    if update.version == running:
        return ended(update, Outcome.SUCCESS, Code.ALREADY_RUNS, f"{running} runs already")
    # The server's version is a label that people typed; where it is none, the bundle's own decides later.
    why = refusal(running, update.version)
    if why and "no semantic version" not in why:
        return ended(update, Outcome.FAILURE, Code.DOWNGRADE, why)
    return update


def refused_offer(
    state: State, error: OfferError, link: str, running: str, now_us: int, *, confirm: bool = False
) -> State:
    """Take in a deployment that can never be installed here: it is closed as failed."""
    update = state.update
    if update.phase is not Phase.IDLE and update.action != error.action:
        return state._replace(update=superseded(update))
    if update.phase is Phase.IDLE:
        again = any((a.action, a.sha256) == (error.action, "") for a in state.answers)
        if again and confirm:
            return state
        update = Update(
            phase=Phase.OFFERED, from_server=True, action=error.action, started_us=now_us,
            from_version=running, recorded=again,
        )  # fmt: skip
        update = update._replace(confirm_link=link) if confirm else update._replace(link=link)
    if update.phase not in EARLY:
        return state
    return state._replace(update=ended(update, Outcome.FAILURE, error.code, error.message))


def superseded(update: Update) -> Update:
    """Another action has taken this one's place on the server; a local file's update goes first."""
    return _withdrawn(update, Cancel.SUPERSEDED, Code.SUPERSEDED, "the server offers another update instead")


def gone(update: Update) -> Update:
    """The server knows the action no more (410, 404, or nothing offered)."""
    return _withdrawn(update, Cancel.GONE, Code.GONE, "the server knows this action no more")


def _withdrawn(update: Update, cancel: Cancel, code: Code, text: str) -> Update:
    if not update.from_server:
        return update
    if update.phase in EARLY:
        return ended(update._replace(cancel=cancel), Outcome.CANCELLED, code, text)
    if update.phase in REVOCABLE:
        return update._replace(cancel=cancel, code=code, text=text)
    return update


class CancelReply(NamedTuple):
    """What becomes of a cancel: the update, and what the server is told now ("" later, closed, rejected)."""

    update: Update
    reply: str


def cancel_asked(update: Update, action: str, link: str) -> CancelReply:
    """The server wants `action` stopped; `link` is its cancelAction."""
    if update.phase is Phase.IDLE or not update.from_server or update.action != action:
        return CancelReply(update, "closed")
    if update.phase in EARLY:
        asked = update._replace(cancel=Cancel.SERVER, cancel_link=link)
        return CancelReply(ended(asked, Outcome.CANCELLED, Code.CANCELLED, "cancelled by the server"), "")
    if update.phase in REVOCABLE:
        asked = update._replace(
            cancel=Cancel.SERVER, cancel_link=link, code=Code.CANCELLED, text="cancelled by the server"
        )
        return CancelReply(asked, "")
    if update.phase is Phase.CLOSING and update.cancel is Cancel.SERVER:
        return CancelReply(update._replace(cancel_link=link), "")
    # On trial there is no way back but the trial itself; its true result follows.
    return CancelReply(update, "" if update.phase is Phase.CLOSING else "rejected")
