# SPDX-License-Identifier: Apache-2.0
"""The D-Bus policy denies by default, equals the reviewed table, and a real bus daemon enforces it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from support.dbus_daemon import PrivateBus
from support.mini_vehicle import write_table

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "systemd/dbus-1/system.d"
FILES = sorted(FOLDER.glob("*.conf"))
Right = tuple[str, str, str, str]
OWNER, READER, OTHER_OWNER, STRANGER = 1, 2, 3, 65534
MEMBER = READER
"""Stand-ins for the live test, of users that every Debian has (the bus daemon refuses unknown ones): daemon as
smartcockpit-canbridge, the group of bin as smartcockpit, sys as smartcockpit-gnss, nobody as a stranger."""


BASE = """<policy context="default"><allow user="*"/><deny own="*"/><deny send_type="method_call"/>
      <allow send_type="signal"/><allow send_requested_reply="true" send_type="method_return"/>
      <allow send_requested_reply="true" send_type="error"/><allow receive_type="method_call"/>
      <allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/>
      <allow send_destination="org.freedesktop.DBus"/></policy>"""
"""What the system bus allows by itself."""


def rights_of(path: Path) -> set[Right]:
    rights: set[Right] = set()
    for policy in ET.parse(path).getroot().findall("policy"):
        if policy.get("context") == "default":
            assert not policy.findall("allow"), f"{path.name} allows something by default"
            continue
        (kind, name), *more = policy.attrib.items()
        assert not more
        for allow in policy.findall("allow"):
            who = f"{kind} {name}"
            if own := allow.get("own"):
                rights.add((who, own, "own", ""))
            elif sender := allow.get("receive_sender"):
                rights.add((who, sender, "signals", ""))
            else:
                interface = allow.get("send_interface", "*")
                rights.add((who, allow.attrib["send_destination"], interface, allow.get("send_member", "*")))
    return rights


def reviewed() -> set[Right]:
    rows = re.findall(r"^\| ((?:user|group) .*) \|$", (ROOT / "systemd/dbus-1/POLICY.md").read_text(), re.M)
    return {tuple(cell.strip() for cell in row.split("|")) for row in rows}  # type: ignore[misc]


def test_policy_files_equal_the_reviewed_table() -> None:
    assert set().union(*map(rights_of, FILES)) == reviewed()


@pytest.mark.parametrize("path", sorted(FOLDER.glob("org.smartcockpit.*")), ids=lambda p: p.name)
def test_readers_may_ask_every_name_for_its_signals(path: Path) -> None:
    assert ("group smartcockpit", path.stem, "org.smartcockpit.Signals1", "List") in rights_of(path)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.name)
def test_default_denies_owning_calling_and_listening(path: Path) -> None:
    name = path.stem
    (default,) = (p for p in ET.parse(path).getroot().findall("policy") if p.get("context") == "default")
    denied = [deny.attrib for deny in default.findall("deny")]
    assert {"own": name} in denied
    assert {"send_destination": name, "send_broadcast": "false"} in denied
    assert {"receive_sender": name, "receive_type": "signal"} in denied


PROBE = """
import asyncio, json, sys
from dbus_next import Message, Variant
from dbus_next.aio import MessageBus
# drop
NAME = "org.smartcockpit.CanBridge1"
CALLS = {
    "Get": ("/org/smartcockpit/Signals1", "org.smartcockpit.Signals1", "Get", "as", [["Vehicle.Speed"]]),
    "List": ("/org/smartcockpit/Signals1", "org.smartcockpit.Signals1", "List", "s", [""]),
    "Set": ("/org/smartcockpit/Signals1", "org.smartcockpit.Signals1", "Set", "a{sv}", [{}]),
    "GetAll": ("/org/smartcockpit/CanBridge1", "org.freedesktop.DBus.Properties", "GetAll", "s", [NAME]),
    "Properties.Set": ("/org/smartcockpit/CanBridge1", "org.freedesktop.DBus.Properties", "Set", "ssv", None),
    "Ping": ("/", "org.freedesktop.DBus.Peer", "Ping", "", []),
    "NoInterface": ("/org/smartcockpit/Signals1", None, "Set", "a{sv}", [{}]),
}
async def main():
    bus = await MessageBus(bus_address=sys.argv[1]).connect()
    found = {}
    for word, (path, interface, member, signature, body) in CALLS.items():
        body = [NAME, "Vehicle", Variant("s", "x")] if body is None else body
        reply = await bus.call(Message(destination=NAME, path=path, interface=interface, member=member,
                                       signature=signature, body=body))
        found[word] = (reply.error_name or "ok").rpartition(".")[2]
    for name in ("org.smartcockpit.CanBridge1",):
        reply = await bus.call(Message(destination="org.freedesktop.DBus", path="/org/freedesktop/DBus",
            interface="org.freedesktop.DBus", member="RequestName", signature="su", body=[name, 4]))
        found["own"] = (reply.error_name or "ok").rpartition(".")[2]
    print(json.dumps(found))
