# SPDX-License-Identifier: Apache-2.0
"""`make update-demo`: a running box gets a new version from a server on this desk, then a broken one.

The server is the simulated hawkBit; all in the box is real: agent, RAUC, boot loader, health gate. Exit code
0 when the server was told the truth both times. For the 64-bit PC box of the dev flavour.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from smartcockpit import __version__
from smartcockpit.core.errors import SmartCockpitError

from smartcockpit_bench.beside import ParkedCar
from smartcockpit_bench.bundle.samples import CRASHES, whole
from smartcockpit_bench.hawkbit.desk import Desk, status
from smartcockpit_bench.hawkbit.model import Action, Entry
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.unit import BrokenError, is_up, judged

LOOK_S = 0.5
PATIENCE_S = 600.0
PERCENT = 20
"""Steps of progress that are worth a line."""


class Story:
    """Tells what happens, with the time since the beginning, each thing once."""

    def __init__(self, box: Box, desk: Desk) -> None:
        self._box, self._desk = box, desk
        self._begin_s = time.monotonic()
        self._said = ""
        self._boots = 0

    def tell(self, who: str, what: str) -> None:
        """Print one line."""
        print(f"{time.monotonic() - self._begin_s:5.0f} s  {who:11} {what}", flush=True)

    def run(self, bundle: Path, version: str) -> Action:
        """Offer a version and follow it to the final answer; the driver agrees as soon as asked."""
        action = self._desk.offer(self._box, bundle, version)
        self.tell("server", f"offers {version}, {bundle.stat().st_size / 1e6:.0f} MB")
        agreed, heard, end_s = False, 0, time.monotonic() + PATIENCE_S
        while action.status.active:
            if time.monotonic() > end_s:
                raise BrokenError(f"{version} came to no end within {PATIENCE_S:g} s")
            found = status(self._box)
            if not agreed and found.get("Waiting") == "consent":
                agreed = True
                self._consent(found["Update"])
            self._unit(found)
            self._boot_loader()
            for entry in action.entries[heard:]:
                self.tell("to server", _answer(entry))
            heard = len(action.entries)
            time.sleep(LOOK_S)
        for entry in action.entries[heard:]:
            self.tell("to server", _answer(entry))
        return action

    def _consent(self, offered: dict[str, Any]) -> None:
        for key in ("Purpose", "Changes", "Pauses"):
            if offered.get(key):
                self.tell("driver", f"is told: {offered[key]}")
        self.tell("driver", f"agrees to {offered.get('Version')}")
        self._box.agent.run("cockpitctl", "ota", "consent")

    def _unit(self, found: dict[str, Any]) -> None:
        if not found:
            return
        state, waiting = found["State"], found["WaitingText"]
        step = (
            f" {found['Progress'] // PERCENT * PERCENT} %" if state in ("downloading", "installing") else ""
        )
        line = f"{state}{step}{f', waits: {waiting}' if waiting else ''}"
        if line != self._said:
            self._said = line
            self.tell("unit", line)

    def _boot_loader(self) -> None:
        lines = [line for line in self._box.serial().splitlines() if "smartcockpit: slot " in line]
        for line in lines[self._boots :]:
            self.tell("boot loader", line.partition("smartcockpit: ")[2])
        self._boots = len(lines)


def _answer(entry: Entry) -> str:
    code = f" {entry.code}" if entry.code is not None else ""
    result = f" {entry.finished}" if entry.finished != "none" else ""
    return f"{entry.execution}{result}{code}: {' '.join(entry.details)}".rstrip(": ")


def demonstrate(folder: Path, build: Callable[..., Future[Path]]) -> bool:
    """Run it; return whether both updates ended as they must."""
    major, minor, _ = __version__.split(".")
    good, broken = f"{major}.{int(minor) + 1}.0", f"{major}.{int(minor) + 1}.1"
    bundles = (
        build(whole, folder / "good.raucb", good),
        build(whole, folder / "broken.raucb", broken, CRASHES),
    )
    with Desk(folder) as desk, Box(server_port=desk.port, announce=True) as box, ParkedCar(box):
        story = Story(box, desk)
        story.tell("box", "is switched on; the car beside it is parked")
        is_up(box)
        desk.introduce(box)
        story.tell("box", f"runs {judged(box)['version']} and knows its server")
        first = story.run(bundles[0].result(), good)
        story.tell("box", "the next version has a CAN bridge that crashes")
        second = story.run(bundles[1].result(), broken)
        print(box.agent.run("cockpitctl", "ota", "history").out)
        box.power_off()
    (proven,), (fell_back,) = first.finals, second.finals
    return (proven.finished, fell_back.finished) == ("success", "failure")


def main() -> int:
    """Run it; exit codes as in `smartcockpit.core.errors`, 1 when an update ended as it must not."""
    try:
        with tempfile.TemporaryDirectory(prefix="smartcockpit-demo-") as name, ThreadPoolExecutor(1) as pool:
            as_it_must = demonstrate(Path(name), pool.submit)
    except SmartCockpitError as error:
        print(f"make update-demo: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    print("both updates ended as they must" if as_it_must else "an update ended as it must not")
    return 0 if as_it_must else 1


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        sys.exit(main())
