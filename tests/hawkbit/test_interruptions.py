# SPDX-License-Identifier: Apache-2.0
"""The real agent and a real hawkBit when somebody or something comes between them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from support.hawkbit import DEVICE
from support.real_unit import Fleet, RealUnit
from support.slow_lane import SlowLane

pytestmark = pytest.mark.timeout(300)
SIZE = 12_000_000


@pytest_asyncio.fixture
async def lane(fleet: Fleet) -> AsyncIterator[SlowLane]:
    made = SlowLane(fleet.hawkbit.port)
    await made.start()
    yield made
    await made.stop()


async def cancelled(fleet: Fleet, unit: RealUnit, action: int) -> None:
    await unit.until(lambda: fleet.ended(action) == "canceled")
    await unit.becomes("idle")
    assert fleet.finals(action) == ["canceled"]
    assert unit.disk()["primary"] == "A"
    assert not unit.wants_reboot()
    assert unit.record()[-1]["outcome"] == "cancelled"


async def test_cancel_while_the_user_is_asked(fleet: Fleet, unit: RealUnit) -> None:
    fleet.operator.confirmation_flow(True)
    try:
        unit.start_agent()
        action = fleet.assign()
        await unit.becomes("offered", "consent")
        fleet.cancel(action)
        await cancelled(fleet, unit, action)
    finally:
        fleet.operator.confirmation_flow(False)


async def test_cancel_while_downloading(fleet: Fleet, unit: RealUnit, lane: SlowLane) -> None:
    lane.rate = 2_000_000
    unit.through(lane.port)
    unit.start_agent()
    action = fleet.assign(pad=SIZE)
    await unit.becomes("downloading")
    await unit.until(lambda: lane.sent > 1_000_000)
    fleet.cancel(action)
    await cancelled(fleet, unit, action)
    assert lane.sent < SIZE


async def test_cancel_while_it_waits_for_the_car(fleet: Fleet, unit: RealUnit) -> None:
    unit.car.say(50.0, gear=127)
    unit.start_agent()
    action = fleet.assign()
    await unit.becomes("downloaded", "moving")
    await unit.until(lambda: any("50 km/h" in text for _, text in fleet.messages(action)))
    fleet.cancel(action)
    await cancelled(fleet, unit, action)


async def test_cancel_while_the_slot_is_written(fleet: Fleet, unit: RealUnit) -> None:
    unit.disk(fault="hangs")
    unit.start_agent()
    action = fleet.assign()
    await unit.becomes("installing")
    fleet.cancel(action)
    await unit.until(
        lambda: any(kind == "retrieved" and "cancel" in text for kind, text in fleet.messages(action))
    )
    unit.disk(fault="")
    await cancelled(fleet, unit, action)


async def test_cancel_while_the_reboot_waits_for_the_car(fleet: Fleet, unit: RealUnit) -> None:
    unit.disk(fault="hangs")
    unit.start_agent()
    action = fleet.assign()
    await unit.becomes("installing")
    unit.car.say(50.0, gear=127)
    unit.disk(fault="")
    await unit.becomes("installed", "moving")
    fleet.cancel(action)
    await cancelled(fleet, unit, action)


@pytest.mark.parametrize(("healthy", "end"), [(True, "finished"), (False, "error")])
async def test_cancel_on_trial_comes_too_late_and_the_true_result_follows(
    fleet: Fleet, unit: RealUnit, healthy: bool, end: str
) -> None:
    unit.start_agent()
    action = fleet.assign()
    await unit.until(unit.wants_reboot)
    unit.kill_agent()
    fleet.cancel(action)
    unit.reboot(healthy=healthy)
    await unit.until(lambda: fleet.ended(action) == end)
    await unit.becomes("idle")
    assert fleet.finals(action) == [end]
    assert unit.record()[-1]["outcome"] == ("success" if healthy else "failure")


async def test_forgotten_by_force(fleet: Fleet, unit: RealUnit) -> None:
    unit.hold()
    unit.start_agent()
    action = fleet.assign()
    await unit.becomes("downloaded", "inhibited")
    unit.kill_agent()  # so that it does not answer the cancel that comes before force
    fleet.cancel(action)
    fleet.cancel(action, force=True)
    unit.start_agent()
    await unit.until(lambda: bool(unit.record()))
    assert unit.record()[-1]["code"] == 212
    await unit.becomes("idle")


async def test_one_update_over_the_other(fleet: Fleet, unit: RealUnit) -> None:
    unit.hold()
    unit.start_agent()
    first = fleet.assign()
    await unit.becomes("downloaded", "inhibited")
    second = fleet.assign("1.2.0")
    await unit.until(lambda: fleet.ended(first) == "canceled")
    (unit.folder / "inhibit/test").unlink()
    await unit.until(unit.wants_reboot)
    unit.reboot()
    await unit.until(lambda: fleet.ended(second) == "finished")
    assert fleet.operator.installed(DEVICE) == ("1.2.0", "in_sync")
    assert [e["outcome"] for e in unit.record()] == ["cancelled", "success"]


async def test_killed_at_90_percent_at_most_one_mebibyte_comes_again(
    fleet: Fleet, unit: RealUnit, lane: SlowLane
) -> None:
    lane.rate = 8_000_000
    unit.through(lane.port)
    fleet.publish("1.1.0", SIZE)
    unit.start_agent()
    action = fleet.assign(pad=SIZE)
    folder = unit.folder / "state/download"

    def have() -> int:
        return max((path.stat().st_size for path in folder.glob("*.part")), default=0)

    await unit.until(lambda: have() > SIZE * 0.9)
    unit.kill_agent()
    unit.start_agent()
    await unit.until(unit.wants_reboot)
    assert lane.sent < SIZE + (1 << 20) + 400_000, "the rest is TLS and documents"
    unit.reboot()
    await unit.until(lambda: fleet.ended(action) == "finished")


async def test_a_line_that_is_cut_again_and_again(fleet: Fleet, unit: RealUnit, lane: SlowLane) -> None:
    lane.rate = 8_000_000
    unit.through(lane.port)
    unit.start_agent()
    action = fleet.assign(pad=SIZE)
    for part in range(1, 6):
        await unit.until(lambda part=part: lane.sent > SIZE * part / 6)  # type: ignore[misc]
        lane.cut()
    await unit.until(unit.wants_reboot)
    assert lane.sent < SIZE * 1.3
    unit.reboot()
    await unit.until(lambda: fleet.ended(action) == "finished")
    downloads = [text for kind, text in fleet.messages(action) if "Target downloads" in text]
    assert downloads == [], "requests with a Range leave no entry on the server"


async def test_killed_after_every_step_the_server_hears_one_true_end(fleet: Fleet, unit: RealUnit) -> None:
    action = fleet.assign()
    kills = 0
    while not unit.wants_reboot():
        unit.start_agent(f"step:{1 + kills % 3}")
        await unit.until(
            lambda: (unit.agent is not None and unit.agent.poll() is not None) or unit.wants_reboot()
        )
        kills += 1
        unit.kill_agent()
    unit.reboot()
    while not fleet.ended(action):
        unit.kill_agent()
        unit.start_agent(f"step:{1 + kills % 3}")
        await unit.until(
            lambda: (unit.agent is not None and unit.agent.poll() is not None) or bool(fleet.ended(action))
        )
        kills += 1
    unit.kill_agent()
    unit.start_agent()
    await unit.becomes("idle")
    assert kills > 5
    assert fleet.finals(action) == ["finished"]
    assert len(unit.record()) == 1
