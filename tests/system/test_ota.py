# SPDX-License-Identifier: Apache-2.0
"""Updates from the server to its final answer: the box's own agent, RAUC, boot loader and health gate.

The server is the simulated hawkBit on the host, over TLS. One box, in the order of the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from smartcockpit_bench.beside import ParkedCar
from smartcockpit_bench.bundle.samples import CRASHES, whole
from smartcockpit_bench.hawkbit.desk import DEVICE, Desk, status
from smartcockpit_bench.hawkbit.model import Action, Entry
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.unit import BrokenError, is_up, judged, slot, starts, until

from .conftest import image

GOOD, CRASHING = "8.0.0", "8.1.0"
PATIENCE_S = 240.0
FELL_BACK = 510
OTHER_SLOT = "head -c 1M /dev/disk/by-partlabel/rootfs-b | tr -d '\\0' | wc -c"


class Setting(NamedTuple):
    box: Box
    car: ParkedCar
    desk: Desk


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    """A unit in a parked car that has been in use, and that knows its server."""
    image("dev")
    folder = tmp_path_factory.mktemp("ota")
    with Desk(folder) as desk, Box(server_port=desk.port) as box, ParkedCar(box) as car:
        is_up(box)
        desk.introduce(box)
        judged(box)
        yield Setting(box, car, desk)
        assert box.power_off(90), "the guest did not shut down by the power button"


def waits(scene: Setting, condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition; if it does not come true, say what the unit says."""
    try:
        until(condition, what, PATIENCE_S)
    except BrokenError as error:
        box = scene.box
        box.agent.close()
        said = box.agent.sh(
            "journalctl -b -u 'smartcockpit-ota*' -u rauc -u smartcockpit-health --no-pager | tail -60"
        )
        raise AssertionError(f"{error}\n{status(box)}\n{said}") from error


def reaches(scene: Setting, state: str, waiting: str) -> dict[str, Any]:
    """Wait for a state and a reason to wait; return all that the agent says then."""
    found: dict[str, Any] = {}

    def there() -> bool:
        found.clear()
        found.update(status(scene.box))
        return (found.get("State"), found.get("Waiting")) == (state, waiting)

    waits(scene, there, f"{state}, waiting for {waiting},")
    return found


def boots(scene: Setting, count: int) -> None:
    """Wait until slots were started that often, and the last one is up."""
    waits(scene, lambda: starts(scene.box) >= count, f"start {count} of a slot")
    is_up(scene.box)


def final(scene: Setting, action: Action) -> Entry:
    """Wait for the action's end; return the one final answer."""
    waits(scene, lambda: not action.status.active, "the final answer")
    (answer,) = action.finals
    return answer


def update(scene: Setting, action: Action) -> None:
    """Have the user agree once the update is offered."""
    reaches(scene, "offered", "consent")
    scene.box.agent.run("cockpitctl", "ota", "consent")


def tells(desk: Desk, version: str) -> None:
    """Wait until the unit has told the server that it runs `version`; hawkBit asks for it after an action."""

    def told() -> bool:
        return desk.model.attributes.get(DEVICE, {}).get("version") == version

    until(told, f"version {version} among the attributes of the unit", PATIENCE_S)


def environment(box: Box) -> dict[str, str]:
    return dict(line.split("=", 1) for line in box.agent.sh("fw_printenv").splitlines() if "=" in line)


def history(scene: Setting) -> dict[str, Any]:
    """Return the newest line of the update record."""
    return dict(json.loads(scene.box.agent.run("cockpitctl", "ota", "history", "--json").out)[0])


def test_success_is_told_after_the_new_version_has_proved_itself(scene: Setting, tmp_path: Path) -> None:
    box, car, desk = scene
    car.source.faults.values["Vehicle.Speed"] = 30.0
    action = desk.offer(box, whole(tmp_path / "good.raucb", GOOD), GOOD)
    update(scene, action)
    offered = reaches(scene, "downloaded", "moving")
    assert offered["Update"]["Minutes"] > 0
    assert box.agent.sh(OTHER_SLOT).strip() == "0", "it was written while the car moved"
    before = starts(box)
    car.source.faults.values.clear()
    boots(scene, before + 1)
    answer = final(scene, action)
    assert (answer.execution, answer.finished, answer.code) == ("closed", "success", 200), answer
    tells(desk, GOOD)
    assert environment(box) == {"BOOT_ORDER": "B A", "BOOT_A_LEFT": "f", "BOOT_B_LEFT": "f"}
    verdict = judged(box)
    assert (slot(box), verdict["verdict"], verdict["trial"], verdict["version"]) == ("B", "good", True, GOOD)
    told = [entry.execution for entry in action.entries]
    assert told[0] == "confirmed"
    assert {"download", "downloaded", "scheduled", "proceeding"} <= set(told)
    kept = history(scene)
    assert (kept["outcome"], kept["to"], kept["consent"]) == ("success", GOOD, "given")


def test_a_version_that_falls_back_is_told_as_failure_with_the_reason(scene: Setting, tmp_path: Path) -> None:
    box, _, desk = scene
    before = starts(box)
    action = desk.offer(box, whole(tmp_path / "crashes.raucb", CRASHING, CRASHES), CRASHING)
    update(scene, action)
    boots(scene, before + 2)
    answer = final(scene, action)
    assert (answer.execution, answer.finished, answer.code) == ("closed", "failure", FELL_BACK)
    assert "smartcockpit-canbridge.service" in " ".join(answer.details)
    assert slot(box) == "B"
    tells(desk, GOOD)
    shown = json.loads(box.agent.run("cockpitctl", "health", "--json", check=False).out)
    assert (shown["fell_back"]["slot"], shown["fell_back"]["version"]) == ("A", CRASHING)
    kept = history(scene)
    assert (kept["outcome"], kept["from"], kept["to"], kept["code"]) == ("failure", GOOD, CRASHING, FELL_BACK)
