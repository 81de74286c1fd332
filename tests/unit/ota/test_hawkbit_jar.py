# SPDX-License-Identifier: Apache-2.0
"""`make hawkbit-test` without the server's jar says how to get it."""

from __future__ import annotations

import pytest
from smartcockpit.core.errors import UnavailableError
from smartcockpit_bench.hawkbit.real import ARTIFACT, find_jar


def test_a_jar_that_is_not_there_is_named_with_the_remedy() -> None:
    with pytest.raises(UnavailableError, match=r"no file /nonexistent\.jar.*mvn dependency:get") as caught:
        find_jar({"HAWKBIT_JAR": "/nonexistent.jar"})
    assert ARTIFACT in caught.value.hint
