# SPDX-License-Identifier: Apache-2.0
"""What a stranger sees with busctl and gdbus."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest
from support.dbus_daemon import PrivateBus

if TYPE_CHECKING:
    from component.bus.conftest import Service

NAME, BRIDGE = "org.smartcockpit.CanBridge1", "/org/smartcockpit/CanBridge1"
PATH, SIGNALS = "/org/smartcockpit/Signals1", "org.smartcockpit.Signals1"


async def start(daemon: PrivateBus, *command: str) -> asyncio.subprocess.Process:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed (busctl: systemd, gdbus: libglib2.0-bin)")
    return await asyncio.create_subprocess_exec(
        *command,
        env=daemon.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(daemon: PrivateBus, *command: str) -> tuple[int, str]:
    process = await start(daemon, *command)
    out, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode is not None
    return process.returncode, out.decode() + err.decode()


def busctl(daemon: PrivateBus, *arguments: str) -> Sequence[str]:
    return ("busctl", f"--address={daemon.address}", "--no-pager", *arguments)


def gdbus(daemon: PrivateBus, verb: str, *arguments: str) -> Sequence[str]:
    return ("gdbus", verb, "--address", daemon.address, "--dest", NAME, *arguments)


async def test_busctl_shows_members_with_types_and_values(daemon: PrivateBus, service: Service) -> None:
    _, text = await run(daemon, *busctl(daemon, "introspect", NAME, BRIDGE, NAME))
    assert ".Version" in text
    assert '"1.2.3"' in text
    assert "const" in text
    assert "a{sa{sv}}" in text
    assert '"State" s "error-active"' in text
    _, text = await run(daemon, *busctl(daemon, "introspect", NAME, PATH))
    assert ".Changed" in text
    assert "sa(svyt)" in text


async def test_gdbus_shows_argument_names_and_documentation(daemon: PrivateBus, service: Service) -> None:
    _, text = await run(daemon, *gdbus(daemon, "introspect", "--object-path", PATH))
    assert "in  as paths" in text
    assert "out a(svyt) readings" in text
    assert "org.gtk.GDBus.DocString" in text


async def test_busctl_tree_finds_the_objects(daemon: PrivateBus, service: Service) -> None:
    _, text = await run(daemon, *busctl(daemon, "tree", "--list", NAME))
    assert {PATH, BRIDGE} <= set(text.split())


async def test_busctl_and_gdbus_call_get(daemon: PrivateBus, service: Service) -> None:
    service.publisher.publish([(0, 42.5, 3, 1234)])
    code, text = await run(
        daemon, *busctl(daemon, "call", NAME, PATH, SIGNALS, "Get", "as", "1", "Vehicle.Speed")
    )
    assert (code, text) == (0, 'a(svyt) 1 "Vehicle.Speed" d 42.5 3 1234\n')
    code, text = await run(
        daemon,
        *gdbus(daemon, "call", "--object-path", PATH, "--method", f"{SIGNALS}.Get", '["Vehicle.Cabin.Gear"]'),
    )
    assert (code, text) == (0, "([('Vehicle.Cabin.Gear', <''>, byte 0x00, uint64 0)],)\n")


async def test_both_show_message_and_hint_of_an_error(daemon: PrivateBus, service: Service) -> None:
    wanted = "unknown signal 'Vehicle.Sped'. Hint: did you mean 'Vehicle.Speed'?"
    code, text = await run(
        daemon, *busctl(daemon, "call", NAME, PATH, SIGNALS, "Get", "as", "1", "Vehicle.Sped")
    )
    assert code != 0
    assert wanted in text
    code, text = await run(
        daemon,
        *gdbus(daemon, "call", "--object-path", PATH, "--method", f"{SIGNALS}.Get", "['Vehicle.Sped']"),
    )
    assert code != 0
    assert wanted in text
    assert "org.smartcockpit.Error.UnknownSignal" in text


async def test_busctl_subscribes_to_a_branch_and_hears_no_other(daemon: PrivateBus, service: Service) -> None:
    rule = f"type='signal',interface='{SIGNALS}',arg0namespace='Vehicle.Cabin'"
    watcher = await start(daemon, *busctl(daemon, "monitor", "--json=short", f"--match={rule}"))
    assert watcher.stdout is not None
    heard = ""
    for value in range(400):  # until the monitor listens
        service.publisher.publish([(0, float(value), 3, 1), (1, bool(value % 2), 3, 1)])
        try:
            heard = (await asyncio.wait_for(watcher.stdout.readline(), 0.05)).decode()
        except TimeoutError:
            continue
        if "Changed" in heard:
            break
    watcher.kill()
    await watcher.communicate()
    assert "Vehicle.Cabin.Door.IsOpen" in heard
    assert "Vehicle.Speed" not in heard


async def test_gdbus_monitor_hears_changes(daemon: PrivateBus, service: Service) -> None:
    watcher = await start(daemon, "stdbuf", "-oL", *gdbus(daemon, "monitor", "--object-path", PATH))
    assert watcher.stdout is not None
    heard = ""
    for value in range(400):
        service.publisher.publish([(0, float(value), 3, 1)])
        try:
            heard = (await asyncio.wait_for(watcher.stdout.readline(), 0.05)).decode()
        except TimeoutError:
            continue
        if "Changed" in heard:
            break
    watcher.kill()
    await watcher.communicate()
    assert heard.startswith(f"{PATH}: {SIGNALS}.Changed ('Vehicle', [('Vehicle.Speed', <")
