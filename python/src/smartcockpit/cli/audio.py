# SPDX-License-Identifier: Apache-2.0
"""`cockpitctl audio`: what is heard and how loud, and the knobs and buttons for it.

JSON of `show`: {"version", "server": {state, reason, since_us}, "master": {volume, muted}, "balance", "fade",
"roles": [{role, volume, muted, state, duck_db}], "focus": [{token, role, holder}], "devices": [{name,
description, channels, rate, default}], "player": {present, status, title, artist, album, url, length_s,
position_s}}; of a player that is not there only `present`. `find` gives
{"tracks": [{location, title, artist, album, length_s}]}.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

from smartcockpit.bus.audio_client import AudioClient, AudioState
from smartcockpit.bus.connection import BusConnection
from smartcockpit.cli import output, text
from smartcockpit.core.errors import UnavailableError

MARKS = {"playing": "▶", "paused": "⏸", "stopped": "■"}


def as_json(state: AudioState) -> dict[str, Any]:
    """Return the documented keys."""
    server, player = state.server, state.playing
    return {
        "version": state.version,
        "server": {"state": server.state, "reason": server.reason, "since_us": server.since},
        "master": {"volume": state.master[0], "muted": state.master[1]},
        "balance": state.balance,
        "fade": state.fade,
        "roles": [
            {"role": name, "volume": r.volume, "muted": r.muted, "state": r.state, "duck_db": r.duck}
            for name, r in state.roles.items()
        ],
        "focus": [{"token": t, "role": role, "holder": holder} for t, role, holder in state.focus],
        "devices": [
            {"name": name, "description": d.description, "channels": d.channels, "rate": d.rate,
             "default": d.is_default} for name, d in state.devices.items()
        ],
        "player": {"present": state.player, **(player._asdict() if player else {})},
    }  # fmt: skip


async def run(options: argparse.Namespace, bus: BusConnection) -> int:
    """Show, or do what was asked for."""
    client = AudioClient(bus)
    if options.what in (None, "show"):
        return await _show(options, client)
    handler = globals()[f"_{options.what}"]
    await handler(options, client)
    return 0


async def _show(options: argparse.Namespace, client: AudioClient) -> int:
    while True:
        state = await client.state()
        if options.json:
            body = as_json(state)
            print(output.line(body) if options.watch else output.document(body), flush=True)
        else:
            show(state, clear=options.watch and sys.stdout.isatty())
        if not options.watch:
            return 0
        await asyncio.sleep(options.interval)


async def _volume(options: argparse.Namespace, client: AudioClient) -> None:
    await client.call("SetVolume", options.role, options.percent)


async def _mute(options: argparse.Namespace, client: AudioClient) -> None:
    await client.call("SetMuted", options.role, True)


async def _unmute(options: argparse.Namespace, client: AudioClient) -> None:
    await client.call("SetMuted", options.role, False)


async def _balance(options: argparse.Namespace, client: AudioClient) -> None:
    await client.call("SetBalance", options.value)


async def _fade(options: argparse.Namespace, client: AudioClient) -> None:
    await client.call("SetFade", options.value)


async def _chime(options: argparse.Namespace, client: AudioClient) -> None:
    await _sound(options, client, "PlayChime", options.name)


async def _say(options: argparse.Namespace, client: AudioClient) -> None:
    await _sound(options, client, "Speak", options.role, " ".join(options.text))


async def _prompt(options: argparse.Namespace, client: AudioClient) -> None:
    await _sound(options, client, "PlayFile", options.role, absolute(options.file))


async def _sound(options: argparse.Namespace, client: AudioClient, member: str, *args: Any) -> None:
    if not options.wait:
        await client.call(member, *args)
        return
    reason = await client.heard(member, *args)
    if reason:
        raise UnavailableError(f"it was not heard to the end: {reason}")


async def _play(options: argparse.Namespace, client: AudioClient) -> None:
    if not options.location:
        await client.press("Play")
        return
    locations = [where if "://" in where else absolute(where) for where in options.location]
    await client.call("OpenMusic", locations, True)


async def _pause(_: argparse.Namespace, client: AudioClient) -> None:
    await client.press("Pause")


async def _next(_: argparse.Namespace, client: AudioClient) -> None:
    await client.press("Next")


async def _previous(_: argparse.Namespace, client: AudioClient) -> None:
    await client.press("Previous")


async def _find(options: argparse.Namespace, client: AudioClient) -> None:
    (rows,) = await client.call("FindMusic", " ".join(options.words), options.limit)
    keys = ("location", "title", "artist", "album", "length_s")
    if options.json:
        print(output.document({"tracks": [dict(zip(keys, row, strict=True)) for row in rows]}))
        return
    head = ("TITLE", "ARTIST", "ALBUM", "LENGTH", "LOCATION")
    cells = [(r[1], r[2] or "–", r[3] or "–", time_text(r[4]), r[0]) for r in rows]
    print(text.table(head, cells, right=(3,)))


def absolute(path: str) -> str:
    """Return a path as the daemon, which has another working folder, can use it."""
    return str(Path(path).absolute())


def show(state: AudioState, clear: bool) -> None:
    """Print the tables for people."""
    if clear:
        print("\x1b[H\x1b[J", end="")
    reason = f": {text.plain(state.server.reason)}" if state.server.reason else ""
    muted = ", muted" if state.master[1] else ""
    print(f"sound {state.server.state}{reason}   master {state.master[0]} %{muted}", end="")
    print(f"   balance {state.balance:+g}   fade {state.fade:+g}")
    holders: dict[str, list[str]] = {}
    for _, role, holder in state.focus:
        holders.setdefault(role, []).append(holder)
    rows = [
        (name, f"{role.volume} %", "yes" if role.muted else "", role.state,
         f"-{role.duck:g} dB" if role.duck else "", ", ".join(holders.get(name, [])))
        for name, role in state.roles.items()
    ]  # fmt: skip
    print(text.table(("ROLE", "VOLUME", "MUTED", "STATE", "FALLS", "FOR"), rows, right=(1,)))
    for name, device in state.devices.items():
        mark = "*" if device.is_default else " "
        print(f"{mark} {text.plain(name)}: {text.plain(device.description)}, {len(device.channels)} channels")
    print(text.plain(playing_text(state)))
    sys.stdout.flush()


def playing_text(state: AudioState) -> str:
    """Return one line on the player."""
    playing = state.playing
    if not state.player or playing is None:
        return "no player"
    if not playing.title:
        return "player: nothing in the queue"
    who = f"{playing.artist} – " if playing.artist else ""
    times = time_text(playing.position_s) + (f" / {time_text(playing.length_s)}" if playing.length_s else "")
    return f"{MARKS.get(playing.status, '?')} {who}{playing.title}  {times}"


def time_text(seconds: float) -> str:
    """Return minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
