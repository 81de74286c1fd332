# SPDX-License-Identifier: Apache-2.0
"""Wires the update agent: state file, network, RAUC, the car's signals and the engine between them.

Without a server it is inert: it holds its bus name, starts no network process and wakes up for nothing but
its watchdog.
"""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path
from urllib.parse import quote

from smartcockpit import __version__
from smartcockpit.adapters.network import Network
from smartcockpit.adapters.update_record import UpdateRecord
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.errors import NameTakenError
from smartcockpit.bus.rauc import Rauc
from smartcockpit.core.errors import ConfigError, UnavailableError
from smartcockpit.core.update.codes import Phase
from smartcockpit.core.update.decide import Ask
from smartcockpit.daemons.ota.dialogue import Dialogue
from smartcockpit.daemons.ota.engine import Engine
from smartcockpit.daemons.ota.given import Pace, Ports
from smartcockpit.daemons.ota.hold import PowerHold
from smartcockpit.daemons.ota.host import Machine, StateFile, controller_id
from smartcockpit.daemons.ota.service import OtaService
from smartcockpit.daemons.ota.settings import ServerSettings, Settings
from smartcockpit.daemons.ota.vehicle import CarGate
from smartcockpit.runtime.daemon import Life

log = logging.getLogger(__name__)
NAME = "org.smartcockpit.Ota1"
CONNECT_PAUSE_S = 0.5
TOKENS = {"target": "TargetToken", "gateway": "GatewayToken", "none": ""}


class Ota:
    """The update agent; see `smartcockpit.runtime.daemon.App`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        if settings.server.url and not settings.server.url.startswith("https://"):
            raise ConfigError(f"server.url: {settings.server.url!r} is not https", "only https:// is used")

    async def run(self, life: Life) -> None:
        """Serve until cancelled."""
        settings = self._settings
        state = Path(os.environ.get("STATE_DIRECTORY") or Path.home() / ".local/state/smartcockpit-ota")
        runtime = Path(os.environ.get("RUNTIME_DIRECTORY") or state / "run")
        machine = Machine(settings, state, runtime)
        record = UpdateRecord(state / "record.jsonl")
        file = StateFile(state / "state.json")
        connection = BusConnection(settings.dbus, NAME)
        network = Network(_access(settings.server))
        service = OtaService(settings.server.url, record, life.status)
        gate = CarGate(connection, settings.gate, lambda: engine.wake())  # noqa: PLW0108 - made later
        url = unit_url(settings.server)
        dialogue = Dialogue(network, url) if url else None
        power = PowerHold(connection)
        ports = Ports(file, record, network, Rauc(connection), gate, machine, power, dialogue)
        kept = file.load()
        machine.passed(kept.floor_us)
        engine = Engine(kept, ports, _pace(settings), _chance, service.changed)
        engine.attributes = {"version": machine.running, "agent": __version__}
        service.attach(engine)
        if engine.update.phase is Phase.IDLE:
            machine.announce_trial(None)
        connection.export(service)
        try:
            await _connect(connection)
            life.ready(url or "no server is configured")
            async with asyncio.TaskGroup() as group:
                group.create_task(connection.run(), name="connection")
                group.create_task(_watchdog(life), name="watchdog")
                group.create_task(engine.run(life.alive), name="engine")
        finally:
            await gate.close()
            await network.rest()
            await connection.close()


async def _watchdog(life: Life) -> None:
    """Feed the watchdog from the loop, as seldom as it allows."""
    while True:
        life.alive()
        await asyncio.sleep(60.0)


def unit_url(server: ServerSettings) -> str:
    """Return the address of this unit's resource on the server, "" without a server."""
    if not server.url:
        return ""
    name = server.controller_id or controller_id()
    return f"{server.url.rstrip('/')}/{quote(server.tenant, '')}/controller/v1/{quote(name, '')}"


def _access(server: ServerSettings) -> dict[str, object]:
    return {
        "origin": server.url or "https://localhost", "token_kind": TOKENS[server.token],
        "token_file": server.token_file, "ca_file": server.ca_file, "certificate": server.certificate,
        "key": server.key, "stall_s": server.stall_s, "total_s": server.total_s,
    }  # fmt: skip


def _pace(settings: Settings) -> Pace:
    server, download, trial = settings.server, settings.download, settings.trial
    return Pace(
        Ask(settings.gate.ask), server.poll_s, server.least_poll_s, server.retry_first_s, server.retry_last_s,
        download.deadline_h * 3600, int(download.metered_mib * (1 << 20)), trial.reboot_s, trial.verdict_s,
        trial.look_s, download.least_rate, download.rate_window_s, trial.retry_s, server.distribution,
    )  # fmt: skip


def _chance() -> float:
    return int.from_bytes(os.urandom(4), "little") / (1 << 32)


async def _connect(connection: BusConnection) -> None:
    """Connect to the message bus, waiting for it when it is not there yet."""
    told = False
    while True:
        try:
            return await connection.connect()
        except NameTakenError:
            raise
        except UnavailableError as error:
            if not told:
                log.warning("waiting for the message bus: %s", error)
                told = True
            await asyncio.sleep(CONNECT_PAUSE_S)
