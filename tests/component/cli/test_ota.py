# SPDX-License-Identifier: Apache-2.0
"""`cockpitctl ota` as a process, against an update agent made of paper."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.declare import notify
from smartcockpit.bus.interfaces.ota1 import AvailableUpdate, Ota1, ServerStatus
from smartcockpit.core.errors import UsageError
from support.dbus_daemon import PrivateBus


class PaperOta(Ota1):
    """org.smartcockpit.Ota1 that notes what it is asked for."""

    version = "1.2.3"
    state = "downloaded"
    progress = 0
    waiting = "moving"
    waiting_text = "the car moves at 50 km/h"
    update = AvailableUpdate(
        id="7", version="1.1.0", running="1.0.0", from_server=True, changes="a\nb\x1b[2J"
    )
    server = ServerStatus(url="https://updates.example.org", answered=1)

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def check(self) -> None:
        self.asked.append("check")

    def install(self, path: str) -> None:
        self.asked.append(path)

    def consent(self, id: str, agreed: bool) -> None:
        self.asked.append((id, agreed))

    def cancel(self) -> None:
        raise UsageError("it is too late to cancel it")

    def history(self, count: int) -> list[dict[str, str]]:
        entry = {
            "time": "1", "from": "0.9.0", "to": "1.0.0", "outcome": "failure", "code": "510",
            "text": "fell back", "broken": "3",
        }  # fmt: skip
        return [entry] * min(count, 2)


@pytest.fixture
async def ota(dbus: PrivateBus) -> AsyncIterator[PaperOta]:
    bus = BusConnection(dbus.address, "org.smartcockpit.Ota1")
    made = PaperOta()
    bus.export(made)
    await bus.connect()
    yield made
    await bus.close()


async def test_status_for_people_and_for_programs(ota: PaperOta, cockpitctl: Any) -> None:
    done = await cockpitctl("ota", "status")
    assert "downloaded  1.0.0 → 1.1.0  waits: the car moves at 50 km/h" in done.out
    assert "\x1b" not in done.out
    found = json.loads((await cockpitctl("ota", "status", "--json")).out)
    assert found["update"]["id"] == "7"
    assert (found["waiting"], found["server"]["answered_us"]) == ("moving", 1)


async def test_watch_prints_a_line_for_each_change(ota: PaperOta, cockpitctl: Any) -> None:
    process = await cockpitctl.start("ota", "status", "--watch", "--json")
    first = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    ota.state, ota.progress = "installing", 40  # type: ignore[method-assign]
    notify(ota, "state", "progress")
    second = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
    process.kill()
    await process.communicate()
    assert (first["state"], second["state"], second["progress"]) == ("downloaded", "installing", 40)


async def test_what_is_asked_for_arrives(ota: PaperOta, cockpitctl: Any, tmp_path: Path) -> None:
    bundle = tmp_path / "a.raucb"
    bundle.touch()
    for words in (["check"], ["install", str(bundle)], ["consent"], ["consent", "8", "--no"]):
        assert (await cockpitctl("ota", *words)).code == 0
    assert ota.asked == ["check", str(bundle), ("7", True), ("8", False)]


async def test_errors_are_one_sentence_with_the_exit_code(ota: PaperOta, cockpitctl: Any) -> None:
    done = await cockpitctl("ota", "cancel")
    assert (done.code, done.err) == (2, "cockpitctl: it is too late to cancel it\n")
    assert (await cockpitctl("ota", "install", "/nonexistent")).code == 2


async def test_history(ota: PaperOta, cockpitctl: Any) -> None:
    done = await cockpitctl("ota", "history")
    assert "fell back" in done.out
    assert "from line 3 on" in done.out
    found = json.loads((await cockpitctl("ota", "history", "--json", "--count", "1")).out)
    assert found[0]["code"] == 510
    assert found[0]["time_us"] == 1


async def test_without_the_agent_it_says_so(cockpitctl: Any) -> None:
    done = await cockpitctl("ota", "status")
    assert done.code == 69
    assert "Hint: is the service" in done.err
