# SPDX-License-Identifier: Apache-2.0
"""RAUC's service (de.pengutronix.rauc.Installer) as the update agent uses it.

Options that switch checks off (`ignore-compatible`, `ignore-version-limit`, `tls-no-verify`) do not occur
here. RAUC says by a signal how an installation ended; when its process dies there is none, so the bus is
asked who owns the name as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from smartcockpit.bus.client import properties
from smartcockpit.bus.codec import Incoming
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.errors import AccessDeniedError, NotOfferedError, RemoteError
from smartcockpit.bus.match import MatchRule
from smartcockpit.bus.names import DBUS_INTERFACE, DBUS_NAME, INTROSPECTABLE, PROPERTIES
from smartcockpit.core.errors import SmartCockpitError, UnavailableError, UsageError
from smartcockpit.core.named import NamedTuple

NAME = "de.pengutronix.rauc"
PATH = "/"
INTERFACE = "de.pengutronix.rauc.Installer"
INSPECT_S = 120.0
"""RAUC verifies the bundle's signature, on a slow card and processor."""


class InstallerBusyError(UnavailableError):
    """RAUC works on something else."""


class InstallerDiedError(UnavailableError):
    """RAUC went away while it installed: what is in the slot is not known."""


class BundleError(UsageError):
    """RAUC refuses the bundle; the message is its own."""


class Slots(NamedTuple):
    """The root slots, by boot name such as A; "" where RAUC does not say."""

    booted: str
    other: str
    primary: str
    """Which is booted next."""
    booted_good: bool
    compatible: str
    operation: str
    other_version: str
    """Version of the bundle that was last installed into the other slot."""
    other_complete: bool
    other_stamp: str
    """When that was, as RAUC writes it."""


class Rauc:
    """Client of RAUC on `connection`."""

    def __init__(self, connection: BusConnection) -> None:
        self._connection = connection

    async def slots(self) -> Slots:
        """Return how the slots are; raises `UnavailableError`."""
        with _as_unavailable("RAUC does not show its slots"):
            known = await properties(self._connection, NAME, PATH, INTERFACE)
            (rows,) = await self._call("GetSlotStatus")
        slots = {name: row for name, row in rows if row.get("class") == "rootfs"}
        booted: dict[str, Any] = next((s for s in slots.values() if s.get("state") == "booted"), {})
        other: dict[str, Any] = next((s for s in slots.values() if s.get("state") != "booted"), {})
        try:
            (primary,) = await self._call("GetPrimary")
        except RemoteError:  # the boot loader's variables cannot be read
            primary = ""
        return Slots(
            booted.get("bootname", ""),
            other.get("bootname", ""),
            slots.get(primary, {}).get("bootname", ""),
            booted.get("boot-status") == "good",
            known.get("Compatible", ""),
            known.get("Operation", ""),
            other.get("bundle.version", ""),
            other.get("status") == "ok",
            f"{other.get('installed.timestamp', '')}/{other.get('installed.count', 0)}",
        )

    async def inspect(self, path: str) -> dict[str, Any]:
        """Return what the bundle says of itself, its signature checked; at least `update` with compatible
        and version.

        Raises `BundleError` with RAUC's words, `UnavailableError`.
        """
        if await self._offers("InspectBundle"):
            (found,) = await self._ask_bundle("InspectBundle", "sa{sv}", path, {})
            return dict(found)
        compatible, version = await self._ask_bundle("Info", "s", path)
        return {"update": {"compatible": compatible, "version": version}}

    async def install(self, path: str, progress: Callable[[int, str], None]) -> None:
        """Install the bundle at `path` and wait for the end.

        Raises `BundleError` with RAUC's words when it fails, `InstallerBusyError`, `InstallerDiedError`.
        """
        async with _Watch(self._connection, progress) as watch:
            try:
                await self._call("InstallBundle", "sa{sv}", path, {}, timeout_s=INSPECT_S)
            except RemoteError as error:
                if "lready processing" in error.message:
                    raise InstallerBusyError(f"RAUC is busy: {error.message}") from error
                raise BundleError(error.message) from error
            await self._ended(watch)

    async def wait(self, progress: Callable[[int, str], None]) -> None:
        """Wait for the end of an installation that runs already; raises as `install` does."""
        async with _Watch(self._connection, progress) as watch:
            known = await properties(self._connection, NAME, PATH, INTERFACE)
            if known.get("Operation") != "installing":
                raise InstallerDiedError("the installation ended unseen")
            await self._ended(watch)

    async def _ended(self, watch: _Watch) -> None:
        result = await watch.result
        if result is None:
            raise InstallerDiedError("RAUC ended in the middle of the installation")
        if result:
            arguments = (INTERFACE, "LastError")
            (error,) = await self._connection.call(NAME, PATH, PROPERTIES, "Get", "ss", arguments)
            raise BundleError(str(error) or f"RAUC failed with {result}")

    async def activate_booted(self) -> None:
        """Make the running slot the next to boot."""
        with _as_unavailable("the running slot cannot be made the next to boot"):
            await self._call("Mark", "ss", "active", "booted")

    async def reject_booted(self) -> None:
        """Mark the running slot bad: the next boot takes the other one."""
        with _as_unavailable("the running slot cannot be marked bad"):
            await self._call("Mark", "ss", "bad", "booted")

    async def _offers(self, method: str) -> bool:
        """Tell from RAUC's introspection whether it has `method`: its releases differ."""
        (xml,) = await self._connection.call(NAME, PATH, INTROSPECTABLE, "Introspect")
        return f'<method name="{method}">' in str(xml)

    async def _ask_bundle(self, member: str, signature: str, *args: Any) -> list[Any]:
        try:
            return await self._call(member, signature, *args, timeout_s=INSPECT_S)
        except RemoteError as error:
            if "lready processing" in error.message:
                raise InstallerBusyError(f"RAUC is busy: {error.message}") from error
            raise BundleError(error.message) from error

    async def _call(self, member: str, signature: str = "", *args: Any, timeout_s: float = 30.0) -> list[Any]:
        try:
            return await self._connection.call(
                NAME, PATH, INTERFACE, member, signature, args, timeout_s=timeout_s
            )
        except NotOfferedError as error:
            raise UnavailableError(f"RAUC offers no {member}", "RAUC 1.8 or newer is needed") from error
        except AccessDeniedError as error:
            raise UnavailableError(error.message, "is RAUC's D-Bus policy the one of this image?") from error


