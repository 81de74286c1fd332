# SPDX-License-Identifier: Apache-2.0
"""4,000 frames/s for a minute on vcan in the emulated box, with a live view attached: nothing may be lost.

Boots the box itself (dev image, `make image`), replays the sped-up demo car with canplayer and reads the
counters; see tests/support/flood.py. Processor shares are of one of the guest's two emulated cores.

    python tests/perf/bench_flood.py [seconds [frames/s]]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from perf.report import print_table
from smartcockpit_bench.places import ROOT
from smartcockpit_bench.qemu.box import Box
from support.flood import Flood, drive_log, flood, flooded

SECONDS, RATE, SEED, BOOT_S = 60.0, 4000.0, 1, 180.0


def measure(seconds: float, rate: float) -> Flood:
    """Boot, flood, switch off."""
    log = drive_log(seconds, rate, SEED)
    with Box(direct=True) as box:
        box.agent.wait(BOOT_S)
        box.agent.run("systemctl", "is-system-running", "--wait", timeout_s=BOOT_S, check=False)
        with flooded(box, log):
            found = flood(box)
        box.power_off()
    return found


def main(argv: list[str]) -> int:
    """Print the tables; exit 1 when a frame or a connection was lost, or the replay was too slow to count."""
    seconds, rate = (*map(float, argv), *(SECONDS, RATE)[len(argv) :])
    subprocess.run(["make", "--no-print-directory", "image"], cwd=ROOT, check=True)
    found = measure(seconds, rate)
    received, drops = found.counters["Frames"], found.counters["Drops"]
    broken = found.counters["ChecksumErrors"] + found.counters["CounterErrors"]
    rows = [
        ["frames sent", found.sent, ""],
        ["frames/s", f"{found.sent / found.seconds:.0f}", verdict(found.sent / found.seconds > 0.9 * rate)],
        ["frames decoded", received, verdict(received == found.sent)],
        ["drops (socket overflow)", drops, verdict(drops == 0)],
        ["checksum and counter errors", broken, verdict(broken == 0)],
        ["disconnects", len(found.reconnected), verdict(not found.reconnected)],
        ["live view: lines", found.lines, verdict(not found.trouble)],
        ["live view: longest gap, s", f"{found.longest_gap_s:.1f}", ""],
        *([f"CPU % {what}", f"{share:.1f}", ""] for what, share in found.cpu_percent.items()),
    ]
    print_table(f"{rate:.0f} frames/s for {found.seconds:.0f} s in the box", ("what", "count", ""), rows)
    return int(any("MISSED" in str(cells[-1]) for cells in rows))


def verdict(good: bool) -> str:
    """Return the table's word."""
    return "ok" if good else "MISSED"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
