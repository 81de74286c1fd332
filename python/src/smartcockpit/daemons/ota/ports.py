# SPDX-License-Identifier: Apache-2.0
"""What the engine needs of the outside: each a seam with the real thing behind it, and a fake in tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from smartcockpit.adapters.network import Answer
from smartcockpit.bus.rauc import Slots
from smartcockpit.core.update.gate import Block
from smartcockpit.core.update.state import State
from smartcockpit.core.update.verdict import Verdict


class Store(Protocol):
    """Keeps the state over power cuts."""

    def save(self, state: State) -> None:
        """Keep `state`; raises `UnavailableError` when it cannot be kept, and then it is not."""


class Record(Protocol):
    """The update record."""

    def append_once(self, key: str, entry: Mapping[str, Any]) -> None:
        """Append `entry` unless `key` is there already; raises `UnavailableError`."""


class Net(Protocol):
    """The network; errors are `NetworkError`."""

    async def exchange(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Send one request."""

    async def fetch(self, job: Mapping[str, Any], report: Callable[[int, int], None]) -> None:
        """Download a bundle."""

    async def copy(self, path: str, folder: str, report: Callable[[int, int], None]) -> tuple[int, str]:
        """Copy a local bundle; return size and SHA-256."""

    async def rest(self) -> None:
        """Nothing will be said for a while."""


class BundleInstaller(Protocol):
    """RAUC; errors as in `smartcockpit.bus.rauc`."""

    async def slots(self) -> Slots:
        """Return how the slots are."""

    async def inspect(self, path: str) -> dict[str, Any]:
        """Check the signature and return what the bundle says of itself."""

    async def install(self, path: str, progress: Callable[[int, str], None]) -> None:
        """Install and wait."""

    async def wait(self, progress: Callable[[int, str], None]) -> None:
        """Wait for an installation that runs already."""

    async def activate_booted(self) -> None:
        """Make the running slot the next to boot."""

    async def reject_booted(self) -> None:
        """Mark the running slot bad."""


class Vehicle(Protocol):
    """The car around us."""

    def want(self, wanted: bool) -> None:
        """Follow the signals, or leave them alone."""

    async def vin(self) -> str:
        """Return the vehicle identification number, "" while nobody knows it."""

    def block(self) -> Block:
        """Return what speaks against an installation or a reboot now."""


class Host(Protocol):
    """This machine."""

    running: str
    """Version that runs."""
    boot_id: str

    def now_us(self) -> int:
        """Return the time, µs since the Unix epoch, never before what is known to have passed."""

    def passed(self, floor_us: int) -> None:
        """Note a time that has certainly passed."""

    def clock_lost(self) -> bool:
        """True when the clock shows a time that has passed long ago."""

    def missing_bytes(self, sha256: str, size: int) -> int:
        """Return how many bytes of room are missing for a bundle, 0: it fits."""

    def metered(self) -> str:
        """Return the interface of the default route when its traffic costs money, else ""."""

    def verdict(self) -> Verdict | None:
        """Return the health gate's last verdict."""

    def bundle(self, sha256: str) -> str:
        """Return the path at which a whole bundle lies."""

    def sweep(self, *keep: str) -> None:
        """Delete downloads other than those with these checksums."""

    def announce_trial(self, document: Mapping[str, Any] | None) -> None:
        """Write what will be on trial, or take it away."""

    def reboot(self) -> None:
        """Ask for a reboot."""

    def step(self, name: str) -> None:
        """Something has been kept durably; the place where tests cut the power."""


class Power(Protocol):
    """Who could switch us off."""

    async def hold(self, why: str) -> None:
        """Keep the power on, as far as somebody can; told again it replaces what was held."""

    async def release(self) -> None:
        """Let it go."""
