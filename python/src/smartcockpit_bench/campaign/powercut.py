# SPDX-License-Identifier: Apache-2.0
"""Power cuts: QEMU is killed at a random moment of an update; then the unit must come up by itself.

The host's page cache outlives QEMU, so this models a disk that keeps what it was given, in order. A disk that
loses what was not flushed would need a layer that drops it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from smartcockpit_bench.campaign.ground import Ground
from smartcockpit_bench.campaign.unit import check, install
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.unit import BOOT_S, BUNDLES, BrokenError, is_up, starts, until

Cut = Callable[[Box, random.Random], None]


def cut_install(box: Box, chance: random.Random) -> None:
    """While the slot is being written."""
    box.agent.sh(f"rauc install {BUNDLES}/new.raucb > /run/install.log 2>&1 &")
    time.sleep(chance.uniform(0.0, 25.0))


def cut_activate(box: Box, chance: random.Random) -> None:
    """Around the moment at which the new slot becomes the next to boot."""
    box.agent.sh(f"rauc install {BUNDLES}/new.raucb > /run/install.log 2>&1 &")
    late = "grep -qE ' 9[89]% Copying|succeeded' /run/install.log"
    until(lambda: box.agent.run("/bin/sh", "-c", late, check=False).code == 0, "the end of the installation")
    time.sleep(chance.uniform(0.0, 1.5))


def cut_first_boot(box: Box, chance: random.Random) -> None:
    """While the new version starts for the first time."""
    _into_trial(box)
    time.sleep(chance.uniform(0.0, 25.0))


def cut_mark_good(box: Box, chance: random.Random) -> None:
    """Around the moment at which the health gate decides."""
    _into_trial(box)
    box.agent.close()
    box.agent.wait(BOOT_S)
    running = "systemctl is-active --quiet smartcockpit-health.service || pgrep -f 'smartcockpit-health gate'"
    until(lambda: box.agent.run("/bin/sh", "-c", running, check=False).code == 0, "the health gate")
    time.sleep(chance.uniform(0.0, 6.0))


PHASES: dict[str, Cut] = {
    "install": cut_install,
    "activate": cut_activate,
    "first boot": cut_first_boot,
    "mark good": cut_mark_good,
}
FIRST_SECONDS, CUTS = "first 20 s", 10
"""Ten cuts, each in the first 20 s of a healthy boot."""


def _into_trial(box: Box) -> None:
    install(box, "new")
    before = starts(box)
    box.agent.sh("systemd-run --quiet --on-active=1 systemctl reboot")
    until(lambda: starts(box) > before, "the restart into the new version")


def run_case(phase: str, seed: int, ground: Ground, folder: Path) -> str:
    """Run one case in the empty `folder`; return which version survived, raises `BrokenError`."""
    chance, layer = random.Random(f"{phase} {seed}"), folder / "unit.qcow2"  # noqa: S311 - no secret
    if phase == FIRST_SECONDS:
        for _ in range(CUTS):
            with ground.box(layer) as box:
                time.sleep(chance.uniform(0.0, 20.0))
                box.kill()
    else:
        with ground.box(layer) as box:
            is_up(box)
            PHASES[phase](box, chance)
            box.kill()
    with ground.box(layer) as box:
        is_up(box)
        if phase == FIRST_SECONDS and "smartcockpit: slot A," not in box.serial():
            raise BrokenError("power cuts have flipped a healthy unit")
        return check(box, ground, layer, folder)
