# SPDX-License-Identifier: Apache-2.0
"""The simulated hawkBit on this desk, and a box that is told to take its updates from there.

The box reaches nothing of the host but this server, at the address that `qemu.machine` gives it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

from smartcockpit.core.errors import SmartCockpitError

from smartcockpit_bench.bundle.notes import read_notes
from smartcockpit_bench.hawkbit.model import Action, Bundle, Hawkbit
from smartcockpit_bench.hawkbit.pki import Pki
from smartcockpit_bench.hawkbit.serve import HawkbitServer
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.qemu.machine import SERVER

DEVICE, TOKEN = "box", "0123456789abcdef0123456789abcdef"
URL = f"https://{SERVER[0]}"
SETTINGS = f"""\
[server]
url = "{URL}"
controller_id = "{DEVICE}"
ca_file = "/etc/smartcockpit/update-server.pem"
poll_s = 30.0
retry_first_s = 2.0
retry_last_s = 10.0
"""
_AGENT = ("org.smartcockpit.Ota1", "/org/smartcockpit/Ota1")
_CHECK = ("call", *_AGENT, "org.smartcockpit.Ota1", "Check")
_PROPERTIES = ("org.freedesktop.DBus.Properties", "GetAll", "s", "org.smartcockpit.Ota1")
_GET_ALL = ("--json=short", "call", *_AGENT, *_PROPERTIES)
_INTRODUCE = """
umask 022
mkdir -p /etc/smartcockpit
cat > /etc/smartcockpit/update-server.pem
printf '%s' "$1" > /etc/smartcockpit/ota.toml
umask 077
printf '%s\\n' "$2" > /var/lib/smartcockpit-ota/token
chown smartcockpit-ota: /var/lib/smartcockpit-ota/token
systemctl restart smartcockpit-ota
"""


class Desk:
    """Use as a context manager; `port` is what the box must be given as `server_port`."""

    def __init__(self, folder: Path) -> None:
        self.pki = Pki(folder, (SERVER[0],))
        self.model = Hawkbit()
        self.model.confirmation_flow = True
        self.server = HawkbitServer(self.model, self.pki.context(), f"TargetToken {TOKEN}")
        self.model.url = URL
        self.port = self.server.port

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self.server.__exit__(*exc)

    def introduce(self, box: Box) -> None:
        """Give the box the server's address, its certificate and a token; they stay on its data partition."""
        certificate = self.pki.ca_file.read_text()
        box.agent.run("/bin/sh", "-euc", _INTRODUCE, "introduce", SETTINGS, TOKEN, stdin=certificate)

    def offer(self, box: Box, bundle: Path, version: str) -> Action:
        """Offer the bundle to the box, and have it ask at once; its user will be asked in turn."""
        notes = {key: str(value) for key, value in read_notes(None).items()}
        offered = Bundle(bundle.name, bundle.read_bytes(), version, metadata=notes)
        action = self.model.assign(DEVICE, offered)
        box.agent.run("busctl", *_CHECK)
        return action


def status(box: Box) -> dict[str, Any]:
    """Return the properties of the box's agent (org.smartcockpit.Ota1); empty while it is not there.

    By systemd's own tool: it may be asked every second without keeping an emulated processor busy.
    """
    try:
        done = box.agent.run("busctl", *_GET_ALL, check=False)
    except SmartCockpitError:  # it restarts
        box.agent.close()
        return {}
    return _plain(json.loads(done.out)["data"][0]) if done.code == 0 else {}


def _plain(properties: dict[str, Any]) -> dict[str, Any]:
    """Return what busctl(1) prints of a{sv} as plain values."""
    values = {name: variant["data"] for name, variant in properties.items()}
    return {name: _plain(value) if isinstance(value, dict) else value for name, value in values.items()}
