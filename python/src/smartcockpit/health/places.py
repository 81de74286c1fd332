# SPDX-License-Identifier: Apache-2.0
"""Where the health gate reads and writes.

SMARTCOCKPIT_HEALTH_ROOT puts all of it below another folder, for tests.
"""

from __future__ import annotations

import os
from pathlib import Path

_ROOT = Path(os.environ.get("SMARTCOCKPIT_HEALTH_ROOT", "/"))
MODE = 0o644
"""Of what is written: anybody may read it."""
STATE = _ROOT / "var/lib/smartcockpit-health"
VERDICT = STATE / "verdict.json"
"""What the update daemon reads: the newest verdict, but a failed trial's is kept until the next trial's."""
NEWEST = STATE / "newest.json"
"""The verdict over the last boot that came to one; `cockpitctl health` reads both."""
PROVEN = STATE / "proven.json"
"""Which installation of each slot has proved itself: {"format": 1, "slots": {"A": …}}."""
BASELINE = STATE / "baseline.json"
"""What worked in the last boot of a slot that was good: {"format": 1, "able": ["gnss", …]}."""
RUN = _ROOT / "run/smartcockpit-health"
DECIDED = RUN / "decided"
"""The slot is good, or there is nothing to fall back to: whatever happens from here on, no reboot."""
REBOOT = RUN / "reboot"
"""The request to smartcockpit-health-reboot.path."""
KERNEL_LINE = _ROOT / "proc/cmdline"
BOOT_ID = _ROOT / "proc/sys/kernel/random/boot_id"
OS_RELEASE = _ROOT / "usr/lib/os-release"
PRODUCT_CHECKS = _ROOT / "usr/lib/smartcockpit/health"
