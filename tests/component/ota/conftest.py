# SPDX-License-Identifier: Apache-2.0
"""A unit with the real agent, and the server that it belongs to."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from smartcockpit_bench.hawkbit.pki import Pki
from smartcockpit_bench.hawkbit.serve import HawkbitServer
from support.dbus_daemon import PrivateBus
from support.hawkbit import serve
from support.ota_unit import CarSignals, OtaUnit


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def server(pki: Pki) -> Iterator[HawkbitServer]:
    with serve(pki) as running:
        yield running


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="sc-") as name:
        yield Path(name)


@pytest.fixture
def bus(folder: Path) -> Iterator[PrivateBus]:
    with PrivateBus(folder) as private:
        yield private


@pytest_asyncio.fixture
async def car(bus: PrivateBus) -> AsyncIterator[CarSignals]:
    signals = CarSignals(bus.address)
    await signals.start()
    yield signals
    await signals.stop()


@pytest_asyncio.fixture
async def unit(
    folder: Path, bus: PrivateBus, server: HawkbitServer, pki: Pki, car: CarSignals
) -> AsyncIterator[OtaUnit]:
    made = OtaUnit(folder, bus, server, pki)
    await made.client.connect()
    made.start_rauc()
    made.start_agent()
    yield made
    await made.close()
