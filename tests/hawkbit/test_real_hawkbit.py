# SPDX-License-Identifier: Apache-2.0
"""The agent's conversation with a real Eclipse hawkBit; run by `make hawkbit-test`, never by `make test`."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from smartcockpit_bench.hawkbit.pki import Pki
from smartcockpit_bench.hawkbit.real import RealHawkbit, find_jar
from support.dbus_daemon import PrivateBus
from support.hawkbit import DEVICE, TOKEN
from support.ota_unit import CarSignals, OtaUnit, bundle

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hawkbit")


@pytest.fixture(scope="module")
def pki(place: Path) -> Pki:
    return Pki(place)


@pytest.fixture(scope="module")
def hawkbit(place: Path, pki: Pki) -> Iterator[RealHawkbit]:
    certificate, key = pki.write_leaf(place)
    with RealHawkbit(find_jar(), place, certificate, key, pki.ca_file) as running:
        running.create_target(DEVICE, TOKEN.partition(" ")[2])
        yield running


@pytest_asyncio.fixture
async def unit(hawkbit: RealHawkbit, pki: Pki) -> AsyncIterator[OtaUnit]:
    with tempfile.TemporaryDirectory(prefix="sc-") as name, PrivateBus(Path(name)) as bus:
        car = CarSignals(bus.address)
        await car.start()
        made: Any = OtaUnit(Path(name), bus, SimpleNamespace(url=hawkbit.url), pki)  # type: ignore[arg-type]
        await made.client.connect()
        made.start_rauc()
        made.start_agent()
        yield made
        await made.close()
        await car.stop()


def upload(hawkbit: RealHawkbit, version: str) -> int:
    made = bundle(version, pad=100_000)
    return hawkbit.upload("smartcockpit", version, made.filename, made.data)


async def test_success(hawkbit: RealHawkbit, unit: OtaUnit) -> None:
    action = hawkbit.assign(DEVICE, upload(hawkbit, "1.1.0"))
    await unit.until(unit.wants_reboot)
    assert hawkbit.action(DEVICE, action)["status"] == "pending"
    unit.reboot()
    await unit.until(lambda: hawkbit.action(DEVICE, action)["status"] == "finished")
    assert len([e for e in hawkbit.entries(DEVICE, action) if e["type"] == "finished"]) == 1


async def test_fall_back(hawkbit: RealHawkbit, unit: OtaUnit) -> None:
    action = hawkbit.assign(DEVICE, upload(hawkbit, "1.2.0"))
    await unit.until(unit.wants_reboot)
    unit.reboot(healthy=False)
    await unit.until(lambda: hawkbit.action(DEVICE, action).get("detailStatus") == "error")


async def test_cancel_before_the_installation(hawkbit: RealHawkbit, unit: OtaUnit) -> None:
    (unit.folder / "inhibit").mkdir()
    (unit.folder / "inhibit/test").touch()
    action = hawkbit.assign(DEVICE, upload(hawkbit, "1.3.0"))
    await unit.becomes("downloaded", "inhibited")
    hawkbit.cancel(DEVICE, action)
    await unit.until(lambda: hawkbit.action(DEVICE, action).get("detailStatus") == "canceled")


async def test_consent(hawkbit: RealHawkbit, unit: OtaUnit) -> None:
    hawkbit.configure("user.confirmation.flow.enabled", True)
    try:
        hawkbit.assign(DEVICE, upload(hawkbit, "1.4.0"), confirmationRequired=True)
        await unit.becomes("offered", "consent")
    finally:
        hawkbit.configure("user.confirmation.flow.enabled", False)


async def test_download_only(hawkbit: RealHawkbit, unit: OtaUnit) -> None:
    action = hawkbit.assign(DEVICE, upload(hawkbit, "1.5.0"), kind="downloadonly")
    await unit.until(lambda: hawkbit.action(DEVICE, action).get("detailStatus") == "downloaded")
