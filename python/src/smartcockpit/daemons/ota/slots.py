# SPDX-License-Identifier: Apache-2.0
"""Writing the other slot, and finding out what became of it after a restart or a reboot."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smartcockpit.bus.rauc import BundleError, InstallerBusyError, Slots
from smartcockpit.core.errors import UnavailableError
from smartcockpit.core.update import ddi, steps
from smartcockpit.core.update.codes import Phase, Waiting
from smartcockpit.core.update.decide import rest
from smartcockpit.core.update.state import Update
from smartcockpit.daemons.ota import events

if TYPE_CHECKING:
    from smartcockpit.daemons.ota.engine import Change, Engine

log = logging.getLogger(__name__)


def bundle(found: Mapping[str, Any]) -> steps.Bundle:
    """Return what matters of RAUC's InspectBundle; `[meta.smartcockpit]` may say what the driver is told."""
    update = found.get("update")
    meta = found.get("meta")
    ours = meta.get("smartcockpit", {}) if isinstance(meta, dict) else {}
    epoch = str(ours.get("build-epoch", ""))
    said = update if isinstance(update, dict) else {}
    return steps.Bundle(
        str(said.get("compatible", "")),
        str(said.get("version", "")),
        ddi.notes(ours),
        int(epoch) * 1_000_000 if epoch.isdecimal() and len(epoch) < 12 else 0,
    )


async def install(engine: Engine, *, attach: bool) -> Change:
    """Have RAUC install, or wait for what it does already; return what becomes of the update."""
    installer, host, power = engine.ports.installer, engine.ports.host, engine.ports.power

    def progress(percent: int, _: str) -> None:
        engine.progress(percent)

    await power.hold(f"the update to {engine.update.version} is being written")
    try:
        if attach:
            await installer.wait(progress)
        else:
            await installer.install(host.bundle(engine.update.sha256), progress)
    except BundleError as error:
        text = f"the installation failed: {error.message}"
        return lambda u: steps.install_failed(u, text, final=True)
    except InstallerBusyError as error:
        engine.installer.failed(str(error))
        return lambda u: steps.install_failed(u._replace(tries=u.tries - 1), "", final=False)
    except UnavailableError as error:
        # Died, or the bus went: look at the slots before anything is tried again.
        engine.installer.failed(str(error))
        return lambda u: u
    finally:
        await power.release()
    return lambda u: steps.installed(u, host.boot_id)


async def judge(engine: Engine) -> bool:
    """See what became of the slot that was written; return False to wait for the health gate."""
    found = await engine.ports.installer.slots()
    host, update = engine.ports.host, engine.update
    rebooted = update.boot_id != host.boot_id
    if update.phase is Phase.INSTALLING and not rebooted and found.operation == "installing":
        engine.start_job(lambda: install(engine, attach=True))
        return True
    if rebooted and update.phase is not Phase.TRIAL:
        verdict, now_us = host.verdict(), host.now_us()
        engine.apply(lambda u: steps.came_up(u, found.booted, verdict, now_us), "came up")
        if engine.update.phase is Phase.TRIAL:
            events.TRIAL.log(log, version=update.version, slot=update.slot_to)
    if engine.update.phase is Phase.INSTALLING:
        engine.apply(lambda u: _cut_off(u, found, host.boot_id), "installation looked at")
    if engine.update.phase is Phase.TRIAL:
        return await _trial(engine, found)
    if engine.update == update:
        raise UnavailableError("RAUC does not know which slot runs", "see: rauc status")
    return True


def _cut_off(update: Update, found: Slots, boot_id: str) -> Update:
    """Return what follows for an installation whose end nobody saw."""
    complete = (
        found.other == update.slot_to
        and found.other_complete
        and found.other_version == update.version
        and found.other_stamp != update.stamp
        and found.primary == update.slot_to
    )
    if complete:
        return steps.installed(update, boot_id)
    return steps.install_failed(update, "the installation was cut off again and again", final=False)


async def _trial(engine: Engine, found: Slots) -> bool:
    host, verdict = engine.ports.host, engine.ports.host.verdict()
    if found.booted and found.booted != engine.update.slot_to:
        now_us = host.now_us()
        engine.apply(lambda u: steps.came_up(u, found.booted, verdict, now_us), "fell back")
        return True
    engine.apply(lambda u: steps.proven(u, host.boot_id, found.booted, found.booted_good, verdict), "proven")
    if engine.update.phase is not Phase.TRIAL:
        return True
    text = f"{engine.update.version} has to prove itself"
    if (host.now_us() - engine.update.since_us) / 1e6 > engine.pace.verdict_s:
        text = "the health gate gave no verdict in time: the new slot is left"
        await engine.ports.installer.reject_booted()
        now_us = host.now_us()
        engine.apply(lambda u: u._replace(since_us=now_us), "trial rejected")
        host.reboot()
    engine.look_again_in(engine.pace.look_s)
    engine.next = rest(Waiting.TRIAL, text)
    return False
