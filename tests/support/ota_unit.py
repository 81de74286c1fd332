# SPDX-License-Identifier: Apache-2.0
"""A unit with the real agent process: private bus, RAUC's stand-in, car signals, the simulated hawkBit over TLS.

`reboot` does what boot loader and health gate do; everything else happens by itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.ota_client import OtaClient, OtaState
from smartcockpit.bus.publisher import SignalPublisher
from smartcockpit.bus.signal_service import SignalService
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.core.signals import Datatype, SignalSpec
from smartcockpit.core.update.gate import GEAR, PARKING_BRAKE, SPEED, VIN, VOLTAGE
from smartcockpit_bench.hawkbit.model import Bundle
from smartcockpit_bench.hawkbit.pki import Pki
from smartcockpit_bench.hawkbit.serve import HawkbitServer
from support.dbus_daemon import PrivateBus
from support.hawkbit import DEVICE, TOKEN

COMPATIBLE = "smartcockpit-test"
PATIENCE_S = 60.0
SPECS = (
    SignalSpec(SPEED, Datatype.FLOAT, "km/h"),
    SignalSpec(GEAR, Datatype.INT8),
    SignalSpec(PARKING_BRAKE, Datatype.BOOLEAN),
    SignalSpec(VOLTAGE, Datatype.FLOAT, "V"),
    SignalSpec(VIN, Datatype.STRING),
)
CONFIG = """
log_level = "debug"
[server]
url = "{url}"
controller_id = "car"
token_file = "{folder}/token"
ca_file = "{ca}"
poll_s = 0.1
retry_first_s = 0.02
retry_last_s = 0.1
stall_s = 0.3
total_s = 0.8
[download]
reserve_mib = 0.0
rate_window_s = 0.25
[gate]
inhibit_folder = "{folder}/inhibit"
ask = "{ask}"
retry_s = 0.1
[trial]
look_s = 0.02
retry_s = 0.1
reboot_s = 60.0
[files]
verdict = "{folder}/verdict.json"
boot_id = "{folder}/boot_id"
os_release = "{folder}/os-release"
"""


def bundle(version: str = "1.1.0", compatible: str = COMPATIBLE, pad: int = 0, **meta: str) -> Bundle:
    """Return a bundle that RAUC's stand-in takes."""
    said = {"compatible": compatible, "version": version, "meta": {"smartcockpit": meta} if meta else {}}
    data = json.dumps(said | {"pad": os.urandom(pad // 2).hex()}).encode()
    return Bundle(f"smartcockpit-{version}.raucb", data, version)


class CarSignals:
    """The owner of the car's signals."""

    def __init__(self, address: str) -> None:
        self._bus = BusConnection(address, "org.smartcockpit.CanBridge1")
        self._board = SignalBoard(SPECS)
        self._bus.export(SignalService(self._board))
        self._publisher = SignalPublisher(self._bus, self._board)

    async def start(self) -> None:
        await self._bus.connect()
        self.say(0.0, gear=126)

    def say(self, kmh: float, gear: int = 126, volt: float = 12.6, quality: int = 3) -> None:
        """Publish how the car is."""
        now = time.time_ns() // 1000
        values = (kmh, gear, False, volt, "WVWZZZ1JZXW000001")
        self._publisher.publish([(i, value, quality, now) for i, value in enumerate(values)])

    async def stop(self) -> None:
        self._publisher.close()
        await self._bus.close()


class OtaUnit:
    """Everything that is one unit, on disk in `folder`."""

    def __init__(
        self,
        folder: Path,
        bus: PrivateBus,
        server: HawkbitServer,
        pki: Pki,
        *,
        ask: str = "campaign",
        extra: str = "",
    ) -> None:
        self.folder, self.bus, self.server = folder, bus, server
        self._slots = folder / "slots.json"
        self.disk(
            booted="A", primary="A", compatible=COMPATIBLE, fault="",
            slots={n: {"version": v, "good": g, "complete": g, "count": 0} for n, v, g in (("A", "1.0.0", True), ("B", "", False))},
        )  # fmt: skip
        (folder / "token").write_text(TOKEN.partition(" ")[2])
        (folder / "boot_id").write_text(f"{uuid.uuid4()}\n")
        (folder / "os-release").write_text('IMAGE_VERSION="1.0.0"\n')
        config = CONFIG.format(url=server.url, folder=folder, ca=pki.ca_file, ask=ask) + extra
        (folder / "ota.toml").write_text(config)
        self.rauc: subprocess.Popen[bytes] | None = None
        self.agent: subprocess.Popen[str] | None = None
        self.log = folder / "agent.log"
        self.client = BusConnection(bus.address)

    # ---- life --------------------------------------------------------------------------------------------

    def start_rauc(self) -> None:
        if self.rauc is not None:
            self.rauc.kill()
            self.rauc.wait(10)
        self.rauc = subprocess.Popen(
            [sys.executable, "-m", "support.fake_rauc", self.bus.address, str(self._slots)],
            cwd=Path(__file__).parents[1],
        )

    def start_agent(self, fault: str = "") -> None:
        """Start the agent; `fault` such as "step:3" has it killed after the third step."""
        environment = self.bus.environment | {
            "SMARTCOCKPIT_CONFIG_PATH": str(self.folder), "STATE_DIRECTORY": str(self.folder / "state"),
            "RUNTIME_DIRECTORY": str(self.folder / "run"), "SC_FAULT": fault,
        }  # fmt: skip
        environment.pop("INVOCATION_ID", None)
        with self.log.open("a") as log:
            self.agent = subprocess.Popen(
                [sys.executable, "-m", "smartcockpit.daemons.ota"], env=environment, stderr=log, text=True
            )

    def kill_agent(self) -> None:
        if self.agent is not None:
            self.agent.kill()
            self.agent.wait(10)

    def reboot(self, healthy: bool = True, verdict: bool = True) -> None:
        """Boot what the boot loader takes; the health gate judges a slot on trial."""
        self.kill_agent()
        (self.folder / "run/reboot").unlink(missing_ok=True)
        state = self.disk()
        chosen = state["primary"]
        slot = state["slots"][chosen]
        boot_id = self._new_boot(slot["version"])
        if not slot["good"]:
            if verdict:
                self.write_verdict(boot_id, chosen, slot["version"], healthy)
            slot["good"] = healthy and verdict
            if not healthy:
                slot["complete"] = False
                chosen = "B" if chosen == "A" else "A"
                self._new_boot(state["slots"][chosen]["version"])
        self.disk(booted=chosen, primary=chosen, slots=state["slots"])
        self.start_agent()

    def _new_boot(self, version: str) -> str:
        boot_id = str(uuid.uuid4())
        (self.folder / "boot_id").write_text(boot_id + "\n")
        (self.folder / "os-release").write_text(f'IMAGE_VERSION="{version}"\n')
        return boot_id

    def write_verdict(self, boot_id: str, slot: str, version: str, good: bool) -> None:
        checks = [{"name": "bus", "ok": good, "detail": "it is dead" if not good else "", "ms": 1}]
        said = {
            "format": 1, "boot_id": boot_id, "slot": slot, "version": version, "trial": True,
            "verdict": "good" if good else "failed", "checks": checks,
        }  # fmt: skip
        (self.folder / "verdict.json").write_text(json.dumps(said))

    def disk(self, **values: Any) -> dict[str, Any]:
        """Change and return what boot loader and slots are."""
        found: dict[str, Any] = json.loads(self._slots.read_text()) if self._slots.exists() else {}
        if values:
            found |= values
            fresh = self._slots.with_suffix(".test")
            fresh.write_text(json.dumps(found))
            fresh.replace(self._slots)
        return found

    async def close(self) -> None:
        await self.client.close()
        for process in (self.agent, self.rauc):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait(10)

    # ---- looking -----------------------------------------------------------------------------------------

    async def state(self) -> OtaState | None:
        """Return the agent's properties, None while it is not there."""
        try:
            return await OtaClient(self.client).state()
        except SmartCockpitError:
            return None

    async def until(self, what: Callable[[], bool]) -> None:
        """Wait until `what` is true."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not what():
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"{await self.state()}\n{self.log.read_text()[-6000:]}") from None

    async def becomes(self, state: str = "", waiting: str | None = None) -> OtaState:
        """Wait for a state or a reason to wait of the agent."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    now = await self.state()
                    if (
                        now
                        and (not state or now.state == state)
                        and (waiting is None or now.waiting == waiting)
                    ):
                        return now
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"{await self.state()}\n{self.log.read_text()[-6000:]}") from None

    def wants_reboot(self) -> bool:
        return (self.folder / "run/reboot").exists()

    def record(self) -> list[dict[str, Any]]:
        path = self.folder / "state/record.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def assign(self, version: str = "1.1.0", **options: Any) -> Any:
        """Assign a bundle on the server."""
        pad = options.pop("pad", 0)
        return self.server.model.assign(DEVICE, bundle(version, pad=pad), **options)
