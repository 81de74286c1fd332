# SPDX-License-Identifier: Apache-2.0
"""A unit made of paper: the real engine between a simulated server, installer and machine, without a process.

`Killed` is raised where a SIGKILL would end the agent; `start` starts it anew with what it had kept. `boot`
does what boot loader and health gate do.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from smartcockpit.adapters.network import Answer, NetworkError
from smartcockpit.bus.rauc import BundleError, InstallerDiedError, Slots
from smartcockpit.core.errors import UnavailableError
from smartcockpit.core.update import state as states
from smartcockpit.core.update.decide import Ask
from smartcockpit.core.update.gate import Block
from smartcockpit.core.update.state import State
from smartcockpit.core.update.verdict import Verdict
from smartcockpit.core.update.version import precedence
from smartcockpit.daemons.ota.dialogue import Dialogue
from smartcockpit.daemons.ota.engine import Engine
from smartcockpit.daemons.ota.given import Pace, Ports
from smartcockpit_bench.hawkbit.model import Action, Bundle, Hawkbit
from smartcockpit_bench.hawkbit.routes import route

DEVICE = "car"
COMPATIBLE = "paper"


class Killed(BaseException):
    """The agent was killed here."""


@dataclass
class Disk:
    """What outlives everything."""

    state: str = ""
    record: list[dict[str, Any]] = field(default_factory=list)
    bundles: dict[str, bytes] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)
    trial: dict[str, Any] | None = None
    full: bool = False


@dataclass
class Slot:
    """A root slot."""

    version: str
    complete: bool = True
    good: bool = True
    count: int = 0


class PaperUnit:
    """Everything around the engine."""

    def __init__(self, server: Hawkbit, running: str = "1.0.0", pace: Pace | None = None) -> None:
        self.server = server
        self.disk = Disk()
        self.root = {"A": Slot(running), "B": Slot("", complete=False)}
        self.booted = self.primary = "A"
        self.boots = 1
        self.reboot_wanted = False
        self.online = True
        self.fault = "unreachable"
        self.verdict_: Verdict | None = None
        self.gate = Block()
        self.now = 1_800_000_000_000_000
        self.kill_at = -1
        """Number of the call into the outside at which the agent dies; -1: never."""
        self.calls = 0
        self.install_fault: Callable[[], None] = lambda: None
        self.written: list[str] = []
        """Versions that ran when a slot was written, with the slot: the running one must never be."""
        self.answers: list[tuple[Action, str]] = []
        """Final answers as the server took them, with the version that ran at that moment."""
        self.pace = pace or Pace(ask=Ask.CAMPAIGN, retry_first_s=0.0, retry_last_s=0.0)
        self.engine = self.start()

    # ---- life --------------------------------------------------------------------------------------------

    def start(self) -> Engine:
        """Start the agent with what the disk holds."""
        kept = states.load(json.loads(self.disk.state)) if self.disk.state else State()
        ports = Ports(
            self,
            self,
            self,
            self,
            self,
            self,
            self,
            Dialogue(self, f"{self.server.url}/DEFAULT/controller/v1/{DEVICE}"),
        )
        self.engine = Engine(kept, ports, self.pace, lambda: 0.5, lambda: None)
        self.engine.attributes = {"hardware": "paper"}
        return self.engine

    async def turns(self, count: int = 30) -> None:
        """Let the agent work, polling in each turn, until it rests."""
        for _ in range(count):
            self.engine.poll_at_s = 0.0
            self.engine.installer.succeeded()
            self.engine.network.succeeded()
            self.engine.storage.succeeded()
            before = (self.engine.state, self.reboot_wanted)
            await self.engine.turn()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            if self.engine._job is None and before == (self.engine.state, self.reboot_wanted):
                return

    async def crash(self) -> None:
        """Kill the agent as it is and start it again."""
        await self.engine._stop_job()
        self.start()

    async def boot(self, healthy: bool = True) -> None:
        """Boot what the boot loader takes, let the health gate judge a slot on trial."""
        await self.engine._stop_job()
        self.reboot_wanted = False
        self.boots += 1
        chosen = self.primary if self.root[self.primary].complete else "B" if self.primary == "A" else "A"
        on_trial = not self.root[chosen].good
        if on_trial:
            version = self.root[chosen].version
            self.verdict_ = Verdict(self.boot_id, chosen, version, healthy, "" if healthy else "bus: dead")
            if healthy:
                self.root[chosen].good = True
            else:
                self.root[chosen].complete = False
                chosen = self.primary = "B" if chosen == "A" else "A"
                self.boots += 1
        self.booted = self.primary = chosen
        self.start()

    def _call(self) -> None:
        self.calls += 1
        if self.calls == self.kill_at:
            self.kill_at = -1
            raise Killed

    # ---- Store, Record -----------------------------------------------------------------------------------

    def save(self, state: State) -> None:
        if self.disk.full:
            raise UnavailableError("state.json cannot be written: No space left on device")
        self._call()
        self.disk.state = json.dumps(states.dump(state))
        self._call()

    def append_once(self, key: str, entry: Mapping[str, Any]) -> None:
        self._call()
        if all(old["key"] != key for old in self.disk.record[-8:]):
            self.disk.record.append({"key": key, **entry})

    # ---- Net ---------------------------------------------------------------------------------------------

    async def exchange(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> Answer:
        self._call()
        await asyncio.sleep(0)
        if not self.online:
            raise NetworkError(self.fault, "no route to host")
        target = url.removeprefix(self.server.url)
        ended = [len(action.finals) for action in self.server.actions]
        reply = route(self.server, method, target, json.dumps(body) if body is not None else "")
        # installedBase adds an action that has ended: it comes last, and is nobody's answer
        for action, before in zip(self.server.actions, ended, strict=False):
            if len(action.finals) > before:
                self.answers.append((action, self.running))
        self._call()
        return Answer(reply.status, json.dumps(reply.document) if reply.document is not None else "")

    async def fetch(self, job: Mapping[str, Any], report: Callable[[int, int], None]) -> None:
        self._call()
        await asyncio.sleep(0)
        if not self.online:
            raise NetworkError(self.fault, "no route to host")
        reply = route(self.server, "GET", job["url"].removeprefix(self.server.url), "")
        if reply.bundle is None:
            raise NetworkError("status", f"the download is answered with {reply.status}")
        report(job["size"] // 2, job["size"] // 2)
        await asyncio.sleep(0)
        self.disk.bundles[job["sha256"]] = reply.bundle.data
        report(job["size"], job["size"] // 2)
        self._call()

    async def copy(self, path: str, folder: str, report: Callable[[int, int], None]) -> tuple[int, str]:
        bundle = Bundle("file.raucb", path.encode(), "")
        self.disk.bundles[bundle.sha256] = bundle.data
        return len(bundle.data), bundle.sha256

    async def rest(self) -> None:
        return None

    # ---- BundleInstaller ---------------------------------------------------------------------------------

    async def slots(self) -> Slots:
        other = "B" if self.booted == "A" else "A"
        slot = self.root[other]
        return Slots(
            self.booted, other, self.primary, self.root[self.booted].good, COMPATIBLE, "idle", slot.version,
            slot.complete, f"/{slot.count}",
        )  # fmt: skip

    async def inspect(self, path: str) -> dict[str, Any]:
        self._call()
        return {"update": said(self.disk.bundles[path])}

    async def install(self, path: str, progress: Callable[[int, str], None]) -> None:
        self._call()
        other = "B" if self.booted == "A" else "A"
        self.written.append(f"{other} while {self.booted} runs")
        version = said(self.disk.bundles[path])["version"]
        self.root[other] = Slot(version, complete=False, good=False, count=self.root[other].count + 1)
        progress(50, "copying")
        await asyncio.sleep(0)
        self._call()
        self.install_fault()
        self.root[other].complete = True
        self._call()
        self.primary = other
        self._call()

    async def wait(self, progress: Callable[[int, str], None]) -> None:
        raise InstallerDiedError("the installation ended unseen")

    async def activate_booted(self) -> None:
        self._call()
        self.primary = self.booted

    async def reject_booted(self) -> None:
        self.root[self.booted].complete = False

    # ---- Vehicle, Host -----------------------------------------------------------------------------------

    def want(self, wanted: bool) -> None:
        return None

    async def vin(self) -> str:
        return ""

    def block(self) -> Block:
        return self.gate

    @property
    def running(self) -> str:
        return self.root[self.booted].version

    @property
    def boot_id(self) -> str:
        return f"boot-{self.boots}"

    def now_us(self) -> int:
        self.now += 1000
        return self.now

    def passed(self, floor_us: int) -> None:
        return None

    def clock_lost(self) -> bool:
        return False

    def missing_bytes(self, sha256: str, size: int) -> int:
        return 0

    def metered(self) -> str:
        return ""

    def verdict(self) -> Verdict | None:
        return self.verdict_

    def bundle(self, sha256: str) -> str:
        return sha256

    def sweep(self, *keep: str) -> None:
        self.disk.bundles = {k: v for k, v in self.disk.bundles.items() if k in keep}

    def announce_trial(self, document: Mapping[str, Any] | None) -> None:
        self._call()
        self.disk.trial = dict(document) if document else None

    def reboot(self) -> None:
        self._call()
        self.reboot_wanted = True

    def step(self, name: str) -> None:
        return None

    async def hold(self, why: str) -> None:
        return None

    async def release(self) -> None:
        return None


def bundle(version: str, compatible: str = COMPATIBLE) -> Bundle:
    """Return a bundle that the paper installer understands."""
    data = json.dumps({"compatible": compatible, "version": version}).encode()
    return Bundle(f"smartcockpit-{version}.raucb", data, version)


def said(data: bytes) -> dict[str, str]:
    """Return what a paper bundle says of itself; raises `BundleError` for one that is broken."""
    try:
        found = json.loads(data)
    except ValueError:
        raise BundleError("signature verification failed") from None
    return {"compatible": found["compatible"], "version": found["version"]}


def is_newer(new: str, old: str) -> bool:
    """Tell whether version `new` is above `old`."""
    a, b = precedence(new), precedence(old)
    return a is not None and b is not None and a > b
