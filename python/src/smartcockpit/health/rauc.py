# SPDX-License-Identifier: Apache-2.0
"""What the health gate asks of RAUC (de.pengutronix.rauc.Installer): slots, and to mark the booted one."""

from __future__ import annotations

import asyncio
from typing import Any

from smartcockpit.bus.connection import BusConnection
from smartcockpit.core.errors import SmartCockpitError, UnavailableError
from smartcockpit.core.named import NamedTuple

NAME, PATH, INTERFACE = "de.pengutronix.rauc", "/", "de.pengutronix.rauc.Installer"
TIMEOUT_S = 30.0
"""RAUC is started by the first call, and asks the boot loader's environment on a FAT partition."""
BUSY, BUSY_LOOKS, BUSY_PAUSE_S = "already processing", 10, 2.0
"""While it installs or looks into a bundle RAUC answers nothing else (service.c of 1.13)."""


class Slot(NamedTuple):
    """One root slot."""

    name: str
    """Its name in the boot loader: A or B."""
    bootable: bool
    """It has attempts left."""
    installation: str
    """Which installation is in it; empty for one that RAUC has not made."""


class Slots(NamedTuple):
    """The booted slot and the other one, if there is one."""

    booted: Slot
    other: Slot | None


async def slots(connection: BusConnection) -> Slots:
    """Return the root slots; raises `UnavailableError` when RAUC does not answer or knows no booted slot."""
    (rows,) = await _ask(connection, "GetSlotStatus")
    roots = [row for _, row in rows if row.get("bootname")]
    booted = [_slot(row) for row in roots if row.get("state") == "booted"]
    others = [_slot(row) for row in roots if row.get("state") != "booted"]
    if not booted:
        raise UnavailableError("RAUC does not know which slot is booted", "see: rauc status")
    return Slots(booted[0], others[0] if others else None)


def _slot(row: dict[str, Any]) -> Slot:
    stamps = (row.get("installed.timestamp", ""), row.get("installed.count", ""), row.get("sha256", ""))
    installation = " ".join(map(str, stamps)).strip()
    return Slot(str(row["bootname"]), row.get("boot-status") == "good", installation)


async def mark_booted(connection: BusConnection, state: str) -> None:
    """Mark the booted slot `good` (its attempts are given back) or `bad` (it is not booted again)."""
    await _ask(connection, "Mark", "ss", (state, "booted"))


async def _ask(
    connection: BusConnection, member: str, signature: str = "", body: tuple[str, ...] = ()
) -> list[Any]:
    """Call RAUC, again after a while when it is busy."""
    looks = BUSY_LOOKS
    while True:
        try:
            return list(
                await connection.call(NAME, PATH, INTERFACE, member, signature, body, timeout_s=TIMEOUT_S)
            )
        except SmartCockpitError as error:
            looks -= 1
            if BUSY not in str(error) or looks == 0:
                raise
        await asyncio.sleep(BUSY_PAUSE_S)
