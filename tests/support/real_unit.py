# SPDX-License-Identifier: Apache-2.0
"""A unit of a fleet that a real hawkBit looks after."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from smartcockpit.bus.ota_client import OtaClient
from smartcockpit_bench.hawkbit.operators import RealOperator
from smartcockpit_bench.hawkbit.pki import Pki
from smartcockpit_bench.hawkbit.real import RealHawkbit
from support.dbus_daemon import PrivateBus
from support.hawkbit import DEVICE
from support.ota_unit import CarSignals, OtaUnit, bundle

NAME = "smartcockpit"


class Fleet:
    """What an operator does with the one unit; `sets` are the versions that are published already."""

    def __init__(self, hawkbit: RealHawkbit, operator: RealOperator, sets: dict[str, int]) -> None:
        self.hawkbit, self.operator, self._sets = hawkbit, operator, sets

    def publish(self, version: str, pad: int = 0, label: str = "") -> int:
        """Upload a version that RAUC's stand-in takes; another pad or label makes another set of it."""
        label = label or (f"{version}+pad{pad}" if pad else version)
        if label not in self._sets:
            made = bundle(version, pad=pad)
            self._sets[label] = self.hawkbit.upload(NAME, label, made.filename, made.data)
        return self._sets[label]

    def assign(
        self, version: str = "1.1.0", kind: str = "forced", pad: int = 0, label: str = "", **more: Any
    ) -> int:
        return self.hawkbit.assign(DEVICE, self.publish(version, pad, label), kind, **more)

    def ended(self, action: int) -> str:
        return self.operator.ended(DEVICE, action)

    def cancel(self, action: int, force: bool = False) -> None:
        self.hawkbit.cancel(DEVICE, action, force=force)

    def messages(self, action: int) -> list[tuple[str, str]]:
        """Return what the action's history shows, oldest first: kind and text."""
        entries = self.hawkbit.entries(DEVICE, action)
        return [(entry["type"], text or "") for entry in entries for text in entry["messages"]]

    def finals(self, action: int) -> list[str]:
        """Return how often and how it ended."""
        kinds = [entry["type"] for entry in self.hawkbit.entries(DEVICE, action)]
        return [kind for kind in kinds if kind in ("finished", "error", "canceled")]


class RealUnit(OtaUnit):
    """The agent, not started; `through` has it go another way to the server."""

    def __init__(self, folder: Path, bus: PrivateBus, fleet: Fleet, pki: Pki, car: CarSignals) -> None:
        server: Any = SimpleNamespace(url=fleet.hawkbit.url)
        super().__init__(folder, bus, server, pki)
        self.fleet, self.car = fleet, car

    def set(self, old: str, new: str) -> None:
        """Change a setting before the agent starts."""
        path = self.folder / "ota.toml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def through(self, port: int) -> None:
        self.set(self.server.url, f"https://localhost:{port}")

    @property
    def ota(self) -> OtaClient:
        return OtaClient(self.client)

    def hold(self) -> None:
        """Let somebody inhibit the installation."""
        (self.folder / "inhibit").mkdir(exist_ok=True)
        (self.folder / "inhibit/test").touch()
