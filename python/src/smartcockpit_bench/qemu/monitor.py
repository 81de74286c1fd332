# SPDX-License-Identifier: Apache-2.0
"""QEMU's monitor (QMP): power button, reset, link of a device. Knows the machine, not the guest."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from smartcockpit.core.errors import SmartCockpitError, UnavailableError

from smartcockpit_bench.qemu.channel import Channel


class Monitor:
    """One QMP session."""

    def __init__(self, path: Path) -> None:
        self._channel = Channel(path)
        self._channel.receive(10.0)  # the greeting
        self.execute("qmp_capabilities")

    def execute(self, command: str, timeout_s: float = 10.0, **arguments: Any) -> Any:
        """Run a QMP command and return its result; events in between are dropped."""
        self._channel.send({"execute": command, "arguments": arguments})
        while True:
            reply = self._channel.receive(timeout_s)
            if "error" in reply:
                raise SmartCockpitError(f"QEMU refuses {command}: {reply['error'].get('desc')}")
            if "return" in reply:
                return reply["return"]

    def wait_event(self, name: str, timeout_s: float) -> dict[str, Any]:
        """Return the next event of this name (SHUTDOWN, RESET, WATCHDOG …)."""
        end_s = time.monotonic() + timeout_s
        while True:
            message = self._channel.receive(max(0.0, end_s - time.monotonic()))
            if message.get("event") == name:
                return message

    def press_power_button(self) -> None:
        """Ask the guest, by ACPI, to shut down."""
        self.execute("system_powerdown")

    def quit(self) -> None:
        """End QEMU at once."""
        try:
            self.execute("quit")
        except UnavailableError:
            return

    def close(self) -> None:
        """End the session; the machine runs on."""
        self._channel.close()
