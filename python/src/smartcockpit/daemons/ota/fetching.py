# SPDX-License-Identifier: Apache-2.0
"""One attempt at bringing the bundle here, and what its end means for the update."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from smartcockpit.adapters.network import NetworkError
from smartcockpit.core.update import steps
from smartcockpit.core.update.codes import Code, Outcome
from smartcockpit.core.update.state import Update

if TYPE_CHECKING:
    from smartcockpit.daemons.ota.engine import Change, Engine

HOPELESS = {"insecure": Code.BAD_OFFER, "link": Code.BAD_OFFER, "room": Code.NO_ROOM}
"""Faults that another attempt does not cure."""
WASTE = 3
"""Times its size that a bundle may cost in traffic before it is given up."""
SLACK = 4 << 20
WRONG = 2
"""Times its size after which a wrong checksum is no accident any more."""


async def fetch(engine: Engine) -> Change:
    """Download, or copy a local file, and return what becomes of the update."""
    update, host = engine.update, engine.ports.host
    folder = str(Path(host.bundle("x")).parent)
    came = 0

    def report(have: int, fetched: int) -> None:
        nonlocal came
        came += fetched
        engine.progress(have * 100 / update.size if update.from_server else have)

    try:
        if not update.from_server:
            size, sha256 = await engine.ports.net.copy(update.link, folder, report)
            return lambda u: steps.downloaded(u, size, sha256)
        interface = host.metered()
        allowance = engine.pace.metered_bytes - update.fetched if interface else 0
        if interface and allowance <= 0:
            engine.metered = f"{interface} costs money, and its allowance for this update is used up"
            return lambda u: u
        job = {
            "url": update.href, "folder": folder, "sha256": update.sha256, "size": update.size,
            "boot_id": host.boot_id, "least_rate": engine.pace.least_rate,
            "window_s": engine.pace.rate_window_s, "at_most": allowance,
        }  # fmt: skip
        await engine.ports.net.fetch(job, report)
    except NetworkError as error:
        fault = error
        return lambda u: _failed(engine, u, fault, came)
    engine.network.succeeded()
    return lambda u: steps.downloaded(u._replace(fetched=u.fetched + came), u.size, u.sha256)


def _failed(engine: Engine, update: Update, error: NetworkError, came: int) -> Update:
    update = update._replace(fetched=update.fetched + came)

    def over(code: Code, text: str) -> Update:
        return steps.ended(update, Outcome.FAILURE, code, text)

    if not update.from_server:
        return over(Code.NO_ROOM if error.kind == "room" else Code.BAD_BUNDLE, error.message)
    if error.kind in HOPELESS:
        return over(HOPELESS[error.kind], error.message)
    if error.kind == "checksum" and update.fetched >= WRONG * update.size:
        return over(Code.CHECKSUM, error.message)
    if update.fetched > WASTE * update.size + SLACK:
        return over(
            Code.DOWNLOAD, f"{update.fetched >> 20} MiB came in vain; the last fault: {error.message}"
        )
    age_s = (engine.ports.host.now_us() - update.started_us) / 1e6
    if age_s > engine.pace.deadline_s:
        return over(
            Code.DEADLINE, f"not complete after {age_s / 3600:.1f} h; the last fault: {error.message}"
        )
    if error.kind == "metered":
        engine.metered = error.message
        return update
    if came:
        engine.network.succeeded()  # it gets on, if slowly
    engine.network_failed(error)
    if error.kind == "status":
        engine.poll_soon()  # perhaps the action is gone
    return update