@contextmanager
def _as_unavailable(what: str) -> Iterator[None]:
    """An error of RAUC's where it should have none: it is not fit to be worked with now."""
    try:
        yield
    except UnavailableError:
        raise
    except SmartCockpitError as error:
        raise UnavailableError(f"{what}: {error.message}", error.hint) from error


class _Watch:
    """Follows one installation; `result` gets RAUC's code, None when it died, when the bus is lost too."""

    def __init__(self, connection: BusConnection, progress: Callable[[int, str], None]) -> None:
        self._connection, self._progress = connection, progress
        self.result: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._subscriptions: list[Any] = []
        self._watching = False

    async def __aenter__(self) -> _Watch:
        rules = (
            (MatchRule(INTERFACE, "Completed", PATH, sender=NAME), self._completed),
            (MatchRule(PROPERTIES, "PropertiesChanged", PATH, sender=NAME, arg0=INTERFACE), self._changed),
            (MatchRule(DBUS_INTERFACE, "NameOwnerChanged", sender=DBUS_NAME, arg0=NAME), self._owner_changed),
        )
        for rule, handler in rules:
            self._subscriptions.append(await self._connection.subscribe(rule, handler))
        self._connection.on_connected(self._reconnected)
        self._watching = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self._connection.on_connected(self._reconnected, remove=True)
        for subscription in self._subscriptions:
            try:
                await subscription.close()
            except SmartCockpitError:
                continue

    def _end(self, code: int | None) -> None:
        if not self.result.done():
            self.result.set_result(code)

    def _completed(self, message: Incoming) -> None:
        if message.signature == "i":
            self._end(int(message.args()[0]))

    def _changed(self, message: Incoming) -> None:
        found = message.args()[1].get("Progress") if message.signature == "sa{sv}as" else None
        if isinstance(found, tuple | list) and len(found) == 3:
            percent, text, _ = found
            self._progress(min(max(int(percent), 0), 100), str(text)[:200])

    def _owner_changed(self, message: Incoming) -> None:
        name, old, _ = message.args()
        if name == NAME and old:
            self._end(None)

    def _reconnected(self) -> None:
        if self._watching:  # the first call comes at once, of the connection that there is
            self._end(None)  # RAUC ends with the bus, and what it said meanwhile is lost
