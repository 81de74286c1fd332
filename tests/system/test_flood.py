# SPDX-License-Identifier: Apache-2.0
"""Some seconds of what tests/perf/bench_flood.py does for a minute: 4,000 frames/s, nothing lost."""

from __future__ import annotations

from smartcockpit_bench.qemu.box import Box
from support.flood import drive_log, flood, flooded

SECONDS, RATE, SEED = 6.0, 4000.0, 7


def test_no_frame_and_no_reader_is_lost_at_4000_frames_a_second(box: Box) -> None:
    log = drive_log(SECONDS, RATE, SEED)
    with flooded(box, log):
        found = flood(box)
    assert found.sent == log.count(b"\n")
    assert (found.counters["Drops"], found.counters["Frames"]) == (0, found.sent)
    assert (found.counters["ChecksumErrors"], found.counters["CounterErrors"]) == (0, 0)
    assert (found.reconnected, found.trouble) == ([], [])
    assert found.lines
