# SPDX-License-Identifier: Apache-2.0
"""A box as a unit in the field: whether it is up, what its health gate says, which slot runs, restarts.

For the update tests, the campaign and the demonstration, which all run commands in the guest (dev flavour).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from smartcockpit.core.errors import SmartCockpitError

from smartcockpit_bench.qemu.box import Box

BOOT_S = 240.0
"""Emulated, on a machine that does other things as well."""
BUNDLES = "/run/bundles"
"""Where `is_up` mounts the disk with the bundles, if there is one."""
_NEWEST = "/var/lib/smartcockpit-health/newest.json"


class BrokenError(SmartCockpitError):
    """The unit is not as it must be."""


def until(condition: Callable[[], bool], what: str, timeout_s: float = BOOT_S) -> None:
    """Wait for a condition; raises `BrokenError` when it does not come true."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end_s:
            raise BrokenError(f"{what} did not happen within {timeout_s:g} s")
        time.sleep(0.2)


def is_up(box: Box) -> None:
    """Wait until all that is started at boot is started; mount the bundles."""
    box.agent.close()
    box.agent.wait(BOOT_S)
    box.agent.run("systemctl", "is-system-running", "--wait", timeout_s=BOOT_S, check=False)
    if box.hardware.disks:
        mount = f"mountpoint -q {BUNDLES} || mount -o ro /dev/disk/by-id/virtio-disk0 {BUNDLES}"
        box.agent.sh(f"mkdir -p {BUNDLES}; {mount}")


def judged(box: Box) -> dict[str, Any]:
    """Wait for the health gate's verdict over this boot, and return it."""
    script = f"grep -q $(cat /proc/sys/kernel/random/boot_id) {_NEWEST}"
    until(lambda: box.agent.run("/bin/sh", "-c", script, check=False).code == 0, "the health gate's verdict")
    return dict(json.loads(box.agent.sh(f"cat {_NEWEST}")))


def slot(box: Box) -> str:
    """Return the slot that runs, A or B."""
    words = box.agent.sh("cat /proc/cmdline").split()
    return next(word for word in words if word.startswith("rauc.slot="))[-1]


def starts(box: Box) -> int:
    """Return how often the boot loader has started a slot since power-on."""
    return box.serial().count("smartcockpit: slot ")


def restart(box: Box, boots: int = 1) -> None:
    """Restart, and wait until slots were started `boots` times and the last of them is up."""
    wanted = starts(box) + boots
    box.agent.sh("systemd-run --quiet --on-active=1 systemctl reboot")
    until(lambda: starts(box) >= wanted, f"{boots} starts of a slot", BOOT_S * boots)
    is_up(box)
