# SPDX-License-Identifier: Apache-2.0
"""How an update goes from one state to the next: one function per thing that can happen.

What the server says is taken in by `news`. Each function takes the update as it was kept and returns the one
to keep; what happens twice changes nothing the second time. An update that has an outcome is never given
another.
"""

from __future__ import annotations

from smartcockpit.core.named import NamedTuple
from smartcockpit.core.update.codes import Cancel, Code, Consent, Outcome, Phase
from smartcockpit.core.update.offer import Handling, Notes
from smartcockpit.core.update.state import REMEMBERED, Answer, State, Update
from smartcockpit.core.update.verdict import Verdict
from smartcockpit.core.update.version import refusal

EARLY = (Phase.OFFERED, Phase.DOWNLOADING, Phase.DOWNLOADED)
"""Nothing has been written to a slot yet: it can end at once."""
REVOCABLE = (Phase.INSTALLING, Phase.INSTALLED)
"""The new slot is being written or is the next to boot: it can be taken back before the reboot."""
TRIES = 5
"""Installations that may fail by being cut off; one that RAUC itself refuses is not repeated."""


class Bundle(NamedTuple):
    """What the installer says of a bundle whose signature it has checked."""

    compatible: str
    version: str
    notes: Notes
    build_us: int = 0
    """When it was made, µs since the Unix epoch; 0: not said."""


def ended(update: Update, outcome: Outcome, code: Code, text: str) -> Update:
    """Return the update with its outcome; the first one stays."""
    if update.phase is Phase.IDLE or update.outcome is not Outcome.OPEN:
        return update
    return update._replace(phase=Phase.CLOSING, outcome=outcome, code=code, text=text)


# ---- what people say -------------------------------------------------------------------------------------


def consented(update: Update, agreed: bool, now_us: int) -> Update:
    """The user has agreed to the update at hand, or has not."""
    word = Consent.GIVEN if agreed else Consent.DENIED
    if update.phase not in EARLY or update.consent is word:
        return update
    update = update._replace(consent=word, consent_us=now_us, consent_told=False)
    if agreed or update.confirm_link:
        return update  # the server keeps an action that was denied open until somebody decides
    return ended(update, Outcome.FAILURE, Code.DENIED, "the user has declined the update")


def cancelled_here(update: Update) -> Update:
    """The user ends the update at hand; past the reboot nothing is left to cancel."""
    text = "cancelled at the unit"
    if update.phase in EARLY:
        return ended(update._replace(cancel=Cancel.USER), Outcome.CANCELLED, Code.CANCELLED_BY_USER, text)
    if update.phase in REVOCABLE and update.cancel is Cancel.NONE:
        return update._replace(cancel=Cancel.USER, code=Code.CANCELLED_BY_USER, text=text)
    return update


def from_file(path: str, action: str, running: str, now_us: int) -> Update:
    """Return the update from a local file; whoever may ask for that has agreed."""
    return Update(
        phase=Phase.OFFERED, action=action, link=path, started_us=now_us, from_version=running,
        filename=path.rpartition("/")[2][:256], consent=Consent.GIVEN, consent_us=now_us,
        download=Handling.FORCED, update=Handling.FORCED,
    )  # fmt: skip


# ---- what happens here -----------------------------------------------------------------------------------


def downloaded(update: Update, size: int, sha256: str) -> Update:
    """The whole bundle is here and its checksum is right."""
    if update.phase is not Phase.DOWNLOADING:
        return update
    return update._replace(phase=Phase.DOWNLOADED, size=size, sha256=sha256)


def inspected(update: Update, bundle: Bundle, compatible: str, running: str) -> Update:
    """The installer has checked the signature; what it says is held against this unit."""
    if update.phase is not Phase.DOWNLOADED:
        return update
    if bundle.compatible != compatible:
        text = f"the bundle is for {bundle.compatible[:128]!r}, this is {compatible!r}"
        return ended(update, Outcome.FAILURE, Code.INCOMPATIBLE, text)
    why = refusal(running, bundle.version)
    if why:
        return ended(update, Outcome.FAILURE, Code.DOWNGRADE, why)
    notes = bundle.notes if any(bundle.notes) else Notes(
        update.purpose, update.changes, update.minutes, update.pauses
    )  # fmt: skip
    return update._replace(inspected=True, version=bundle.version, **notes._asdict())


