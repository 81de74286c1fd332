# SPDX-License-Identifier: Apache-2.0
"""The real agent and a real Eclipse hawkBit: every kind of action, to its end on both sides."""

from __future__ import annotations

import calendar
import time

import pytest
from smartcockpit_bench.hawkbit.operators import maintenance_window, schedule
from support.hawkbit import DEVICE, TOKEN
from support.ota_unit import COMPATIBLE, bundle
from support.real_unit import Fleet, RealUnit

pytestmark = pytest.mark.timeout(300)


async def proves_itself(fleet: Fleet, unit: RealUnit, action: int) -> None:
    await unit.until(unit.wants_reboot)
    assert fleet.ended(action) == "", "nobody has said anything final yet"
    unit.reboot()
    await unit.until(lambda: fleet.ended(action) == "finished")
    await unit.becomes("idle")
    assert fleet.finals(action) == ["finished"]


async def test_success(fleet: Fleet, unit: RealUnit) -> None:
    unit.start_agent()
    action = fleet.assign(pad=200_000)
    await proves_itself(fleet, unit, action)
    assert fleet.operator.installed(DEVICE) == ("1.1.0+pad200000", "in_sync")
    kinds = [kind for kind, _ in fleet.messages(action)]
    assert kinds.index("retrieved") < kinds.index("download") < kinds.index("downloaded")
    assert len(kinds) < 30
    (entry,) = unit.record()
    assert (entry["to"], entry["outcome"]) == ("1.1.0", "success")


async def test_the_server_learns_who_the_unit_is_and_again_after_an_update(
    fleet: Fleet, unit: RealUnit
) -> None:
    def attributes() -> dict[str, str]:
        return fleet.hawkbit.rest("GET", f"/rest/v1/targets/{DEVICE}/attributes") or {}

    unit.start_agent()
    await unit.until(lambda: attributes().get("version") == "1.0.0")
    assert attributes()["hardware"] == COMPATIBLE
    await proves_itself(fleet, unit, fleet.assign())
    await unit.until(lambda: attributes().get("version") == "1.1.0")
    assert attributes()["vin"] == "WVWZZZ1JZXW000001"


async def test_a_fall_back_is_told_with_its_reason_and_the_server_has_the_old_version(
    fleet: Fleet, unit: RealUnit
) -> None:
    fleet.publish("1.0.0")
    unit.start_agent()
    action = fleet.assign()
    await unit.until(unit.wants_reboot)
    unit.reboot(healthy=False)
    await unit.until(lambda: fleet.ended(action) == "error")
    await unit.becomes("idle")
    assert any("bus: it is dead" in text for kind, text in fleet.messages(action) if kind == "error")
    assert fleet.finals(action) == ["error"]
    assert fleet.operator.installed(DEVICE) == ("1.0.0", "in_sync")
    again = fleet.assign()
    assert again != action, "the server offers it once more, since it does not take it for installed"
    await proves_itself(fleet, unit, again)


@pytest.mark.parametrize(
    ("version", "words"), [("0.9.0", "older"), ("1.1.0-broken", "failed to write block 4711")]
)
async def test_failures_before_the_reboot(fleet: Fleet, unit: RealUnit, version: str, words: str) -> None:
    unit.disk(fault="fails" if "broken" in version else "")
    unit.start_agent()
    action = fleet.assign("1.1.0" if "broken" in version else version)
    await unit.until(lambda: fleet.ended(action) == "error")
    assert any(words in text for _, text in fleet.messages(action))
    assert unit.disk()["primary"] == "A"


async def test_what_runs_already_is_closed_as_success(fleet: Fleet, unit: RealUnit) -> None:
    unit.start_agent()
    action = fleet.assign("1.0.0")
    await unit.until(lambda: fleet.ended(action) == "finished")
    assert not unit.wants_reboot()


async def test_soft_asks_the_user_until_it_becomes_forced(fleet: Fleet, unit: RealUnit) -> None:
    unit.set('ask = "campaign"', 'ask = "soft"')
    unit.start_agent()
    action = fleet.assign(kind="soft")
    await unit.becomes("downloaded", "consent")
    fleet.operator.make_forced(DEVICE, action)
    await proves_itself(fleet, unit, action)


