# SPDX-License-Identifier: Apache-2.0
"""RAUC's D-Bus service without RAUC: the same interface, slots as lines of a JSON file, and its faults.

    python -m support.fake_rauc ADDRESS slots.json

The file is the boot loader and the disk: {"booted": "A", "primary": "A", "compatible": …, "slots": {"A":
{"version", "good", "complete", "count"}, "B": …}}; it outlives the process. A bundle is JSON: {"compatible",
"version", "meta": {group: {key: value}}}; anything else has a bad signature. `"fault"` in the file switches one
on: dies (in the middle), fails, busy, no-inspect (a RAUC older than 1.9), hangs (until the file says no more),
wild-progress, denied (by the policy of the bus).
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from dbus_next import DBusError, Variant
from dbus_next.aio import MessageBus
from dbus_next.service import PropertyAccess, ServiceInterface, dbus_property, method, signal

NAME = "de.pengutronix.rauc"
FAILED = "org.gtk.GDBus.UnmappedGError.Quark._g_2dio_2derror_2dquark.Code30"
"""How GDBus names G_IO_ERROR_FAILED_HANDLED on the wire."""


class Disk:
    """The file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._path.read_text())
        return found

    def change(self, **values: Any) -> None:
        found = self.read() | values
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(found))
        fresh.replace(self._path)

    def slot(self, name: str, **values: Any) -> None:
        slots = self.read()["slots"]
        slots[name] |= values
        self.change(slots=slots)


def manifest(path: str) -> dict[str, Any]:
    """Return what a bundle says, if its signature is right."""
    try:
        found = json.loads(Path(path).read_bytes())
        assert found["compatible"]
    except (OSError, ValueError, KeyError, TypeError):
        raise DBusError(FAILED, "signature verification failed: no signature found") from None
    return dict(found)


