# SPDX-License-Identifier: Apache-2.0
"""The three moments of the health gate. Never reboots a slot that was good before.

early: a slot that is known to be good gets its attempts back at once, so that power cuts do not use them up.
gate: the checks; a slot on trial is marked good, or given up for the other one.
give up: nobody came to a verdict in time (systemd's deadline, or the gate itself crashed).
"""

from __future__ import annotations

import logging
import time

from smartcockpit.adapters import durable
from smartcockpit.bus.connection import BusConnection
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.core.verdict import CheckResult, Outcome, Verdict, from_document
from smartcockpit.health import events, loading, places, rauc
from smartcockpit.health.boot import Boot, can_return, is_proven, record_proven, this_boot
from smartcockpit.health.check import Cockpit
from smartcockpit.health.runner import examine

log = logging.getLogger(__name__)
KNOWN_S = 30.0
"""How long a slot that is good is looked at: nothing hangs on it but what the next trial is measured by."""


async def early(bus: BusConnection) -> None:
    """Mark a slot good that is known to be; raises `SmartCockpitError` when RAUC does not do it."""
    boot = this_boot()
    if boot.flagged and not is_proven((await rauc.slots(bus)).booted):
        events.TRIAL.log(log, slot=boot.slot, version=boot.version)
        return
    places.DECIDED.touch()
    if boot.slot:
        await rauc.mark_booted(bus, "good")


async def gate(bus: BusConnection, limit_s: float) -> None:
    """Run the checks and act on what they say."""
    boot, started_us = this_boot(), time.time_ns() // 1000
    trial = await _on_trial(bus, boot)
    cockpit = Cockpit(bus, _before(), trial=trial)
    limit_s = limit_s if trial else min(limit_s, KNOWN_S)
    outcome, results = await examine(loading.checks(places.PRODUCT_CHECKS), cockpit, limit_s)
    verdict = _verdict(boot, trial, outcome, started_us, results)
    if outcome is Outcome.GOOD:
        await _prove(bus, boot, trial=trial)
    elif trial:
        await _fall_back(bus, boot, verdict)
        return
    _keep(verdict)
    if outcome is not Outcome.FAILED:  # else the others were not looked at to their end
        _remember(cockpit.able)
    if outcome is not Outcome.GOOD:
        events.UNWELL.log(log, slot=boot.slot, version=boot.version, reasons=verdict.reasons)


async def give_up(bus: BusConnection) -> None:
    """End a trial that came to no verdict."""
    boot = this_boot()
    if places.REBOOT.exists():
        return
    if not await _on_trial(bus, boot):
        places.DECIDED.touch()  # proven in an earlier boot, whatever the boot loader says
        return
    await _fall_back(bus, boot, _too_late(boot))


def keep_reason(trouble: SmartCockpitError) -> None:
    """Keep why a trial ends when there is no bus to end it by; the reboot is the service manager's."""
    boot = this_boot()
    if boot.flagged and not places.DECIDED.exists():
        _keep(_too_late(boot, str(trouble)))


def _too_late(boot: Boot, trouble: str = "") -> Verdict:
    """Return the verdict over a trial that came to none; what this boot has already been told stays."""
    told = from_document(durable.read(places.NEWEST) or {})
    if told is not None and told.boot_id == boot.boot_id and told.outcome is not Outcome.GOOD:
        return told
    detail = "the system did not come up in time" + (f": {trouble}" if trouble else "")
    late = CheckResult("deadline", False, detail, 0)
    return _verdict(boot, True, Outcome.TIMEOUT, time.time_ns() // 1000, (late,))


async def _on_trial(bus: BusConnection, boot: Boot) -> bool:
    """Tell whether the slot has to prove itself; when RAUC does not say, the boot loader's word holds."""
    if places.DECIDED.exists() or not boot.flagged:
        return False
    try:
        return not is_proven((await rauc.slots(bus)).booted)
    except SmartCockpitError as error:
        log.warning("%s", error)
        return True


async def _prove(bus: BusConnection, boot: Boot, *, trial: bool) -> None:
    """Make it last, before anybody is told: after the verdict `good` the update daemon reports success.

    A slot that the boot loader flags although it is proven, because its counters were lost, gets them back.
    """
    try:
        if boot.slot:
            record_proven((await rauc.slots(bus)).booted)
        if boot.flagged:
            await rauc.mark_booted(bus, "good")
            places.DECIDED.touch()
    except SmartCockpitError as error:
        if trial:
            raise
        log.warning("%s", error)
    if trial:
        events.GOOD.log(log, slot=boot.slot, version=boot.version)


async def _fall_back(bus: BusConnection, boot: Boot, verdict: Verdict) -> None:
    """Keep the reason, give the slot up, ask for the reboot; stay when there is nothing to fall back to."""
    try:
        _keep(verdict)
    except SmartCockpitError as error:  # a data partition that cannot be written is a reason to fall back
        log.error("%s", error)
    stays = not can_return(await rauc.slots(bus))
    event = events.STAYS if stays else events.FELL
    event.log(log, slot=boot.slot, version=boot.version, reasons=verdict.reasons)
    if stays:
        places.DECIDED.touch()
        return
    await rauc.mark_booted(bus, "bad")
    places.REBOOT.touch()


def _verdict(
    boot: Boot, trial: bool, outcome: Outcome, started_us: int, checks: tuple[CheckResult, ...]
) -> Verdict:
    ended_us = time.time_ns() // 1000
    return Verdict(boot.boot_id, boot.slot, boot.version, trial, outcome, started_us, ended_us, checks)


def _keep(verdict: Verdict) -> None:
    """Write the verdict; after a fall-back the reason for it stays where the update daemon looks."""
    durable.write(places.NEWEST, verdict.to_document(), places.MODE)
    last = from_document(durable.read(places.VERDICT) or {})
    fell_back = (
        last is not None and last.trial and last.outcome is not Outcome.GOOD and last.slot != verdict.slot
    )
    if verdict.trial or not fell_back:
        durable.write(places.VERDICT, verdict.to_document(), places.MODE)


def _before() -> frozenset[str] | None:
    able = (durable.read(places.BASELINE) or {}).get("able")
    return frozenset(map(str, able)) if isinstance(able, list) else None


def _remember(able: set[str]) -> None:
    if _before() != frozenset(able):
        durable.write(places.BASELINE, {"format": 1, "able": sorted(able)}, places.MODE)
