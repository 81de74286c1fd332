# SPDX-License-Identifier: Apache-2.0
"""What the engine does, act by act; each returns whether to go on deciding, False: rest.

Order within an act: first keep what is going to happen, then do it, then keep that it has happened. Whatever
is cut off in between is found by the next decision and done again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from smartcockpit.bus.rauc import BundleError, InstallerBusyError
from smartcockpit.core.errors import UnavailableError
from smartcockpit.core.update import feedback, steps
from smartcockpit.core.update.codes import Cancel, Code, Consent, Outcome, Phase, Waiting
from smartcockpit.core.update.decide import Act, Next
from smartcockpit.daemons.ota import events, fetching, slots
from smartcockpit.daemons.ota.answers import answer, entry, needs_more

if TYPE_CHECKING:
    from smartcockpit.daemons.ota.engine import Engine

log = logging.getLogger(__name__)
SILENT = (Waiting.NONE, Waiting.NETWORK, Waiting.STORAGE)
"""Reasons that the server is not told: it cannot be, or it need not."""


class Acts:
    """The acts of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._acts: dict[Act, Callable[[], Awaitable[bool]]] = {
            Act.CONFIRM: self._confirm, Act.FETCH: self._fetch, Act.INSPECT: self._inspect,
            Act.KEEP: self._keep, Act.INSTALL: self._install, Act.TAKE_BACK: self._take_back,
            Act.REBOOT: self._reboot, Act.JUDGE: self._judge, Act.RECORD: self._record,
            Act.ANSWER: self._answer, Act.FINISH: self._finish,
        }  # fmt: skip

    async def do(self, following: Next) -> bool:
        """Do it; an installer that is not there becomes a reason to wait."""
        try:
            return await self._acts[following.act]()
        except InstallerBusyError as error:
            self._engine.installer.failed(str(error))
        except UnavailableError as error:
            if following.act not in (Act.INSPECT, Act.INSTALL, Act.TAKE_BACK, Act.JUDGE):
                raise
            self._engine.installer.failed(str(error))
        return True

    # ---- telling -----------------------------------------------------------------------------------------

    async def tell_progress(self, now: Next) -> None:
        """Tell the server where the update stands, once for each milestone, step and reason to wait."""
        engine, update = self._engine, self._engine.update
        if not update.from_server or update.confirm_link or update.phase in (Phase.IDLE, Phase.CLOSING):
            return
        if now.waiting is Waiting.VEHICLE and engine.told is not Waiting.VEHICLE:
            return  # the signals have only just been asked for
        if now.waiting not in SILENT:
            await self._tell(f"{update.phase}: {now.waiting}", feedback.SCHEDULED, [now.text])
        elif update.phase in (Phase.DOWNLOADING, Phase.INSTALLING):
            step = feedback.coarse(engine.percent)
            word = (
                feedback.DOWNLOAD if update.phase is Phase.DOWNLOADING and not step else feedback.PROCEEDING
            )
            await self._tell(f"{update.phase}: {step}", word, [f"{update.phase} {step} %"], step)

    async def _tell(self, what: str, word: str, details: list[str], percent: int | None = None) -> None:
        engine, update = self._engine, self._engine.update
        if (
            not (update.from_server and update.link)
            or what in update.told
            or update.entries >= feedback.ENTRIES
        ):
            return
        body = feedback.status(word, details=details, percent=percent)
        known = await engine.tell(update.link, body)
        if known is None:
            return
        engine.apply(lambda update: steps.told(update, what), f"told {what}")
        if not known:
            engine.poll_soon()  # is it gone? A poll has the last word

    # ---- consent and download ----------------------------------------------------------------------------

    async def _confirm(self) -> bool:
        engine, update = self._engine, self._engine.update
        agreed = update.consent is Consent.GIVEN
        body = feedback.confirmation(agreed, ["the user has agreed" if agreed else "the user has declined"])
        known = await engine.tell(update.confirm_link, body)
        if known is None:
            return True
        engine.apply(lambda update: update._replace(consent_told=True), "consent told")
        if agreed or not known:
            engine.poll_soon()
        return True

    async def _fetch(self) -> bool:
        engine = self._engine
        if missing := engine.ports.host.missing_bytes(engine.update.sha256, engine.update.size):
            text = f"{missing / 1e6:.0f} MB of room are missing on the data partition"
            engine.apply(lambda u: steps.ended(u, Outcome.FAILURE, Code.NO_ROOM, text), "no room")
            return True
        if engine.update.phase is Phase.OFFERED:
            update = engine.update
            events.OFFERED.log(
                log,
                version=update.version or update.filename,
                running=update.from_version,
                action=update.action,
            )
        engine.apply(lambda u: u._replace(phase=Phase.DOWNLOADING), "download begins")
        engine.start_job(lambda: fetching.fetch(engine))
        return True

    async def _inspect(self) -> bool:
        engine, host = self._engine, self._engine.ports.host
        path = host.bundle(engine.update.sha256)
        try:
            found = await engine.ports.installer.inspect(path)
        except BundleError as error:
            text = f"the bundle is refused: {error.message}"
            engine.apply(lambda u: steps.ended(u, Outcome.FAILURE, Code.BAD_BUNDLE, text), "bundle refused")
            return True
        bundle = slots.bundle(found)
        compatible = (await engine.ports.installer.slots()).compatible
        engine.apply(lambda u: steps.inspected(u, bundle, compatible, host.running), "inspected")
        host.passed(bundle.build_us)
        floor_us = max(engine.state.floor_us, bundle.build_us)
        engine.keep(engine.state._replace(floor_us=floor_us), "clock floor")
        if not engine.update.download_only:  # there this word ends the action
            await self._tell("downloaded", feedback.DOWNLOADED, [])
        return True

    async def _keep(self) -> bool:
        text = f"{self._engine.update.version} is downloaded, which is all that was asked for"
        self._engine.apply(lambda u: steps.ended(u, Outcome.DOWNLOADED, Code.DOWNLOADED, text), "kept")
        return True

    # ---- installation ------------------------------------------------------------------------------------

    async def _install(self) -> bool:
        engine, host = self._engine, self._engine.ports.host
        if engine.update.from_server and not engine.fresh:
            # Hours may have passed at the gate: the server is heard once more before anything is written.
            engine.poll_soon()
            engine.fresh = True
            return True
        found = await engine.ports.installer.slots()
        if not found.booted or not found.other:
            raise UnavailableError("RAUC does not know which slot runs", "see: rauc status")
        host.announce_trial(
            {
                "format": 1, "slot": found.other, "version": engine.update.version,
                "from_version": engine.update.from_version, "action": engine.update.action,
            }
        )  # fmt: skip
        engine.apply(
            lambda u: steps.install_begins(u, found.booted, found.other, found.other_stamp, host.boot_id),
            "installation begins",
        )
        update = engine.update
        events.INSTALLING.log(log, version=update.version, slot=update.slot_to, tries=update.tries)
        engine.start_job(lambda: slots.install(engine, attach=False))
        return True

    async def _take_back(self) -> bool:
        engine = self._engine
        await engine.ports.installer.activate_booted()
        engine.apply(steps.taken_back, "taken back")
        return True

    async def _reboot(self) -> bool:
        engine, host = self._engine, self._engine.ports.host
        if engine.update.from_server and not engine.fresh:
            engine.poll_soon()
            engine.fresh = True
            return True
        await self._tell("rebooting", feedback.PROCEEDING, ["reboot into the new system"])
        if (
            engine.update.phase not in (Phase.INSTALLED, Phase.REBOOTING)
            or engine.update.cancel is not Cancel.NONE
        ):
            return True
        events.REBOOTING.log(log, version=engine.update.version, slot=engine.update.slot_to)
        engine.apply(lambda u: steps.reboot_asked(u, host.now_us()), "reboot asked")
        host.reboot()
        engine.reboot_asked, engine.fresh = True, False
        return True

    async def _judge(self) -> bool:
        return await slots.judge(self._engine)

    # ---- the end -----------------------------------------------------------------------------------------

    async def _record(self) -> bool:
        engine, update = self._engine, self._engine.update
        events.ENDED.log(
            log, version=update.version or update.filename or "?", outcome=update.outcome.value,
            code=int(update.code), text=update.text,
        )  # fmt: skip
        engine.ports.record.append_once(
            update.key, entry(update, engine.ports.host.now_us(), engine.attributes)
        )
        engine.apply(lambda u: u._replace(recorded=True), "recorded")
        return True

    async def _answer(self) -> bool:
        engine, update = self._engine, self._engine.update
        link, body = answer(update)
        if await engine.tell(link, body) is None or not await needs_more(engine, update):
            return True  # the network's back-off says when again
        engine.apply(lambda u: u._replace(answered=True), "answered")
        return True

    async def _finish(self) -> bool:
        engine, update = self._engine, self._engine.update
        engine.ports.host.announce_trial(None)
        kept = update.sha256 if update.outcome is Outcome.DOWNLOADED else ""
        engine.keep(steps.closed(engine.state), "closed")
        engine.ports.host.sweep(kept)
        engine.fresh = False
        if update.from_server:
            engine.poll_soon()
        return True
