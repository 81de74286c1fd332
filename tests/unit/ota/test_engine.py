# SPDX-License-Identifier: Apache-2.0
"""The real engine on a paper unit: whatever happens in whatever order, the invariants of an update hold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smartcockpit.bus.rauc import BundleError, InstallerDiedError
from smartcockpit.core.update.codes import Phase, Waiting
from smartcockpit.core.update.decide import Ask
from smartcockpit.core.update.gate import Block
from smartcockpit.core.update.steps import TRIES
from smartcockpit.daemons.ota import wishes
from smartcockpit.daemons.ota.given import Pace
from smartcockpit_bench.hawkbit.model import Action, Hawkbit, Status
from support.paper_unit import DEVICE, Killed, PaperUnit, bundle, is_newer

MOVING = Block(Waiting.MOVING, "the car moves at 50 km/h")


def unit(**given: object) -> tuple[Hawkbit, PaperUnit]:
    server = Hawkbit()
    return server, PaperUnit(server, **given)  # type: ignore[arg-type]


def final(action: Action) -> tuple[str, str]:
    (entry,) = action.finals
    return entry.execution, entry.finished


async def test_success_is_told_only_after_the_new_system_has_proven_itself() -> None:
    server, car = unit()
    action = server.assign(DEVICE, bundle("1.1.0"))
    await car.turns()
    assert car.reboot_wanted
    assert action.finals == []
    assert car.disk.trial is not None
    assert (car.disk.trial["slot"], car.disk.trial["version"]) == ("B", "1.1.0")
    await car.boot()
    await car.turns()
    assert car.running == "1.1.0"
    assert final(action) == ("closed", "success")
    assert [e["outcome"] for e in car.disk.record] == ["success"]
    assert car.disk.trial is None
    assert car.engine.update.phase is Phase.IDLE


async def test_a_fall_back_is_told_as_failure_with_reason_and_true_version() -> None:
    server, car = unit()
    old, action = server.assign(DEVICE, bundle("1.0.0")), server.assign(DEVICE, bundle("1.1.0"))
    server.force_quit(old)
    await car.turns()
    await car.boot(healthy=False)
    await car.turns()
    assert car.running == "1.0.0"
    assert final(action) == ("closed", "failure")
    assert "bus: dead" in action.finals[0].details[0]
    assert server.installed[DEVICE] == [("smartcockpit", "1.0.0")]


async def test_the_same_action_offered_again_gets_the_same_answer_and_no_second_installation() -> None:
    server, car = unit()
    action = server.assign(DEVICE, bundle("1.1.0"))
    await car.turns()
    await car.boot()
    await car.turns()
    action.status = Status.RUNNING  # a server that lost what it had heard
    written = list(car.written)
    await car.turns()
    assert [e.finished for e in action.finals] == ["success", "success"]
    assert car.written == written
    assert len(car.disk.record) == 1


@pytest.mark.parametrize(
    ("offered", "words"), [("0.9.0", "older than 1.0.0"), ("1.0.0-rc.1", "older than 1.0.0")]
)
async def test_a_downgrade_is_refused(offered: str, words: str) -> None:
    server, car = unit()
    action = server.assign(DEVICE, bundle(offered))
    await car.turns()
    assert final(action) == ("closed", "failure")
    assert words in action.finals[0].details[0]
    assert car.written == []


async def test_a_downgrade_hidden_behind_another_label_is_refused() -> None:
    server, car = unit()
    mislabelled = bundle("0.9.0")
    mislabelled.version = "2.0.0"
    action = server.assign(DEVICE, mislabelled)
    await car.turns()
    assert final(action) == ("closed", "failure")
    assert car.written == []


async def test_a_bundle_for_another_board_is_refused() -> None:
    server, car = unit()
    action = server.assign(DEVICE, bundle("1.1.0", compatible="toaster"))
    await car.turns()
    assert "'toaster'" in action.finals[0].details[0]
    assert car.written == []


async def test_the_version_that_runs_already_is_success_without_installation() -> None:
    server, car = unit()
    action = server.assign(DEVICE, bundle("1.0.0"))
    await car.turns()
    assert final(action) == ("closed", "success")
    assert car.written == []


async def test_a_moving_car_is_neither_written_nor_rebooted_and_the_server_is_told_why() -> None:
    server, car = unit()
    car.gate = MOVING
    action = server.assign(DEVICE, bundle("1.1.0"))
    await car.turns()
    assert car.engine.next.waiting is Waiting.MOVING
    assert car.written == []
    assert any("50 km/h" in text for e in action.entries for text in e.details)
    car.gate = Block()
    car.install_fault = lambda: setattr(car, "gate", MOVING)  # it drives off while the slot is written
    await car.turns()
    assert car.engine.update.phase is Phase.INSTALLED
    assert not car.reboot_wanted
    car.gate = Block()
    await car.turns()
    assert car.reboot_wanted


# ---- the twelve orders of events -------------------------------------------------------------------------


async def cancelled_in(car: PaperUnit, server: Hawkbit, action: Action) -> None:
    server.cancel(action)
    await car.turns()


async def test_cancel_1_offered() -> None:
    server, car = unit()
    server.confirmation_flow = True
    action = server.assign(DEVICE, bundle("1.1.0"))
    await car.turns()
    await cancelled_in(car, server, action)
    assert action.status is Status.CANCELED


async def test_cancel_2_waiting_for_the_car() -> None:
    server, car = unit()
    car.gate = MOVING
    action = server.assign(DEVICE, bundle("1.1.0"))
    await car.turns()
    await cancelled_in(car, server, action)
    assert action.status is Status.CANCELED
    assert car.disk.bundles == {}


async def test_cancel_3_downloading() -> None:
    server, car = unit()
    car.online = False
    action = server.assign(DEVICE, bundle("1.1.0"))
    car.online = True
    car.engine.poll_at_s = 0
    await car.engine.turn()  # offered, its download has begun
    assert car.engine.update.phase is Phase.DOWNLOADING
    await cancelled_in(car, server, action)
    assert action.status is Status.CANCELED
    assert car.written == []


async def test_cancel_4_installing_is_taken_back_before_it_is_confirmed() -> None:
    server, car = unit()
    action = server.assign(DEVICE, bundle("1.1.0"))
    car.install_fault = lambda: server.cancel(action)
    await car.turns()
    assert action.status is Status.CANCELED
    assert car.primary == "A"
    assert not car.reboot_wanted


async def test_cancel_5_installed_and_waiting_for_the_reboot() -> None:
    server, car = unit()
    action = server.assign(DEVICE, bundle("1.1.0"))
    car.install_fault = lambda: setattr(car, "gate", MOVING)
    await car.turns()
    assert car.primary == "B"
    await cancelled_in(car, server, action)
    assert (action.status, car.primary) == (Status.CANCELED, "A")


async def test_cancel_6_on_trial_is_rejected_and_the_truth_follows() -> None:
    server, car = unit()
    action = server.assign(DEVICE, bundle("1.1.0"))
    await car.turns()
    await car.boot()
    verdict, car.verdict_ = car.verdict_, None
    await car.turns()
    assert car.engine.update.phase is Phase.TRIAL
    await cancelled_in(car, server, action)
    assert action.status is Status.RUNNING
    assert action.entries[-1].execution in ("rejected", "scheduled")
    car.verdict_ = verdict
    await car.turns()
    assert action.status is Status.FINISHED


async def test_soft_becomes_forced() -> None:
    server, car = unit(pace=Pace(ask=Ask.SOFT, retry_first_s=0.0, retry_last_s=0.0))
    action = server.assign(DEVICE, bundle("1.1.0"), forced=False)
    await car.turns()
    assert car.engine.next.waiting is Waiting.CONSENT
    action.forced = True
    await car.turns()
    assert car.reboot_wanted


async def test_a_second_deployment_takes_the_place_of_the_first() -> None:
    server, car = unit()
    car.gate = MOVING
    first = server.assign(DEVICE, bundle("1.1.0"))
    await car.turns()
    second = server.assign(DEVICE, bundle("1.2.0"))
    await car.turns()
    assert first.status is Status.CANCELED
    car.gate = Block()
    await car.turns()
    await car.boot()
    await car.turns()
    assert (second.status, car.running) == (Status.FINISHED, "1.2.0")


async def test_a_maintenance_window_that_closes_stops_the_installation() -> None:
    server, car = unit()
    action = server.assign(DEVICE, bundle("1.1.0"), window=False)
    await car.turns()
    assert car.engine.next.waiting is Waiting.WINDOW
    car.gate = MOVING
    action.window = True
    await car.turns()
    assert car.engine.next.waiting is Waiting.MOVING
    action.window, car.gate = False, Block()
    await car.turns()
    assert (car.engine.next.waiting, car.written) == (Waiting.WINDOW, [])
    action.window = True
    await car.turns()
    assert car.reboot_wanted


async def test_a_maintenance_window_that_closes_while_the_slot_is_written_holds_the_reboot() -> None:
    server, car = unit()
    action = server.assign(DEVICE, bundle("1.1.0"), window=True)
    car.install_fault = lambda: setattr(action, "window", False)
    await car.turns()
    assert (car.engine.update.phase, car.engine.next.waiting) == (Phase.INSTALLED, Waiting.WINDOW)
    assert not car.reboot_wanted
    action.window = True
    await car.turns()
    assert car.reboot_wanted


async def test_declined_stays_open_on_the_server_until_the_user_agrees() -> None:
    server, car = unit()
    server.confirmation_flow = True
    action = server.assign(DEVICE, bundle("1.1.0"))
    await car.turns()
    assert car.engine.next.waiting is Waiting.CONSENT
    wishes.consent(car.engine, "1", False)
    await car.turns()
    assert [e.execution for e in action.entries] == ["denied"]
    assert car.engine.next.waiting is Waiting.DECLINED
    wishes.consent(car.engine, "1", True)
    await car.turns()
    assert car.reboot_wanted


async def test_a_local_refusal_closes_the_action() -> None:
    server, car = unit(pace=Pace(ask=Ask.ALWAYS, retry_first_s=0.0, retry_last_s=0.0))
    action = server.assign(DEVICE, bundle("1.1.0"))
    await car.turns()
    wishes.consent(car.engine, "1", False)
    await car.turns()
    assert final(action) == ("closed", "failure")


@pytest.mark.parametrize("gate", [MOVING, Block()])
async def test_an_action_that_is_gone_leaves_nothing_behind(gate: Block) -> None:
    server, car = unit()
    action = server.assign(DEVICE, bundle("1.1.0"))
    car.gate = gate
    car.install_fault = lambda: setattr(car, "gate", MOVING)
    await car.turns()
    server.force_quit(action)
    await car.turns()
    assert (car.engine.update.phase, car.primary, action.finals) == (Phase.IDLE, "A", [])
    assert [e["outcome"] for e in car.disk.record] == ["cancelled"]


async def test_download_only_is_closed_by_downloaded_and_kept_for_later() -> None:
    server, car = unit()
    action = server.assign(DEVICE, bundle("1.1.0"), download_only=True)
    await car.turns()
    assert action.status is Status.DOWNLOADED
    assert list(car.disk.bundles) == [action.bundle.sha256]
    assert car.written == []


# ---- the installer's faults ------------------------------------------------------------------------------


async def test_an_installer_that_dies_is_tried_again_and_then_told() -> None:
    server, car = unit()

    def die() -> None:
        raise InstallerDiedError("RAUC ended in the middle")

    car.install_fault = die
    action = server.assign(DEVICE, bundle("1.1.0"))
    await car.turns(60)
    assert len(car.written) == TRIES
    assert final(action) == ("closed", "failure")


async def test_what_the_installer_says_reaches_the_server() -> None:
    server, car = unit()

    def fail() -> None:
        raise BundleError("Bundle is corrupt: block 7")

    car.install_fault = fail
    action = server.assign(DEVICE, bundle("1.1.0"))
    await car.turns()
    assert "block 7" in action.finals[0].details[0]


async def test_a_broken_bundle_is_refused() -> None:
    server, car = unit()
    broken = bundle("1.1.0")
    broken.data = b"\0" * 100
    broken.__post_init__()
    action = server.assign(DEVICE, broken)
    await car.turns()
    assert "signature verification failed" in action.finals[0].details[0]


async def test_a_certificate_that_is_not_valid_yet_is_waited_for_while_the_clock_is_lost() -> None:
    server, car = unit(pace=Pace(retry_first_s=60.0, retry_last_s=60.0))
    action = server.assign(DEVICE, bundle("1.1.0"))
    await car.engine.turn()
    car.clock_lost = lambda: True  # type: ignore[method-assign]
    car.online, car.fault = False, "clock"
    for _ in range(3):
        await asyncio.sleep(0)
        await car.engine.turn()
    assert car.engine.next.waiting is Waiting.CLOCK
    assert action.finals == []


async def test_a_full_disk_is_waited_for() -> None:
    server, car = unit()
    car.disk.full = True
    action = server.assign(DEVICE, bundle("1.1.0"))
    await car.turns(5)
    assert car.written == []
    car.disk.full = False
    await car.turns()
    await car.boot()
    await car.turns()
    assert action.status is Status.FINISHED


async def test_a_file_goes_the_same_way_and_the_server_is_told_what_runs() -> None:
    server, car = unit()
    known = server.assign(DEVICE, bundle("1.1.0"))
    server.force_quit(known)
    await car.turns()
    wishes.install_file(car.engine, bundle("1.1.0").data.decode())
    car.gate = MOVING
    await car.turns()
    assert car.written == []
    car.gate = Block()
    await car.turns()
    await car.boot()
    await car.turns()
    assert car.running == "1.1.0"
    assert [e["source"] for e in car.disk.record] == ["file"]
    assert server.installed[DEVICE] == [("smartcockpit", "1.1.0")]


async def test_a_file_that_is_older_is_refused() -> None:
    _, car = unit()
    wishes.install_file(car.engine, bundle("0.9.0").data.decode())
    await car.turns()
    assert [e["code"] for e in car.disk.record] == [409]
    assert car.written == []


async def test_a_new_slot_without_a_verdict_is_left() -> None:
    server, car = unit(pace=Pace(retry_first_s=0.0, retry_last_s=0.0, verdict_s=0.0))
    action = server.assign(DEVICE, bundle("1.1.0"))
    await car.turns()
    await car.boot()
    car.verdict_ = None
    await car.turns()
    assert car.reboot_wanted
    car.root["B"].good = True
    car.primary = "A"
    await car.boot()
    await car.turns()
    assert (action.status, car.running) == (Status.ERROR, "1.0.0")


# ---- killed anywhere -------------------------------------------------------------------------------------


async def driven(car: PaperUnit, healthy: bool, also: Callable[[], None] = lambda: None) -> None:
    """Go on after kills and reboots until nothing is left to be done."""
    for _ in range(12):
        try:
            await car.turns()
            also()
            if car.reboot_wanted:
                await car.boot(healthy)
            elif car.engine.update.phase is Phase.IDLE and not any(
                a.status.active for a in car.server.actions
            ):
                return
        except Killed:
            await car.crash()


def check(server: Hawkbit, car: PaperUnit, started_with: str = "1.0.0") -> None:
    """Hold the invariants I3 to I7."""
    assert car.engine.update.phase is Phase.IDLE, "I3: it goes on unaided"
    assert all(len(action.finals) <= 1 for action in server.actions), "I4: exactly one final answer"
    for action, running in car.answers:
        said = action.finals[0].finished == "success" and action.status is Status.FINISHED
        assert said == (action.bundle.version == running), "I4: a true answer"
    assert all(w in ("B while A runs", "A while B runs") for w in car.written), "I5"
    assert not is_newer(started_with, car.running), "I6: no downgrade"
    keys = [e["key"] for e in car.disk.record]
    assert len(set(keys)) == len(keys), "I7: one record of each update"
    recorded = {e["action"] for e in car.disk.record}
    known = {str(a.number) for a, _ in car.answers if "nothing of it is here" not in a.finals[0].details}
    assert known <= recorded, "I7: a record of each update"


async def calls_of(healthy: bool) -> int:
    server, car = unit()
    server.assign(DEVICE, bundle("1.1.0"))
    await driven(car, healthy)
    return car.calls


@pytest.mark.parametrize("healthy", [True, False])
async def test_killed_at_any_call_it_goes_on_alone(healthy: bool) -> None:
    for at in range(1, await calls_of(healthy) + 1):
        server, car = unit()
        action = server.assign(DEVICE, bundle("1.1.0"))
        car.kill_at = at
        await driven(car, healthy)
        check(server, car)
        assert (action.status, car.running) == (
            (Status.FINISHED, "1.1.0") if healthy else (Status.ERROR, "1.0.0")
        ), f"killed at call {at}"


EVENTS = st.sampled_from(
    [
        "kill",
        "kill",
        "boot",
        "move",
        "park",
        "offline",
        "online",
        "cancel",
        "second",
        "user cancels",
        "quit",
        "full",
        "room",
    ]
)


@given(
    events=st.lists(st.tuples(EVENTS, st.integers(1, 40)), max_size=6),
    healthy=st.booleans(),
    window=st.sampled_from([None, True]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_order_of_events_keeps_the_invariants(
    events: list[tuple[str, int]], healthy: bool, window: bool | None
) -> None:
    asyncio.run(_any_order(events, healthy, window))


async def _any_order(events: list[tuple[str, int]], healthy: bool, window: bool | None) -> None:
    server, car = unit()
    server.assign(DEVICE, bundle("1.1.0"), window=window)
    for event, number in events:
        happen(event, number, server, car)
        try:
            await car.turns(number)
            if event == "boot" or car.reboot_wanted:
                await car.boot(healthy)
        except Killed:
            await car.crash()
    car.gate, car.online, car.kill_at, car.disk.full = Block(), True, -1, False
    await driven(car, healthy)
    check(server, car)
    assert not any(a.status.active for a in server.actions), "every action has ended"


def happen(event: str, number: int, server: Hawkbit, car: PaperUnit) -> None:
    latest = server.actions[-1]
    match event:
        case "kill":
            car.kill_at = car.calls + number
        case "move":
            car.gate = MOVING
        case "park":
            car.gate = Block()
        case "offline" | "online":
            car.online = event == "online"
        case "full" | "room":
            car.disk.full = event == "full"
        case "cancel":
            server.cancel(latest)
        case "quit":
            if latest.status.active:
                server.force_quit(latest)
        case "second" if len(server.actions) < 3:
            server.assign(DEVICE, bundle(f"1.{len(server.actions) + 1}.0"))
        case "user cancels":
            try:
                wishes.cancel(car.engine)
            except Exception:
                return


async def test_when_a_verified_bundle_was_made_is_known_after_a_restart() -> None:
    """Of a unit without a clock chip: the time can only be later."""
    server, car = unit()
    server.assign(DEVICE, bundle("1.1.0"))
    made_s = 1_790_000_000
    inspect = car.inspect

    async def with_epoch(path: str) -> dict[str, Any]:
        return await inspect(path) | {"meta": {"smartcockpit": {"build-epoch": str(made_s)}}}

    car.inspect = with_epoch  # type: ignore[method-assign]
    await car.turns()
    assert car.start().state.floor_us == made_s * 1_000_000


async def test_the_version_from_a_file_is_told_when_nothing_is_pending_any_more() -> None:
    """In the middle of an action hawkBit says 200 to it and forgets it."""
    server, car = unit()
    server.force_quit(server.assign(DEVICE, bundle("1.1.0")))
    await car.turns()
    wishes.install_file(car.engine, bundle("1.1.0").data.decode())
    await car.turns()
    server.assign(DEVICE, bundle("1.2.0", compatible="toaster"))
    await car.boot()
    await car.turns()
    target = server.target(DEVICE)
    assert (car.running, target.installed, target.status) == ("1.1.0", "1.1.0", "in_sync")
