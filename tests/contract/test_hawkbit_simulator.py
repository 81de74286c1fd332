# SPDX-License-Identifier: Apache-2.0
"""The simulated hawkBit answers as the real one did: all other tests of updates stand on that."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from smartcockpit_bench.hawkbit.conversations import CONVERSATIONS, hold
from smartcockpit_bench.hawkbit.model import Hawkbit
from smartcockpit_bench.hawkbit.operators import SimulatedOperator
from smartcockpit_bench.hawkbit.pki import Pki
from smartcockpit_bench.hawkbit.serve import HawkbitServer
from support.hawkbit_recordings import FOLDER, SLEEP, recorded


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki(tmp_path_factory.mktemp("pki"))


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_it_says_what_the_real_server_said(name: str, pki: Pki) -> None:
    model = Hawkbit()
    model.sleep = SLEEP
    with HawkbitServer(model, pki.context(), "opens nothing") as server:
        trusting = ssl.create_default_context(cafile=str(pki.ca_file))
        assert hold(name, SimulatedOperator(server), trusting) == recorded(name)


def test_each_recording_has_its_conversation() -> None:
    assert {path.stem for path in Path(FOLDER).iterdir()} == set(CONVERSATIONS)
