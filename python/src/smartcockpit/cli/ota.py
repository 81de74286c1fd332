# SPDX-License-Identifier: Apache-2.0
"""`cockpitctl ota`: the update of this unit.

JSON of status: {"state", "progress", "waiting", "waiting_text", "version", "update": {id, version, running,
from_server, forced, size, purpose, changes, minutes, pauses, consent} or null, "server": {url, answered_us,
trouble}}; with --watch one such line for each change. JSON of history: [{time_us, from, to, outcome, code,
text, …}], newest first.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path
from typing import Any

from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.ota_client import OtaClient, OtaState
from smartcockpit.cli import output, text
from smartcockpit.core.errors import UsageError
from smartcockpit.core.record import as_dict

TIMES = ("time", "started", "consent_time")
NUMBERS = (*TIMES, "code", "size", "fetched")


def as_json(state: OtaState) -> dict[str, Any]:
    """Return the documented keys."""
    server = as_dict(state.server)
    server["answered_us"] = server.pop("answered")
    return {
        "state": state.state, "progress": state.progress, "waiting": state.waiting,
        "waiting_text": state.waiting_text, "version": state.version,
        "update": as_dict(state.update) if state.update.id else None, "server": server,
    }  # fmt: skip


async def run(options: argparse.Namespace, bus: BusConnection) -> int:
    """Do what `what` says."""
    client = OtaClient(bus)
    match options.what:
        case "status":
            return await _status(options, client)
        case "history":
            return await _history(options, client)
        case "check":
            await client.check()
        case "install":
            await client.install(bundle_file(options.file))
        case "consent":
            identifier = options.id or (await client.state()).update.id
            await client.consent(identifier, not options.no)
        case "cancel":
            await client.cancel()
    if options.watch:
        return await _status(options, client)
    _show(await client.state(), options.json)
    return 0


def bundle_file(given: str) -> str:
    """Return the absolute path of a bundle; raises `UsageError`."""
    path = Path(given).absolute()
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    return str(path)


async def _status(options: argparse.Namespace, client: OtaClient) -> int:
    if not options.watch:
        _show(await client.state(), options.json)
        return 0
    wake = asyncio.Event()
    await client.watch(lambda _: wake.set())
    while True:
        wake.clear()
        state = await client.state()
        if options.json:
            print(output.line(as_json(state)), flush=True)
        else:
            print(one_line(state), flush=True)
        await wake.wait()


def one_line(state: OtaState) -> str:
    """Return the state as one line for people."""
    words = [state.state]
    if state.state in ("downloading", "installing"):
        words.append(f"{state.progress} %")
    if state.update.id:
        words.append(f"{state.update.running} → {state.update.version or '?'}")
    if state.waiting:
        words.append(f"waits: {state.waiting_text}")
    return text.plain("  ".join(words))


def _show(state: OtaState, json: bool) -> None:
    if json:
        print(output.document(as_json(state)))
        return
    update, server = state.update, state.server
    answered = text.age_text(time.time() - server.answered / 1e6) + " ago" if server.answered else "never"
    rows = [
        ("state", one_line(state)),
        ("runs", update.running),
        ("purpose", update.purpose),
        ("changes", update.changes.replace("\n", " ")),
        ("takes", f"{update.minutes} min" if update.minutes else ""),
        ("pauses", update.pauses),
        ("consent", update.consent),
        ("server", f"{server.url}, answered {answered}" if server.url else "none"),
        ("trouble", server.trouble),
    ]
    for name, value in rows:
        if value:
            print(f"{name:8}  {text.plain(value)}")
    sys.stdout.flush()


async def _history(options: argparse.Namespace, client: OtaClient) -> int:
    entries = await client.history(options.count)
    if options.json:
        print(output.document([_plain(entry) for entry in entries]))
        return 0
    rows = [
        (
            time.strftime("%Y-%m-%d %H:%M", time.localtime(int(entry.get("time", "0")) / 1e6)),
            entry.get("from", ""), entry.get("to", ""), entry.get("outcome", ""), entry.get("code", ""),
            entry.get("text", ""),
        )
        for entry in entries
    ]  # fmt: skip
    print(text.table(("TIME", "FROM", "TO", "OUTCOME", "CODE", "WHY"), rows, right=(4,)))
    if entries and entries[0].get("broken"):
        print(f"the record does not fit its chain of hashes from line {entries[0]['broken']} on")
    return 0


def _plain(entry: dict[str, str]) -> dict[str, Any]:
    plain: dict[str, Any] = {
        f"{key}_us" if key in TIMES else key: int(value) if key in NUMBERS and value.isdecimal() else value
        for key, value in entry.items()
    }
    return plain
