# SPDX-License-Identifier: Apache-2.0
"""The real hawkBit says what it said when it was recorded; with HAWKBIT_RECORD=1 it is recorded anew."""

from __future__ import annotations

import os

import pytest
from smartcockpit_bench.hawkbit.conversations import CONVERSATIONS, hold
from smartcockpit_bench.hawkbit.operators import RealOperator
from smartcockpit_bench.hawkbit.real import RealHawkbit
from support.hawkbit_recordings import record, recorded

pytestmark = pytest.mark.timeout(300)


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_it_says_what_was_recorded(name: str, hawkbit: RealHawkbit, operator: RealOperator) -> None:
    written = hold(name, operator, hawkbit.context)
    if os.environ.get("HAWKBIT_RECORD"):
        record(name, written)
    assert written == recorded(name)
