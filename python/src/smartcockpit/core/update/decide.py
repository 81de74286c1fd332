# SPDX-License-Identifier: Apache-2.0
"""What is to be done next: a pure function of what is kept and of how things stand.

Called again after everything that happens, and after each start: whatever was cut off is simply decided anew.
"""

from __future__ import annotations

from enum import StrEnum

from smartcockpit.core.named import NamedTuple
from smartcockpit.core.update.codes import Cancel, Consent, Phase, Waiting
from smartcockpit.core.update.gate import Block
from smartcockpit.core.update.offer import Handling, Window
from smartcockpit.core.update.state import Update
from smartcockpit.core.update.steps import needs_answer


class Act(StrEnum):
    """The one thing to do next."""

    REST = "rest"
    CONFIRM = "confirm"
    """Tell the server what the user said."""
    FETCH = "fetch"
    INSPECT = "inspect"
    KEEP = "keep"
    """Download-only: done with the file on the disk."""
    INSTALL = "install"
    TAKE_BACK = "take-back"
    """Make the running slot the next to boot again."""
    REBOOT = "reboot"
    JUDGE = "judge"
    """See what became of the new slot: after a restart of ours while it was written, and after a reboot."""
    RECORD = "record"
    ANSWER = "answer"
    FINISH = "finish"


class Ask(StrEnum):
    """Whose consent is needed besides the server's confirmation flow."""

    CAMPAIGN = "campaign"
    """None: the campaign asks by the confirmation flow."""
    SOFT = "soft"
    """For soft actions; a forced one does without."""
    ALWAYS = "always"


class View(NamedTuple):
    """How things stand; texts are the reason for people, "" when all is well."""

    now_us: int
    boot_id: str
    gate: Block = Block()
    ask: Ask = Ask.CAMPAIGN
    network: str = ""
    metered: str = ""
    installer: str = ""
    storage: str = ""
    reboot_patience_us: int = 300_000_000


class Next(NamedTuple):
    """What to do, and while it is REST, why."""

    act: Act
    waiting: Waiting = Waiting.NONE
    text: str = ""


def rest(waiting: Waiting, text: str) -> Next:
    """Return that nothing is to be done now."""
    return Next(Act.REST, waiting, text)


def decide(update: Update, view: View) -> Next:
    """Return what is to be done next."""
    if update.phase is Phase.IDLE:
        return Next(Act.REST)
    if view.storage:
        return rest(Waiting.STORAGE, view.storage)
    return _DECIDE[update.phase](update, view)


def _offered(update: Update, view: View) -> Next:
    if update.confirm_link:
        if update.consent is Consent.OPEN:
            return rest(Waiting.CONSENT, "the campaign asks for the user's consent")
        if not update.consent_told:
            return rest(Waiting.NETWORK, view.network) if view.network else Next(Act.CONFIRM)
        if update.consent is Consent.DENIED:
            return rest(Waiting.DECLINED, "the user has declined; the server keeps the offer open")
        return rest(Waiting.SERVER, "the server has not released the update yet")
    return _downloading(update, view)


def _downloading(update: Update, view: View) -> Next:
    if update.from_server:
        if update.download is Handling.SKIP:
            return rest(Waiting.SERVER, "the server does not want it downloaded yet")
        if view.network:
            return rest(Waiting.NETWORK, view.network)
        if view.metered:
            return rest(Waiting.METERED, view.metered)
    return Next(Act.FETCH)


def _downloaded(update: Update, view: View) -> Next:
    if not update.inspected:
        return rest(Waiting.INSTALLER, view.installer) if view.installer else Next(Act.INSPECT)
    if update.download_only:
        return rest(Waiting.NETWORK, view.network) if view.network else Next(Act.KEEP)
    if update.update is Handling.SKIP:
        closed = update.window is Window.UNAVAILABLE
        return rest(Waiting.WINDOW, "outside of the maintenance window" if closed else "the server waits")
    asks = view.ask is Ask.ALWAYS or (view.ask is Ask.SOFT and update.update is not Handling.FORCED)
    if asks and update.consent is not Consent.GIVEN:
        return rest(Waiting.CONSENT, "the user must agree to the installation")
    if view.gate:
        return rest(*view.gate)
    return rest(Waiting.INSTALLER, view.installer) if view.installer else Next(Act.INSTALL)


def _judged(_: Update, view: View) -> Next:
    return rest(Waiting.INSTALLER, view.installer) if view.installer else Next(Act.JUDGE)


def _installed(update: Update, view: View) -> Next:
    if update.boot_id != view.boot_id:
        return _judged(update, view)
    if update.cancel is not Cancel.NONE:
        return rest(Waiting.INSTALLER, view.installer) if view.installer else Next(Act.TAKE_BACK)
    return _reboot(update, view)


def _reboot(update: Update, view: View) -> Next:
    if update.window is Window.UNAVAILABLE:
        return rest(Waiting.WINDOW, "the reboot waits for the maintenance window")
    return rest(*view.gate) if view.gate else Next(Act.REBOOT)


def _rebooting(update: Update, view: View) -> Next:
    if update.boot_id != view.boot_id:
        return _judged(update, view)
    if view.now_us - update.since_us <= view.reboot_patience_us:
        return rest(Waiting.REBOOT, "the reboot into the new system has been asked for")
    return _reboot(update, view)


def _closing(update: Update, view: View) -> Next:
    if not update.recorded:
        return Next(Act.RECORD)
    if not update.answered and needs_answer(update):
        return rest(Waiting.NETWORK, view.network) if view.network else Next(Act.ANSWER)
    return Next(Act.FINISH)


_DECIDE = {
    Phase.OFFERED: _offered,
    Phase.DOWNLOADING: _downloading,
    Phase.DOWNLOADED: _downloaded,
    Phase.INSTALLING: _judged,
    Phase.INSTALLED: _installed,
    Phase.REBOOTING: _rebooting,
    Phase.TRIAL: _judged,
    Phase.CLOSING: _closing,
}
