# SPDX-License-Identifier: Apache-2.0
"""Where the health gate reads and writes, and files that survive a power cut.

SMARTCOCKPIT_HEALTH_ROOT puts all of it below another folder, for tests.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smartcockpit.core.errors import UnavailableError

LARGEST = 1 << 20
_ROOT = Path(os.environ.get("SMARTCOCKPIT_HEALTH_ROOT", "/"))
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


def read(path: Path) -> dict[str, Any]:
    """Return the JSON object in `path`; an empty one when there is none or it cannot be used."""
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Replace `path`, readable by all: whole and old, or whole and new, whenever the power goes.

    Raises `UnavailableError`.
    """
    fresh = path.with_name(path.name + ".new")
    try:
        with fresh.open("w") as file:
            os.fchmod(file.fileno(), 0o644)
            json.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise UnavailableError(f"{path} cannot be written: {error.strerror}", "is the disk full?") from error
