# SPDX-License-Identifier: Apache-2.0
"""Versions, the gate, pauses, the durable state and the update record."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.adapters import durable
from smartcockpit.adapters.update_record import UpdateRecord
from smartcockpit.core.errors import ConfigError, UnavailableError
from smartcockpit.core.update import record, state, steps
from smartcockpit.core.update.codes import Outcome, Phase, Waiting
from smartcockpit.core.update.gate import GEAR, PARKING_BRAKE, SPEED, VOLTAGE, Rules, block
from smartcockpit.core.update.pacing import BackOff, floored_us, poll_pause_s
from smartcockpit.core.update.state import State, Update
from smartcockpit.core.update.verdict import Verdict, verdict
from smartcockpit.core.update.version import precedence, refusal

# The example of Semantic Versioning 2.0.0 §11.4.4, and what stands in §11.2, in rising order.
RISING = [
    "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
    "1.0.0-rc.1", "1.0.0", "1.0.1-dev.1", "1.0.1-dev.2", "1.0.1", "1.1.0", "1.10.0", "2.0.0", "10.0.0",
]  # fmt: skip


def test_versions_rise_as_the_specification_says() -> None:
    ranks = [precedence(version) for version in RISING]
    assert ranks == sorted(ranks, key=lambda rank: rank or ())  # type: ignore[arg-type, return-value]
    assert len(set(ranks)) == len(ranks)


@pytest.mark.parametrize(
    "version", ["", "1", "1.2", "v1.2.3", "01.2.3", "1.2.3-", "1.2.3+", "1.2.3 ", "1.2.3-ä", "9" * 200]
)
def test_what_is_no_version_is_refused(version: str) -> None:
    assert precedence(version) is None
    assert "no semantic version" in refusal("1.0.0", version)


@pytest.mark.parametrize(
    ("running", "offered", "allowed"),
    [
        ("1.0.0", "1.0.1", True), ("1.0.1", "1.0.0", False), ("1.0.0", "1.0.0", False),
        ("1.0.0", "1.0.0+g1234567", False), ("1.0.0+gabc", "1.0.0+gdef", True), ("1.0.0+gabc", "1.0.0+gabc", False),
        ("1.0.0+gabc", "1.0.0", False), ("1.0.0", "1.0.0-rc.1", False), ("factory", "0.0.1", True),
    ],
)  # fmt: skip
def test_what_may_replace_what(running: str, offered: str, allowed: bool) -> None:
    assert (refusal(running, offered) == "") is allowed


PARKED = {SPEED: (0.0, 3), GEAR: (126, 3), PARKING_BRAKE: (False, 3), VOLTAGE: (12.5, 3)}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, Waiting.NONE),
        ({SPEED: (0.2, 3)}, Waiting.MOVING),
        ({SPEED: (-3.0, 3)}, Waiting.MOVING),
        ({SPEED: (float("nan"), 3)}, Waiting.MOVING),
        ({SPEED: (0.0, 2)}, Waiting.VEHICLE),
        ({SPEED: (0.0, 1)}, Waiting.VEHICLE),
        ({SPEED: ("fast", 3)}, Waiting.VEHICLE),
        ({GEAR: (127, 3)}, Waiting.MOVING),
        ({GEAR: (127, 3), PARKING_BRAKE: (True, 3)}, Waiting.NONE),
        ({GEAR: (126, 2)}, Waiting.MOVING),
        ({GEAR: (126, 2), PARKING_BRAKE: (True, 2)}, Waiting.VEHICLE),
        ({VOLTAGE: (11.7, 3)}, Waiting.VOLTAGE),
        ({VOLTAGE: (12.5, 0)}, Waiting.VOLTAGE),
        ({VOLTAGE: (float("nan"), 3)}, Waiting.VOLTAGE),
    ],
)
def test_the_gate(change: dict[str, Any], reason: Waiting) -> None:
    found = block(PARKED | change, [], Rules())
    assert found.reason is reason
    assert bool(found.text) is bool(reason)


def test_nothing_known_counts_as_moving_and_an_inhibitor_is_named() -> None:
    assert block({}, [], Rules()).reason is Waiting.VEHICLE
    assert block(PARKED, ["dealer"], Rules()) == (Waiting.INHIBITED, "inhibited by dealer")
    assert not block({}, [], Rules(parked=False, lowest_v=0.0))


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 10**6))
def test_pauses_stay_within_their_limits(chance: float, wish: int) -> None:
    pause = poll_pause_s(wish, 30, 0, lambda: chance)
    assert 27 <= pause <= 86_399 * 1.1
    back_off = BackOff(1, 60, lambda: chance)
    pauses = [back_off.failed() for _ in range(20)]
    assert all(0.5 <= p <= 60 for p in pauses)
    assert back_off.failed(at_least_s=500) == 500
    back_off.succeeded()
    assert back_off.failed() <= 1


def test_a_clock_that_was_lost_is_lifted_to_what_has_passed() -> None:
    assert floored_us(0, (5, 9)) == 9
    assert floored_us(20, (5, 9)) == 20


# ---- what is kept ----------------------------------------------------------------------------------------


def test_the_state_survives_its_way_to_the_disk() -> None:
    update = steps.from_file("/x/y.raucb", "local-1", "1.0.0", 7)
    kept = State(update._replace(told=("a", "b"), phase=Phase.TRIAL), (), 5, "1.0.0")
    assert state.load(json.loads(json.dumps(state.dump(kept)))) == kept


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2}, {"update": None}, {"update": {"phase": "flying"}}, {"update": {"size": "1"}},
        {"update": {"told": "x"}}, {"update": {"told": [1]}}, {"update": {"inspected": 1}}, {"answers": [[1]]},
        {"floor_us": "x"}, {"answers": 5},
    ],
)  # fmt: skip
def test_a_state_of_nonsense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        state.load(state.dump(State()) | change)


def test_keys_of_a_later_release_are_skipped_and_missing_ones_take_their_defaults() -> None:
    document = state.dump(State())
    document["update"] = {"phase": "trial", "colour": "blue"}
    assert state.load(document).update == Update(phase=Phase.TRIAL)


def test_the_first_outcome_stays() -> None:
    update = steps.from_file("/x", "1", "1.0.0", 1)
    once = steps.ended(update, Outcome.FAILURE, steps.Code.DENIED, "no")
    assert steps.ended(once, Outcome.SUCCESS, steps.Code.INSTALLED, "yes") == once


@pytest.mark.parametrize(
    ("phase", "told_of", "outcome"),
    [
        (Phase.INSTALLING, None, Outcome.OPEN),
        (Phase.INSTALLING, ("B", "1.0.0"), Outcome.OPEN),  # of an earlier update that fell back
        (Phase.INSTALLING, ("A", "1.1.0"), Outcome.OPEN),  # of the running slot, whose receiver is broken
        (Phase.INSTALLING, ("B", "2.0.0"), Outcome.FAILURE),
        (Phase.REBOOTING, ("B", "1.0.0"), Outcome.FAILURE),
    ],
)
def test_a_power_cut_while_a_slot_is_written_is_no_fall_back(
    phase: Phase, told_of: tuple[str, str] | None, outcome: Outcome
) -> None:
    update = Update(version="2.0.0", from_version="1.1.0", slot_to="B", phase=phase)
    told = Verdict("earlier boot", *told_of, False, "gnss: no receiver") if told_of else None
    found = steps.came_up(update, "A", told, 7)
    assert found.outcome is outcome
    assert ("gnss" in found.text) is (told_of == ("B", "2.0.0"))


def test_durable_files(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    assert durable.read(path) is None
    durable.write(path, {"a": 1})
    assert durable.read(path) == {"a": 1}
    assert path.stat().st_mode & 0o777 == 0o600
    for content in (b"", b"{", b"[]", b"\xff", b"9" * (2 << 20)):
        path.write_bytes(content)
        assert durable.read(path) is None
    durable.put_aside(path)
    assert [p.name for p in tmp_path.iterdir()] == ["state.json.bad"]


def test_a_disk_that_is_full_says_so() -> None:
    with pytest.raises(UnavailableError, match="cannot be written"):
        durable.write(Path("/dev/full/x"), {})
    if Path("/dev/full").exists():
        with pytest.raises(UnavailableError):
            durable.append(Path("/proc/nonexistent/x"), "line")


def test_the_record_is_a_chain_that_shows_what_was_changed(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    kept = UpdateRecord(path)
    for number in range(4):
        kept.append_once(f"k{number}", {"to": f"1.{number}.0"})
        kept.append_once(f"k{number}", {"to": "again"})
    assert [e["to"] for e in kept.read().entries] == ["1.0.0", "1.1.0", "1.2.0", "1.3.0"]
    assert kept.read().broken == 0
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1].replace("1.1.0", "6.6.6"), *lines[2:]]) + "\n")
    assert kept.read().broken == 3
    path.write_text("\n".join([lines[0], *lines[2:]]) + "\n")
    assert kept.read().broken == 2


def test_the_record_goes_on_after_a_line_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    kept = UpdateRecord(path)
    kept.append_once("a", {"to": "1"})
    with path.open("ab") as file:
        file.write(os.urandom(40).replace(b"\n", b""))
    kept.append_once("b", {"to": "2"})
    kept.append_once("c", {"to": "3"})
    found = kept.read()
    assert [e["to"] for e in found.entries] == ["1", "2", "3"]
    assert found.broken == 2


@given(st.lists(st.text(max_size=50), max_size=8))
def test_any_lines_can_be_read_as_a_record(lines: list[str]) -> None:
    entries, _, broken = record.read(lines)
    assert len(entries) <= len(lines)
    assert bool(broken) or not lines


@given(
    st.dictionaries(
        st.sampled_from(["format", "verdict", "checks", "boot_id", "slot"]),
        st.just(1) | st.text() | st.lists(st.just({})),
    )
)
def test_any_document_is_a_verdict_or_none(document: dict[str, Any]) -> None:
    verdict(document)


def test_a_verdict_names_the_checks_that_failed() -> None:
    found = verdict(
        {
            "format": 1, "boot_id": "b", "slot": "B", "version": "1", "verdict": "failed",
            "checks": [{"name": "bus", "ok": True}, {"name": "can", "ok": False, "detail": "silent"}],
        }
    )  # fmt: skip
    assert found is not None
    assert (found.good, found.text) == (False, "can: silent")


def test_of_a_record_that_has_grown_large_the_end_is_read_and_goes_on(tmp_path: Path) -> None:
    kept = UpdateRecord(tmp_path / "record.jsonl", largest=1000)
    for number in range(40):
        kept.append_once(f"{number}", {"to": f"1.{number}.0"})
    found = kept.read()
    assert found.broken == 0
    assert [e["to"] for e in found.entries][-2:] == ["1.38.0", "1.39.0"]
    assert len(found.entries) < 20
    assert UpdateRecord(tmp_path / "record.jsonl").read().broken == 0, "the chain is whole"
    assert len(UpdateRecord(tmp_path / "record.jsonl").read().entries) == 40