asyncio.run(main())
"""


@pytest.fixture
def policed_bus():
    if os.geteuid() != 0:
        pytest.skip("needs root to try other users")
    policy = ""
    for path in FILES:
        policy += path.read_text().split("<busconfig>")[1].split("</busconfig>")[0]
    policy = policy.replace('"smartcockpit-canbridge"', f'"{OWNER}"').replace('"smartcockpit"', f'"{MEMBER}"')
    policy = policy.replace('"smartcockpit-gnss"', f'"{OTHER_OWNER}"')
    with tempfile.TemporaryDirectory(prefix="sc-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with PrivateBus(folder, BASE + policy) as bus:
            (folder / "bus").chmod(0o777)
            yield folder, bus


DROP = """
import os, sys
uid, groups = int(sys.argv[2]), [int(g) for g in sys.argv[3:]]
if uid:
    os.setgroups(groups)
    os.setgid(uid)
    os.setuid(uid)
del sys.argv[2:]
"""
BRIDGE = (
    """
import contextlib, importlib, inspect, linecache, pkgutil, textwrap, tomllib._parser
import smartcockpit.adapters, smartcockpit.bus, smartcockpit.core, smartcockpit.runtime
for package in smartcockpit.adapters, smartcockpit.bus, smartcockpit.core, smartcockpit.runtime:
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        with contextlib.suppress(ImportError):  # of what is not on every machine
            importlib.import_module(module.name)
import smartcockpit.daemons.canbridge.__main__ as bridge
"""
    + DROP
    + """
sys.argv[1:] = []
sys.exit(bridge.main())
"""
)
# Rights are dropped after the imports, those that runtime/lean.py defers and those of the compiled table included:
# the interpreter may lie in a folder that only root can read.


def probe(address: str, uid: int, *groups: int) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE.replace("# drop", DROP), address, str(uid), *map(str, groups)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_real_bus_daemon_enforces_it(policed_bus) -> None:
    folder, bus = policed_bus
    table = write_table(folder / "tables/mini.py")
    (folder / "canbridge.toml").write_text(f'vehicle = "{table}"\n')
    environment = bus.environment | {"SMARTCOCKPIT_CONFIG_PATH": str(folder)}
    (folder / "canbridge.toml").chmod(0o644)
    bridge = subprocess.Popen([sys.executable, "-c", BRIDGE, "", str(OWNER)], env=environment)
    try:
        readers = wait_until_served(bus.address)
        denied = "AccessDenied"
        assert readers == {
            "Get": "ok", "List": "ok", "Set": denied, "GetAll": "ok", "Properties.Set": denied, "Ping": "ok",
            "NoInterface": denied, "own": denied,
        }  # fmt: skip
        assert set(probe(bus.address, STRANGER).values()) == {denied}
        root = probe(bus.address, 0)
        assert [word for word, reply in root.items() if reply == denied] == ["own"]
    finally:
        bridge.terminate()
        bridge.wait(5)


LISTENER = """
import asyncio, sys
from dbus_next import Message
from dbus_next.aio import MessageBus
# drop
DBUS = dict(destination="org.freedesktop.DBus", path="/org/freedesktop/DBus", interface="org.freedesktop.DBus")
RULE = "type='signal',interface='org.smartcockpit.Signals1'"
async def main():
    bus = await MessageBus(bus_address=sys.argv[1]).connect()
    heard = asyncio.Event()
    bus.add_message_handler(lambda message: heard.set() if message.member == "Changed" else None)
    await bus.call(Message(**DBUS, member="AddMatch", signature="s", body=[RULE]))
    own = Message(**DBUS, member="RequestName", signature="su", body=["org.smartcockpit.Gnss1", 4])
    print((await bus.call(own)).body, flush=True)
    await asyncio.wait_for(heard.wait(), 20)
asyncio.run(main())
"""


def test_an_owner_of_a_name_hears_the_signals_of_other_daemons(policed_bus) -> None:
    """A plain deny of send_destination would keep broadcasts, too, from whoever owns the name."""
    folder, bus = policed_bus
    table = write_table(folder / "tables/mini.py")
    (folder / "canbridge.toml").write_text(f'vehicle = "{table}"\n')
    environment = bus.environment | {"SMARTCOCKPIT_CONFIG_PATH": str(folder)}
    (folder / "canbridge.toml").chmod(0o644)
    words = [
        sys.executable,
        "-c",
        LISTENER.replace("# drop", DROP),
        bus.address,
        str(OTHER_OWNER),
        str(MEMBER),
    ]
    listener = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert listener.stdout is not None
    assert listener.stdout.readline() == b"[1]\n"
    bridge = subprocess.Popen([sys.executable, "-c", BRIDGE, "", str(OWNER)], env=environment)
    try:
        assert listener.wait(25) == 0
    finally:
        listener.kill()
        bridge.terminate()
        bridge.wait(5)
        listener.communicate()


def wait_until_served(address: str) -> dict[str, str]:
    for _ in range(20):
        found = probe(address, READER, MEMBER)
        if found["Ping"] == "ok":
            return found
    return found
