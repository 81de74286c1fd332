# SPDX-License-Identifier: Apache-2.0
"""`cockpitctl status`: how each daemon is doing, from systemd and from the bus.

JSON: {"slot": "A", "daemons": [{daemon, unit, state, sub_state, since_us, restarts, memory_bytes, bus_name,
version}]}; slot, memory_bytes, bus_name and version are null when not known. Exit code 69 when a daemon that
is installed as a unit does not run or holds no name.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from smartcockpit.bus import names
from smartcockpit.bus.client import properties
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.systemd1 import unit_state
from smartcockpit.cli import inventory, output, text
from smartcockpit.core.errors import SmartCockpitError

COMMAND_LINE = Path("/proc/cmdline")


@dataclass(frozen=True, slots=True)
class DaemonStatus:
    """What one row shows; `state` is systemd's ActiveState, or not-found, or unknown without systemd."""

    daemon: str
    unit: str
    state: str
    sub_state: str
    since_us: int
    restarts: int
    memory_bytes: int | None
    bus_name: str | None
    version: str | None

    @property
    def healthy(self) -> bool:
        """True when it runs and can be talked to."""
        return self.state in ("active", "unknown") and self.bus_name is not None


async def collect(bus: BusConnection, daemons: list[str]) -> list[DaemonStatus]:
    """Ask systemd and the bus about `daemons`."""
    reply = await bus.call(names.DBUS_NAME, names.DBUS_PATH, names.DBUS_INTERFACE, "ListNames")
    return [await _one(bus, daemon, inventory.bus_name(daemon, reply[0])) for daemon in daemons]


async def _one(bus: BusConnection, daemon: str, name: str) -> DaemonStatus:
    unit = inventory.unit(daemon)
    version = await _version(bus, name) if name else None
    try:
        found = await unit_state(bus, unit)
    except SmartCockpitError:  # a developer's session bus has no systemd on it
        return DaemonStatus(daemon, unit, "unknown", "", 0, 0, None, name or None, version)
    state = found.active_state if found.load_state == "loaded" else found.load_state
    return DaemonStatus(
        daemon,
        unit,
        state,
        found.sub_state,
        found.since_us,
        found.restarts,
        found.memory_bytes,
        name or None,
        version,
    )


async def _version(bus: BusConnection, name: str) -> str | None:
    path = "/" + name.replace(".", "/")
    try:
        version = (await properties(bus, name, path, name)).get("Version")
    except SmartCockpitError:
        return None
    return str(version) if version else None


def boot_slot(command_line: Path = COMMAND_LINE) -> str | None:
    """Return the slot that was booted, as the boot script tells the kernel (`rauc.slot=A`), or None."""
    try:
        words = command_line.read_text().split()
    except (OSError, UnicodeDecodeError):
        return None
    return next((word.partition("=")[2] for word in words if word.startswith("rauc.slot=")), None)


async def run(options: argparse.Namespace, bus: BusConnection) -> int:
    """Show once, or again and again with --watch."""
    daemons = inventory.chosen(options.daemon)
    while True:
        found = await collect(bus, daemons)
        if options.json:
            body = {"slot": boot_slot(), "daemons": [asdict(status) for status in found]}
            print(output.line(body) if options.watch else output.document(body), flush=True)
        else:
            show(found, clear=options.watch and sys.stdout.isatty())
        if not options.watch:
            return 0 if all(status.healthy for status in found) else 69
        await asyncio.sleep(options.interval)


def show(found: list[DaemonStatus], clear: bool) -> None:
    """Print the table for people."""
    if clear:
        print("\x1b[H\x1b[J", end="")
    head = ("DAEMON", "STATE", "SINCE", "RESTARTS", "MEMORY", "NAME ON THE BUS", "VERSION")
    print(text.table(head, [_row(status) for status in found], right=(3, 4)))
    if slot := boot_slot():
        print(f"booted from slot {text.plain(slot)}")
    sys.stdout.flush()


def _row(status: DaemonStatus) -> tuple[str, ...]:
    since = text.age_text(time.time() - status.since_us / 1e6) if status.since_us else "–"
    memory = text.size_text(status.memory_bytes)
    return (
        status.daemon, status.state, since, str(status.restarts), memory, status.bus_name or "none",
        status.version or "–",
    )  # fmt: skip
