# SPDX-License-Identifier: Apache-2.0
"""One real hawkBit for all tests of the folder, and for each a unit that it has never heard of."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from smartcockpit_bench.hawkbit.operators import RealOperator
from smartcockpit_bench.hawkbit.pki import Pki
from smartcockpit_bench.hawkbit.real import RealHawkbit, find_jar
from support.dbus_daemon import PrivateBus
from support.hawkbit import DEVICE, TOKEN
from support.ota_unit import CarSignals
from support.real_unit import Fleet, RealUnit


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hawkbit")


@pytest.fixture(scope="session")
def pki(place: Path) -> Pki:
    return Pki(place)


@pytest.fixture(scope="session")
def hawkbit(place: Path, pki: Pki) -> Iterator[RealHawkbit]:
    certificate, key = pki.write_leaf(place)
    with RealHawkbit(find_jar(), place, certificate, key, pki.ca_file) as running:
        yield running


@pytest.fixture(scope="session")
def operator(hawkbit: RealHawkbit) -> RealOperator:
    return RealOperator(hawkbit)


@pytest.fixture(scope="session")
def sets() -> dict[str, int]:
    return {}


@pytest.fixture
def fleet(hawkbit: RealHawkbit, operator: RealOperator, sets: dict[str, int]) -> Fleet:
    operator.create_target(DEVICE, TOKEN.partition(" ")[2])
    return Fleet(hawkbit, operator, sets)


@pytest_asyncio.fixture
async def unit(fleet: Fleet, pki: Pki) -> AsyncIterator[RealUnit]:
    with tempfile.TemporaryDirectory(prefix="sc-") as name, PrivateBus(Path(name)) as bus:
        car = CarSignals(bus.address)
        await car.start()
        made = RealUnit(Path(name), bus, fleet, pki, car)
        await made.client.connect()
        made.start_rauc()
        yield made
        await made.close()
        await car.stop()