class Installer(ServiceInterface):
    """de.pengutronix.rauc.Installer."""

    def __init__(self, disk: Disk) -> None:
        super().__init__("de.pengutronix.rauc.Installer")
        self._disk = disk
        self._operation, self._error, self._progress = "idle", "", [0, "idle", 1]
        self._task: asyncio.Task[None] | None = None

    def _busy(self) -> None:
        if self._operation != "idle" or self._disk.read().get("fault") == "busy":
            raise DBusError(FAILED, "already processing a different method")

    @method()
    def InstallBundle(self, source: "s", args: "a{sv}"):  # noqa: F722, F821
        self._busy()
        if args:
            raise DBusError(FAILED, f"Unsupported key: {next(iter(args))}")
        self._set("installing")
        self._task = asyncio.get_running_loop().create_task(self._install(source))

    async def _install(self, source: str) -> None:
        disk, code = self._disk, 0
        state = disk.read()
        other = "B" if state["booted"] == "A" else "A"
        try:
            found = manifest(source)
            if found["compatible"] != state["compatible"]:
                raise DBusError(FAILED, f"Compatible mismatch: Expected '{state['compatible']}'")
            slot = state["slots"][other]
            disk.slot(other, complete=False, good=False, version=found["version"], count=slot["count"] + 1)
            for percent in (20, 40, 60, 80, 100):
                self._step(percent, "Copying image to rootfs.1")
                fault = disk.read().get("fault", "")
                if fault == "dies" and percent == 60:
                    disk.change(fault="")
                    os._exit(9)
                if fault == "fails" and percent == 60:
                    raise DBusError(FAILED, "Installation error: failed to write block 4711")
                while disk.read().get("fault") == "hangs" and percent == 60:
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.005)
            disk.slot(other, complete=True)
            disk.change(primary=other)
        except DBusError as error:
            self._error, code = error.text, 1
            self.emit_properties_changed({"LastError": self._error})
        self._set("idle")
        self.Completed(code)

    def _step(self, percent: int, text: str) -> None:
        wild = self._disk.read().get("fault") == "wild-progress"
        self._progress = [percent * 1000 if wild else percent, text * (100 if wild else 1), 1]
        self.emit_properties_changed({"Progress": self._progress})

    def _set(self, operation: str) -> None:
        self._operation = operation
        self.emit_properties_changed({"Operation": operation})

    @method()
    def InspectBundle(self, bundle: "s", args: "a{sv}") -> "a{sv}":  # noqa: F722, F821
        self._busy()
        found = manifest(bundle)
        update = {"compatible": Variant("s", found["compatible"]), "version": Variant("s", found["version"])}
        return {
            "manifest-hash": Variant("s", "0" * 64),
            "update": Variant("a{sv}", update),
            "bundle": Variant("a{sv}", {"format": Variant("s", "verity")}),
            "images": Variant("aa{sv}", []),
            "meta": Variant("a{sa{ss}}", found.get("meta", {})),
        }

    @method()
    def Info(self, bundle: "s") -> "ss":  # noqa: F821
        found = manifest(bundle)
        return [found["compatible"], found["version"]]

    @method()
    def Mark(self, state: "s", slot_identifier: "s") -> "ss":  # noqa: F821
        booted = self._disk.read()["booted"]
        name = booted if slot_identifier == "booted" else "B" if booted == "A" else "A"
        if state == "active":
            self._disk.change(primary=name)
        else:
            self._disk.slot(name, good=state == "good")
            if state == "bad":
                self._disk.change(primary="B" if name == "A" else "A")
        return [f"rootfs.{'AB'.index(name)}", f"marked slot rootfs.{'AB'.index(name)} as {state}"]

    @method()
    def GetSlotStatus(self) -> "a(sa{sv})":  # noqa: F722
        state = self._disk.read()
        if state.get("fault") == "denied":
            raise DBusError("org.freedesktop.DBus.Error.AccessDenied", "Rejected send message")
        return [
            [
                f"rootfs.{'AB'.index(name)}",
                {
                    "class": Variant("s", "rootfs"),
                    "bootname": Variant("s", name),
                    "state": Variant("s", "booted" if name == state["booted"] else "inactive"),
                    "boot-status": Variant("s", "good" if slot["good"] else "bad"),
                    "bundle.version": Variant("s", slot["version"]),
                    "status": Variant("s", "ok" if slot["complete"] else "pending"),
                    "installed.timestamp": Variant("s", "2026-01-01T00:00:00Z"),
                    "installed.count": Variant("u", slot["count"]),
                },
            ]
            for name, slot in state["slots"].items()
        ]

    @method()
    def GetPrimary(self) -> "s":  # noqa: F821
        return f"rootfs.{'AB'.index(self._disk.read()['primary'])}"

    @dbus_property(access=PropertyAccess.READ)
    def Operation(self) -> "s":  # noqa: F821
        return self._operation

    @dbus_property(access=PropertyAccess.READ)
    def LastError(self) -> "s":  # noqa: F821
        return self._error

    @dbus_property(access=PropertyAccess.READ)
    def Progress(self) -> "(isi)":  # noqa: F821
        return self._progress

    @dbus_property(access=PropertyAccess.READ)
    def Compatible(self) -> "s":  # noqa: F821
        return self._disk.read()["compatible"]

    @dbus_property(access=PropertyAccess.READ)
    def Variant(self) -> "s":  # noqa: F821
        return ""

    @dbus_property(access=PropertyAccess.READ)
    def BootSlot(self) -> "s":  # noqa: F821
        return self._disk.read()["booted"]

    @signal()
    def Completed(self, code: int) -> "i":  # noqa: F821
        return code


async def main() -> None:
    """Serve until the bus goes."""
    bus = await MessageBus(bus_address=sys.argv[1]).connect()
    disk = Disk(Path(sys.argv[2]))
    installer = Installer(disk)
    if disk.read().get("fault") == "no-inspect":
        members = installer._ServiceInterface__methods
        members[:] = [member for member in members if member.name != "InspectBundle"]
    bus.export("/", installer)
    await bus.request_name(NAME)
    await bus.wait_for_disconnect()


if __name__ == "__main__":
    asyncio.run(main())
