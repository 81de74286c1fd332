# SPDX-License-Identifier: Apache-2.0
"""Who looks after the server in `conversations`: a real hawkBit by its management API, or a simulated one."""

from __future__ import annotations

import contextlib
import time
from hashlib import sha256
from typing import Any

from smartcockpit.core.errors import UnavailableError

from smartcockpit_bench.hawkbit.conversations import NAME
from smartcockpit_bench.hawkbit.model import Bundle, Status
from smartcockpit_bench.hawkbit.real import RealHawkbit
from smartcockpit_bench.hawkbit.serve import HawkbitServer

HOUR_S = 3600


def bundle(version: str) -> Bundle:
    """Return the bundle of a version: always the same bytes, which no installer takes."""
    return Bundle(f"{NAME}-{version}.raucb", sha256(version.encode()).digest() * 32, version, NAME)


class RealOperator:
    """Uses the management API; each version is uploaded when it is first offered."""

    def __init__(self, server: RealHawkbit) -> None:
        self._server, self.url = server, server.url
        self._sets: dict[str, int] = {}

    def create_target(self, device: str, token: str) -> None:
        """See `Operator`; one that is there is made anew."""
        with contextlib.suppress(UnavailableError):
            self._server.rest("DELETE", f"/rest/v1/targets/{device}")
        self._server.create_target(device, token)

    def publish(self, version: str) -> None:
        """See `Operator`."""
        self._set(version)

    def _set(self, version: str) -> int:
        if version not in self._sets:
            made = bundle(version)
            self._sets[version] = self._server.upload(NAME, version, made.filename, made.data)
        return self._sets[version]

    def offer(self, device: str, version: str, kind: str = "forced", window: str = "") -> int:
        """See `Operator`; 0 when the server makes no action of it."""
        number = self._set(version)
        more: dict[str, Any] = {"maintenanceWindow": maintenance_window(window)} if window else {}
        name, _, when = kind.partition("-")
        if when:
            more["forcetime"] = int((time.time() + (HOUR_S if when == "later" else -HOUR_S)) * 1000)
        try:
            return self._server.assign(device, number, name, **more)
        except IndexError:
            return 0

    def make_forced(self, device: str, action: int) -> None:
        """See `Operator`."""
        self._server.rest("PUT", f"/rest/v1/targets/{device}/actions/{action}", {"forceType": "forced"})

    def cancel(self, device: str, action: int, *, force: bool = False) -> None:
        """See `Operator`."""
        self._server.cancel(device, action, force=force)

    def confirmation_flow(self, wanted: bool) -> None:
        """See `Operator`."""
        self._server.configure("user.confirmation.flow.enabled", wanted)

    def gateway_token(self, token: str) -> None:
        """See `Operator`."""
        self._server.configure("authentication.gatewaytoken.key", token or "-")
        self._server.configure("authentication.gatewaytoken.enabled", bool(token))

    def ended(self, device: str, action: int) -> str:
        """See `Operator`."""
        found = self._server.action(device, action)
        return "" if found["active"] else str(found["status"])

    def installed(self, device: str) -> tuple[str, str]:
        """See `Operator`."""
        status = self._server.rest("GET", f"/rest/v1/targets/{device}")["updateStatus"]
        found = self._server.rest("GET", f"/rest/v1/targets/{device}/installedDS")
        return (found["version"] if found else ""), status


def maintenance_window(state: str) -> dict[str, str]:
    """Return hawkBit's words for a window that is open for hours, or closed for as long (Quartz' cron)."""
    begin = time.gmtime(time.time() - 60 if state == "open" else time.time() + 12 * HOUR_S)
    return {"schedule": schedule(begin), "duration": "02:00:00", "timezone": "+00:00"}


def schedule(begin: time.struct_time) -> str:
    """Return the Quartz cron expression of one moment, UTC."""
    return time.strftime("%S %M %H %d %m ? %Y", begin)


class SimulatedOperator:
    """The same on the simulated server."""

    def __init__(self, server: HawkbitServer) -> None:
        self._server, self._model, self.url = server, server.model, server.url
        self._bundles: dict[str, Bundle] = {}

    def create_target(self, device: str, token: str) -> None:
        """See `Operator`."""
        self._model.create_target(device, token)

    def publish(self, version: str) -> None:
        """See `Operator`."""
        if version not in self._bundles:
            self._bundles[version] = bundle(version)
            self._model.modules.append(self._bundles[version])

    def offer(self, device: str, version: str, kind: str = "forced", window: str = "") -> int:
        """See `Operator`."""
        self.publish(version)
        made = self._bundles[version]
        if self._model.target(device).assigned == version:
            return 0
        action = self._model.assign(
            device, made, forced=kind in ("forced", "timeforced-since"),
            download_only=kind == "downloadonly", window={"": None}.get(window, window == "open"),
        )  # fmt: skip
        return action.number

    def make_forced(self, device: str, action: int) -> None:
        """See `Operator`."""
        self._find(device, action).forced = True

    def cancel(self, device: str, action: int, *, force: bool = False) -> None:
        """See `Operator`."""
        (self._model.force_quit if force else self._model.cancel)(self._find(device, action))

    def confirmation_flow(self, wanted: bool) -> None:
        """See `Operator`."""
        self._model.confirmation_flow = wanted

    def gateway_token(self, token: str) -> None:
        """See `Operator`."""
        self._model.gateway_token = token

    def ended(self, device: str, action: int) -> str:
        """See `Operator`."""
        status: Status = self._find(device, action).status
        return "" if status.active else status.value

    def installed(self, device: str) -> tuple[str, str]:
        """See `Operator`."""
        target = self._model.targets[device]
        return target.installed, target.status

    def _find(self, device: str, action: int) -> Any:
        found = self._model.find(device, action)
        if found is None:
            raise UnavailableError(f"{device} has no action {action}")
        return found
