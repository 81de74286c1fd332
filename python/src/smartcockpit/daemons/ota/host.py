# SPDX-License-Identifier: Apache-2.0
"""This machine as the engine sees it: its files, clock and folders, and how a reboot is asked for."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import time
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from smartcockpit import __version__
from smartcockpit.adapters import durable
from smartcockpit.core.update import verdict as verdicts
from smartcockpit.core.update.pacing import floored_us
from smartcockpit.core.update.state import State, dump, load
from smartcockpit.core.update.verdict import Verdict
from smartcockpit.daemons.ota import events
from smartcockpit.daemons.ota.settings import Settings

log = logging.getLogger(__name__)
BUILT = Path(__file__)
"""Its time stamp is no later than the image; images without a clock chip start from there."""


class StateFile:
    """The durable state, `state.json`; a file that cannot be used is put aside and told of."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def save(self, state: State) -> None:
        """Keep `state`; raises `UnavailableError`."""
        durable.write(self._path, dump(state))

    def load(self) -> State:
        """Return what was kept, or the state of a unit that never had an update."""
        found = durable.read(self._path)
        if found is None and not self._path.exists():
            return State()
        try:
            return load(found or {})
        except Exception as error:
            events.STATE_LOST.log(log, reason=str(error))
            durable.put_aside(self._path)
            return State()


class Machine:
    """The real `smartcockpit.daemons.ota.ports.Host`; folders as systemd gives them."""

    def __init__(self, settings: Settings, state_folder: Path, runtime_folder: Path) -> None:
        self._settings = settings
        self._state, self._runtime = state_folder, runtime_folder
        self._downloads = state_folder / "download"
        self._downloads.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.running = _running(Path(settings.files.os_release))
        self.boot_id = _first_line(Path(settings.files.boot_id)) or "unknown"
        self._floors_us = (_changed_us(BUILT), _changed_us(Path(settings.files.saved_clock)))
        self._steps = 0
        # Tests cut the power after the n-th step: SC_FAULT=step:n. Never in a service of systemd's.
        fault = os.environ.get("SC_FAULT", "") if "INVOCATION_ID" not in os.environ else ""
        self._last_step = int(fault.removeprefix("step:") or 0) if fault.startswith("step:") else 0

    def now_us(self) -> int:
        """Return the time, never before what has certainly passed."""
        return floored_us(time.time_ns() // 1000, self._floors_us)

    def passed(self, floor_us: int) -> None:
        """Note a time that has certainly passed: a verified bundle was made before now."""
        self._floors_us = (max(self._floors_us[0], floor_us), *self._floors_us[1:])

    def clock_lost(self) -> bool:
        """True when the clock is behind what has certainly passed."""
        return time.time_ns() // 1000 < max(self._floors_us)

    def missing_bytes(self, sha256: str, size: int) -> int:
        """Return how many bytes are missing on the data partition for the rest of a bundle."""
        have = 0
        for suffix in (".part", ".raucb"):
            with contextlib.suppress(OSError):
                have = max(have, (self._downloads / f"{sha256 or '-'}{suffix}").stat().st_blocks * 512)
        room = os.statvfs(self._downloads)
        reserve = int(self._settings.download.reserve_mib * (1 << 20))
        return max(0, size - have + reserve - room.f_bavail * room.f_frsize)

    def metered(self) -> str:
        """Return the interface of the default route when it is one that costs money."""
        patterns = self._settings.download.metered_interfaces
        try:
            lines = Path(self._settings.files.routes).read_text().splitlines()[1:]
        except (OSError, UnicodeDecodeError):
            return ""
        routes = [line.split() for line in lines]
        # Columns of /proc/net/route: interface, destination, gateway, flags, …, metric (index 6), mask.
        defaults = [r for r in routes if len(r) > 7 and r[1] == r[7] == "00000000" and r[6].isdecimal()]
        if not defaults:
            return ""
        interface = min(defaults, key=lambda route: int(route[6]))[0]
        return interface if any(fnmatchcase(interface, pattern) for pattern in patterns) else ""

    def verdict(self) -> Verdict | None:
        """Return the health gate's last verdict."""
        found = durable.read(Path(self._settings.files.verdict))
        return verdicts.verdict(found) if found else None

    def bundle(self, sha256: str) -> str:
        """Return the path of a whole bundle."""
        return str(self._downloads / f"{sha256}.raucb")

    def sweep(self, *keep: str) -> None:
        """Delete all downloads but those with these checksums."""
        for path in self._downloads.iterdir():
            if path.name.partition(".")[0] not in keep:
                with contextlib.suppress(OSError):
                    path.unlink()

    def announce_trial(self, document: Mapping[str, Any] | None) -> None:
        """Write `trial.json` for the health gate, or take it away."""
        path = self._state / "trial.json"
        if document is None:
            if path.exists():
                durable.remove(path)
        else:
            durable.write(path, document, 0o644)

    def reboot(self) -> None:
        """Leave the request that smartcockpit-ota-reboot.path waits for."""
        self._runtime.mkdir(parents=True, exist_ok=True)
        (self._runtime / "reboot").touch()

    def step(self, name: str) -> None:
        """Log what has been kept; in a test, be killed right after it."""
        log.debug("step: %s", name)
        self._steps += 1
        if self._steps == self._last_step:
            os.kill(os.getpid(), signal.SIGKILL)


def controller_id(machine_id: Path = Path("/etc/machine-id")) -> str:
    """Return a name for this unit that does not show its machine id (machine-id(5))."""
    from hashlib import sha256
    from hmac import new

    secret = _first_line(machine_id) or "no machine id"
    return "smartcockpit-" + new(secret.encode(), b"org.smartcockpit.Ota1", sha256).hexdigest()[:16]


def _running(os_release: Path) -> str:
    """Return IMAGE_VERSION of os-release(5), else the version of this program."""
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in os_release.read_text().splitlines():
            key, _, value = line.partition("=")
            if key == "IMAGE_VERSION" and value.strip("\"'"):
                return value.strip("\"'")
    return __version__


def _first_line(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _changed_us(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns // 1000
    except OSError:
        return 0
