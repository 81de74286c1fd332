# SPDX-License-Identifier: Apache-2.0
"""python-can's interfaces through the face of all adapters, over its own virtual bus."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import can
import pytest
from smartcockpit.adapters.frame_source import EFF_FLAG, ERR_FLAG, RTR_FLAG
from smartcockpit.adapters.python_can import PythonCan, to_record
from smartcockpit.core.errors import ConfigError

SOURCES = Path(__file__).resolve().parents[3] / "python/src"


def receive(source: PythonCan, count: int) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    while len(found) < count:
        ready, _, _ = select.select([source.fileno()], [], [], 5)
        assert ready, f"only {len(found)} of {count} frames arrived"
        while (batch := source.receive()) is not None:
            assert all(batch.time_us(i) > 1_600_000_000_000_000 for i in range(batch.count))
            found += batch.records
    return found


def test_frames_of_a_virtual_bus_arrive_in_the_kernels_layout() -> None:
    source = PythonCan("virtual", "sc-test", fd_frames=True, options={})
    with can.Bus(interface="virtual", channel="sc-test") as far:
        far.send(can.Message(arbitration_id=0x123, data=b"ab", is_extended_id=False))
        far.send(
            can.Message(
                arbitration_id=0x123, data=b"c" * 12, is_extended_id=True, is_fd=True, bitrate_switch=True
            )
        )
        frames = receive(source, 2)
    source.close()
    assert frames == [
        (0x123, b"\x02\0\0\0ab" + bytes(6)),
        (0x123 | EFF_FLAG, b"\x0c\x05\0\0" + b"c" * 12 + bytes(52)),
    ]


@pytest.mark.parametrize(
    ("message", "can_id", "length"),
    [
        (can.Message(arbitration_id=1, is_remote_frame=True, dlc=4, is_extended_id=False), 1 | RTR_FLAG, 4),
        (can.Message(arbitration_id=0x40, is_error_frame=True, is_extended_id=False), 0x40 | ERR_FLAG, 0),
        (can.Message(arbitration_id=2, data=b"123", is_extended_id=True), 2 | EFF_FLAG, 3),
    ],
)
def test_flags_of_odd_frames(message: Any, can_id: int, length: int) -> None:
    found, body = to_record(message)
    assert (found, body[0], len(body)) == (can_id, length, 12)


def test_unknown_interface_and_wrong_options_are_configuration_errors() -> None:
    with pytest.raises(ConfigError, match="cannot do 'nonsense'"):
        PythonCan("nonsense", "x", fd_frames=False, options={})
    with pytest.raises(ConfigError, match="check the bus' options"):
        PythonCan("udp_multicast", "not-an-address", fd_frames=False, options={"port": "seven"})


def test_error_frames_are_kept_apart() -> None:
    source = PythonCan("virtual", "sc-test-errors", fd_frames=False, options={})
    with can.Bus(interface="virtual", channel="sc-test-errors") as far:
        far.send(can.Message(arbitration_id=0x40, is_error_frame=True, is_extended_id=False, data=bytes(8)))
        far.send(can.Message(arbitration_id=5, is_extended_id=False))
        assert [i for i, _ in receive(source, 1)] == [5]
        assert source.read_errors() == [(0x40 | ERR_FLAG, bytes(8))]
    source.close()


def test_python_can_is_found_where_pip_put_it_by_a_program_that_starts_without_site() -> None:
    code = (
        f"import sys; sys.path.append({str(SOURCES)!r})\n"
        "from smartcockpit.adapters.python_can import PythonCan\n"
        "source = PythonCan('virtual', 'sc-test', fd_frames=False, options={}); source.close()\n"
        "print(sys.modules['can'].__name__)"
    )
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    found = subprocess.run(
        [sys.executable, "-SP", "-c", code], env=clean, capture_output=True, text=True, timeout=30
    )
    assert found.stdout == "can\n", found.stderr