async def test_time_forced_asks_the_user_until_the_time_has_come(fleet: Fleet, unit: RealUnit) -> None:
    unit.set('ask = "campaign"', 'ask = "soft"')
    unit.start_agent()
    action = fleet.assign(kind="timeforced", forcetime=int((time.time() + 4) * 1000))
    await unit.becomes("downloaded", "consent")
    await proves_itself(fleet, unit, action)


async def test_download_only(fleet: Fleet, unit: RealUnit) -> None:
    unit.start_agent()
    action = fleet.assign(kind="downloadonly")
    await unit.until(lambda: fleet.ended(action) == "downloaded")
    await unit.becomes("idle")
    assert not unit.wants_reboot()
    assert len(list((unit.folder / "state/download").iterdir())) == 1
    # hawkBit counts the set as assigned already and would make no action of it: the same bundle in another one.
    real = fleet.assign(label="1.1.0+again")
    await proves_itself(fleet, unit, real)
    assert unit.record()[-1]["fetched"] == 0, "what was downloaded is not fetched again"


async def test_the_maintenance_window_is_waited_for(fleet: Fleet, unit: RealUnit) -> None:
    begin = time.gmtime(time.time() + 12)
    unit.start_agent()
    action = fleet.assign(maintenanceWindow=maintenance_window("open") | {"schedule": schedule(begin)})
    await unit.becomes("downloaded", "window")
    assert time.time() < calendar.timegm(begin)
    await unit.until(unit.wants_reboot)
    assert time.time() >= calendar.timegm(begin)
    await proves_itself(fleet, unit, action)


@pytest.fixture
def asking(fleet: Fleet) -> object:
    fleet.operator.confirmation_flow(True)
    yield
    fleet.operator.confirmation_flow(False)


async def test_consent(fleet: Fleet, unit: RealUnit, asking: None) -> None:
    unit.start_agent()
    action = fleet.assign()
    now = await unit.becomes("offered", "consent")
    await unit.ota.consent(now.update.id, False)
    await unit.becomes("offered", "declined")
    await unit.until(lambda: any("declined" in text for _, text in fleet.messages(action)))
    assert fleet.ended(action) == ""
    await unit.ota.consent(now.update.id, True)
    await proves_itself(fleet, unit, action)


async def test_consent_given_on_the_server(fleet: Fleet, unit: RealUnit, asking: None) -> None:
    unit.start_agent()
    action = fleet.assign()
    await unit.becomes("offered", "consent")
    path = f"/rest/v1/targets/{DEVICE}/actions/{action}/confirmation"
    fleet.hawkbit.rest("PUT", path, {"confirmation": "confirmed"})
    await proves_itself(fleet, unit, action)


async def test_a_version_from_a_file_is_told_to_the_server(fleet: Fleet, unit: RealUnit) -> None:
    unit.start_agent()
    stick = unit.folder / "stick.raucb"
    fleet.publish("1.1.0")
    stick.write_bytes(bundle("1.1.0").data)
    await unit.becomes("idle")
    await unit.ota.install(str(stick))
    await unit.until(unit.wants_reboot)
    unit.reboot()
    await unit.until(lambda: fleet.operator.installed(DEVICE) == ("1.1.0", "in_sync"))


async def test_a_gateway_token_registers_the_unit(fleet: Fleet, unit: RealUnit) -> None:
    fleet.hawkbit.rest("DELETE", f"/rest/v1/targets/{DEVICE}")
    gateway = "0123456789abcdef0123456789abcdef"
    fleet.operator.gateway_token(gateway)
    try:
        (unit.folder / "token").write_text(gateway)
        unit.set("[server]\n", '[server]\ntoken = "gateway"\n')
        unit.start_agent()

        def known() -> bool:
            return any(
                t["controllerId"] == DEVICE for t in fleet.hawkbit.rest("GET", "/rest/v1/targets")["content"]
            )

        await unit.until(known)
        await proves_itself(fleet, unit, fleet.assign())
    finally:
        fleet.operator.gateway_token("")


async def test_a_wrong_token_is_said_and_mended(fleet: Fleet, unit: RealUnit) -> None:
    (unit.folder / "token").write_text("wrong")
    action = fleet.assign()
    unit.start_agent()
    await unit.until(lambda: "answered with 401" in unit.log.read_text())
    now = await unit.state()
    assert now is not None
    assert "401" in now.server.trouble
    (unit.folder / "token").write_text(TOKEN.partition(" ")[2])
    await proves_itself(fleet, unit, action)