def install_begins(update: Update, slot_from: str, slot_to: str, stamp: str, boot_id: str) -> Update:
    """From now on the other slot is being written."""
    if update.phase is not Phase.DOWNLOADED:
        return update
    return update._replace(
        phase=Phase.INSTALLING, slot_from=slot_from, slot_to=slot_to, stamp=stamp, boot_id=boot_id,
        tries=update.tries + 1,
    )  # fmt: skip


def installed(update: Update, boot_id: str) -> Update:
    """The new slot is complete and is the next to boot."""
    if update.phase is not Phase.INSTALLING:
        return update
    return update._replace(phase=Phase.INSTALLED, boot_id=boot_id)


def install_failed(update: Update, text: str, *, final: bool) -> Update:
    """The slot is not complete: the installer gave up (`final`), or was cut off, which is tried again."""
    if update.phase is not Phase.INSTALLING:
        return update
    if update.cancel is not Cancel.NONE:
        return ended(update, Outcome.CANCELLED, update.code, update.text)
    if final or update.tries >= TRIES:
        return ended(update, Outcome.FAILURE, Code.INSTALLER, text)
    return update._replace(phase=Phase.DOWNLOADED)


def taken_back(update: Update) -> Update:
    """The running slot is the next to boot again."""
    if update.phase not in REVOCABLE or update.cancel is Cancel.NONE:
        return update
    return ended(update, Outcome.CANCELLED, update.code, update.text)


def reboot_asked(update: Update, now_us: int) -> Update:
    """The reboot into the new slot has been asked for."""
    if update.phase not in (Phase.INSTALLED, Phase.REBOOTING):
        return update
    return update._replace(phase=Phase.REBOOTING, since_us=now_us)


def came_up(update: Update, booted: str, verdict: Verdict | None, now_us: int) -> Update:
    """This boot is another one than that in which the slot was written; `booted` is the slot that runs."""
    if update.phase not in (Phase.INSTALLING, Phase.INSTALLED, Phase.REBOOTING, Phase.TRIAL) or not booted:
        return update
    if booted == update.slot_to:
        return update if update.phase is Phase.TRIAL else update._replace(phase=Phase.TRIAL, since_us=now_us)
    why = "the new system did not come up"
    of_this = verdict is not None and (verdict.slot, verdict.version) == (update.slot_to, update.version)
    if verdict is not None and of_this and not verdict.good:
        why = verdict.text
    elif update.phase is Phase.INSTALLING:
        return update  # cut off while it was written: the installation is looked at and done again
    text = f"{update.version} fell back to {update.from_version}: {why}"
    return ended(update, Outcome.FAILURE, Code.FELL_BACK, text)


def proven(update: Update, boot_id: str, booted: str, good: bool, verdict: Verdict | None) -> Update:
    """The new system runs: success once the health gate says so and RAUC has the slot marked good.

    The verdict is that of this boot, or of an earlier boot of this very version: somebody may have switched
    the car off between the verdict and our word, and a proven slot is not put on trial again.
    """
    if update.phase is not Phase.TRIAL or booted != update.slot_to or not good or verdict is None:
        return update
    of_this = verdict.boot_id == boot_id or verdict.version == update.version
    if not (verdict.good and verdict.slot == booted and of_this):
        return update
    text = f"{update.version} has proven itself and replaces {update.from_version}"
    return ended(update, Outcome.SUCCESS, Code.INSTALLED, text)


def told(update: Update, what: str) -> Update:
    """The server has been told of `what`."""
    if what in update.told:
        return update
    return update._replace(told=(*update.told, what)[-64:], entries=update.entries + 1)


def needs_answer(update: Update) -> bool:
    """Tell whether the server waits for the result: not of a local file, not of an action that it dropped."""
    return update.from_server and update.cancel not in (Cancel.GONE, Cancel.SUPERSEDED)


def closed(state: State) -> State:
    """Record and answer are out: the unit is free for the next update."""
    update = state.update
    if update.phase is not Phase.CLOSING or not update.recorded:
        return state
    if needs_answer(update) and not update.answered:
        return state
    answers = state.answers
    if needs_answer(update):
        mine = Answer(update.action, update.sha256, update.outcome, int(update.code), update.text)
        others = [a for a in answers if (a.action, a.sha256) != (mine.action, mine.sha256)]
        answers = (*others, mine)[-REMEMBERED:]
    return state._replace(update=Update(), answers=answers)
