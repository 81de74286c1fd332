# SPDX-License-Identifier: Apache-2.0
"""systemd and RAUC on a private bus, as far as the health gate talks to them; written with stock dbus-next.

Units are plain dictionaries of properties; RAUC keeps its counters as the boot loader's environment would.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Self

from dbus_next import Message, MessageType, Variant
from dbus_next.aio import MessageBus

SYSTEMD = "org.freedesktop.systemd1"
RAUC = "de.pengutronix.rauc"
TARGET = "smartcockpit.target"
_SIGNATURES = {
    "ActiveEnterTimestampMonotonic": "t", "WatchdogUSec": "t", "WatchdogTimestampMonotonic": "t", "NRestarts": "u",
    "ConditionResult": "b", "Wants": "as", "Requires": "as",
}  # fmt: skip


def monotonic_us() -> int:
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def running(**changed: Any) -> dict[str, Any]:
    """Properties of a daemon that has been up for a minute and feeds its watchdog."""
    now = monotonic_us()
    return {
        "LoadState": "loaded", "ActiveState": "active", "SubState": "running", "Type": "notify", "NRestarts": 0,
        "ActiveEnterTimestampMonotonic": now - 60_000_000, "WatchdogUSec": 20_000_000,
        "WatchdogTimestampMonotonic": now, "ConditionResult": True, **changed,
    }  # fmt: skip


class PaperSystem:
    """Owns both names. `units` may be changed at any time; `marks` is what RAUC was told."""

    def __init__(self, bus: Any) -> None:
        self._bus = bus
        self.units: dict[str, dict[str, Any]] = {}
        self.slots: dict[str, dict[str, Any]] = {
            "A": {"state": "inactive", "boot-status": "good"},
            "B": {"state": "booted", "boot-status": "good", "sha256": "ab12", "installed.count": 3},
        }
        self.marks: list[tuple[str, str]] = []
        self.rauc_answers = self.rauc_marks = True
        self.rauc_is_busy = 0
        """For so many calls RAUC is occupied by an installation."""
        self._asked: dict[str, asyncio.Event] = {}
        bus.add_message_handler(self._answer)

    @classmethod
    async def on(cls, address: str) -> Self:
        """Connect and take the names."""
        bus = await MessageBus(bus_address=address).connect()
        system = cls(bus)
        for name in (SYSTEMD, RAUC):
            await bus.request_name(name)
        return system

    def start(self, *daemons: str) -> None:
        """Make the target want these daemons, all of them healthy."""
        names = [f"smartcockpit-{daemon}.service" for daemon in daemons]
        self.units |= {name: running() for name in names}
        self.units[TARGET] = {"LoadState": "loaded", "ActiveState": "active", "Wants": names}

    async def asked_for(self, unit: str) -> None:
        """Wait until somebody has asked for the properties of `unit`."""
        await self._asked.setdefault(unit, asyncio.Event()).wait()

    def close(self) -> None:
        disconnect(self._bus)

    def _answer(self, message: Any) -> Any:
        if message.message_type is not MessageType.METHOD_CALL or message.member == "Hello":
            return None
        if message.destination == RAUC or message.interface == f"{RAUC}.Installer":
            return self._rauc(message)
        if message.path.startswith("/org/freedesktop/systemd1"):
            return self._systemd(message)
        return None

    def _systemd(self, message: Any) -> Any:
        if message.member == "LoadUnit":
            return Message.new_method_return(
                message, "o", ["/org/freedesktop/systemd1/unit/" + _label(message.body[0])]
            )
        if message.path == "/org/freedesktop/systemd1":
            return Message.new_method_return(message, "a{sv}", [{"Version": Variant("s", "257")}])
        unit = bytes.fromhex(message.path.rpartition("/")[2][1:]).decode()
        self._asked.setdefault(unit, asyncio.Event()).set()
        found = self.units.get(unit, {"LoadState": "not-found", "ActiveState": "inactive"})
        if message.body[0] == f"{SYSTEMD}.Service" and not unit.endswith(".service"):
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownInterface", "no service")
        rows = {key: Variant(_SIGNATURES.get(key, "s"), value) for key, value in found.items()}
        return Message.new_method_return(message, "a{sv}", [rows])

    def _rauc(self, message: Any) -> Any:
        if not self.rauc_answers:
            return Message.new_error(message, f"{RAUC}.Error", "no boot loader")
        if self.rauc_is_busy:
            self.rauc_is_busy -= 1
            said = "already processing a different method"
            return Message.new_error(
                message, "org.gtk.GDBus.UnmappedGError.Quark._g_2dio_2derror_2dquark.Code0", said
            )
        if message.member == "Mark" and not self.rauc_marks:
            return Message.new_error(message, f"{RAUC}.Error", "the environment cannot be written")
        if message.member == "Mark":
            state, slot = message.body
            self.marks.append((state, slot))
            return Message.new_method_return(message, "ss", ["rootfs.1", "marked"])
        rows = [
            [f"rootfs.{number}", {
                key: Variant("u" if key == "installed.count" else "s", value)
                for key, value in {"class": "rootfs", "bootname": name, **slot}.items()
            }]
            for number, (name, slot) in enumerate(self.slots.items())
        ]  # fmt: skip
        return Message.new_method_return(message, "a(sa{sv})", [rows])


class Face:
    """A service whose interface of the same name has properties and nothing else."""

    def __init__(self, bus: Any, properties: dict[str, Any]) -> None:
        self._bus, self.properties = bus, properties
        self.asked = asyncio.Event()
        bus.add_message_handler(self._answer)

    @classmethod
    async def on(cls, address: str, name: str, properties: dict[str, Any]) -> Self:
        """Connect, offer `properties`, take the name."""
        bus = await MessageBus(bus_address=address).connect()
        face = cls(bus, properties)
        await bus.request_name(name)
        return face

    def close(self) -> None:
        disconnect(self._bus)

    def _answer(self, message: Any) -> Any:
        if message.message_type is MessageType.METHOD_CALL and message.member == "GetAll":
            self.asked.set()
            known = {key: variant(value) for key, value in self.properties.items()}
            return Message.new_method_return(message, "a{sv}", [known])
        return None


class Anything:
    """A service that answers every call with nothing: for tests of who may call."""

    def __init__(self, bus: Any) -> None:
        self._bus = bus
        bus.add_message_handler(self._answer)

    @classmethod
    async def on(cls, address: str, name: str) -> Self:
        """Connect and take the name."""
        bus = await MessageBus(bus_address=address).connect()
        anything = cls(bus)
        await bus.request_name(name)
        return anything

    def close(self) -> None:
        disconnect(self._bus)

    def _answer(self, message: Any) -> Any:
        return Message.new_method_return(message) if message.message_type is MessageType.METHOD_CALL else None


def variant(value: Any) -> Any:
    """Return a number, a text or a dictionary of them as a variant."""
    if isinstance(value, dict):
        return Variant("a{sv}", {key: variant(item) for key, item in value.items()})
    return Variant("t" if isinstance(value, int) else "s", value)


def disconnect(bus: Any) -> None:
    """Close a connection of dbus-next at once; its own way leaves the socket to the collector."""
    bus.disconnect()
    bus._finalize(None)
    bus._stream.close()
    bus._sock.close()


def _label(unit: str) -> str:
    return "u" + unit.encode().hex()
