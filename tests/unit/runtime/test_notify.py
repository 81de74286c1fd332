# SPDX-License-Identifier: Apache-2.0
"""sd_notify over a real datagram socket."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from smartcockpit.runtime.daemon import Life
from smartcockpit.runtime.notify import Notifier, watchdog_interval_ns


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.setblocking(False)
        yield sock


def test_ready_and_status_reach_the_manager(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    notifier.ready("two\nbuses")
    notifier.stopping()
    assert manager.recv(200) == b"READY=1\nSTATUS=two buses"
    assert manager.recv(200) == b"STOPPING=1"
    notifier.close()
    notifier.alive()


def test_abstract_address_is_understood() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        name = f"smartcockpit-test-{os.getpid()}"
        sock.bind("\0" + name)
        notifier = Notifier({"NOTIFY_SOCKET": "@" + name})
        notifier.alive()
        assert sock.recv(50) == b"WATCHDOG=1"
        notifier.close()


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/at/all"])
def test_without_a_manager_nothing_happens(address: str) -> None:
    Notifier({"NOTIFY_SOCKET": address}).ready("x")


@pytest.mark.parametrize(
    ("environment", "interval"),
    [
        ({"WATCHDOG_USEC": "10000000"}, 5_000_000_000),
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"}, 0),
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": str(os.getpid())}, 5_000_000_000),
        ({}, 0),
        ({"WATCHDOG_USEC": "x"}, 0),
    ],
)
def test_watchdog_interval_is_half_the_managers_patience(environment: dict[str, str], interval: int) -> None:
    assert watchdog_interval_ns(environment) == interval


def test_alive_is_sent_only_when_due(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "60000000"})
    life = Life(notifier)
    for _ in range(5):
        life.alive()
    assert manager.recv(50) == b"WATCHDOG=1"
    with pytest.raises(BlockingIOError):
        manager.recv(50)
    notifier.close()
