# SPDX-License-Identifier: Apache-2.0
"""Who may tell RAUC what: every user calls every method on a real bus daemon with our policy."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.dbus_daemon import PrivateBus
from support.paper_system import Anything

from .test_dbus_policy import BASE, DROP, FOLDER, reviewed

RAUC, INSTALLER, PROPERTIES = (
    "de.pengutronix.rauc", "de.pengutronix.rauc.Installer", "org.freedesktop.DBus.Properties",
)  # fmt: skip
WHO = {
    "user smartcockpit-ota": 1,
    "user smartcockpit-health": 2,
    "group smartcockpit": 3,
    "user root": 0,
    "nobody": 65534,
}
"""Users that every Debian has stand in for ours; sys (3) for a member of the group."""
METHODS = (
    (INSTALLER, "Install"), (INSTALLER, "InstallBundle"), (INSTALLER, "Info"), (INSTALLER, "InspectBundle"),
    (INSTALLER, "Mark"), (INSTALLER, "GetSlotStatus"), (INSTALLER, "GetArtifactStatus"), (INSTALLER, "GetPrimary"),
    (PROPERTIES, "Get"), (PROPERTIES, "GetAll"), (PROPERTIES, "Set"),
    ("org.freedesktop.DBus.Introspectable", "Introspect"), ("org.freedesktop.DBus.Peer", "GetMachineId"), ("", "Mark"),
)  # fmt: skip
PROBE = """
import asyncio, json, sys
from dbus_next import Message
from dbus_next.aio import MessageBus
# drop
async def main():
    bus = await MessageBus(bus_address=sys.argv[1]).connect()
    allowed = []
    for interface, member in json.loads(sys.stdin.read()):
        reply = await bus.call(Message(destination="de.pengutronix.rauc", path="/", interface=interface or None,
                                       member=member))
        if reply.error_name != "org.freedesktop.DBus.Error.AccessDenied":
            allowed.append([interface, member])
    own = await bus.call(Message(destination="org.freedesktop.DBus", path="/org/freedesktop/DBus",
        interface="org.freedesktop.DBus", member="RequestName", signature="su", body=["de.pengutronix.rauc", 4]))
    print(json.dumps([allowed, own.error_name is None]))
asyncio.run(main())
"""


@pytest.fixture
def policed_bus() -> Iterator[PrivateBus]:
    if os.geteuid() != 0:
        pytest.skip("needs root to try other users")
    policy = (FOLDER / f"{RAUC}.conf").read_text().split("<busconfig>")[1].split("</busconfig>")[0]
    for who, number in WHO.items():
        kind, _, name = who.partition(" ")
        policy = policy.replace(f'{kind}="{name}"', f'{kind}="{number}"')
    with tempfile.TemporaryDirectory(prefix="sc-") as name:
        Path(name).chmod(0o755)
        with PrivateBus(Path(name), BASE + policy) as bus:
            Path(name, "bus").chmod(0o777)
            yield bus


def table(who: str) -> list[list[str]]:
    """Return the methods that the reviewed table gives to somebody."""
    rows = {
        (interface, member) for user, name, interface, member in reviewed() if (user, name) == (who, RAUC)
    }
    return [
        [interface, member]
        for interface, member in METHODS
        if rows & {(interface, member), (interface, "*"), ("*", "*")}
    ]


@pytest.mark.parametrize("who", WHO)
async def test_each_may_call_what_the_table_says_and_nothing_else(who: str, policed_bus: PrivateBus) -> None:
    service = await Anything.on(policed_bus.address, RAUC)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROBE.replace("# drop", DROP), policed_bus.address, str(WHO[who]), str(WHO[who]),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(json.dumps(METHODS).encode()), 30)
    service.close()
    allowed, owns = json.loads(out)
    assert allowed == table(who)
    assert owns == (who == "user root")


def test_the_table_lets_nobody_but_the_update_daemon_and_root_install() -> None:
    installs = {
        user for user, name, _, member in reviewed() if name == RAUC and member in ("InstallBundle", "*")
    }
    assert installs == {"user smartcockpit-ota", "user root"}
