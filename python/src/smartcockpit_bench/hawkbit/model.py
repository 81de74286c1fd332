# SPDX-License-Identifier: Apache-2.0
"""What hawkBit knows, what operators do with it, and what it makes of what devices tell; without a network.

Follows hawkBit 1.0.4: which feedback ends an action, 404, 405 and 410, quotas, what a target counts as. A
contract test holds it against recorded exchanges with the real one. What devices are shown is `documents`'.
Not modelled: rollouts, weights, tenants, DMF.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from smartcockpit_bench.hawkbit.actions import Action, Bundle, Entry, Status, Target

__all__ = ["Action", "Bundle", "Entry", "Hawkbit", "Status", "Target"]

STATUS_ENTRIES, MESSAGES, ATTRIBUTES = 1000, 50, 100
"""Quotas of an action, of an entry and of a target; past them the answer is 429."""
_ATTRIBUTE = re.compile(r"[\t-\r -_a-}]{0,128}")
"""Keys and values of configData: ASCII without ` and ~ (hawkBit's JpaControllerManagement)."""
EXECUTIONS = {
    "closed", "proceeding", "canceled", "scheduled", "rejected", "resumed", "downloaded", "download",
}  # fmt: skip
OK, CREATED, BAD_REQUEST, NOT_FOUND, NOT_ALLOWED, GONE, TOO_MANY = 200, 201, 400, 404, 405, 410, 429


class Hawkbit:
    """The server's state; `url` is set by whoever puts it on a network."""

    def __init__(self) -> None:
        self.url = "https://localhost"
        self.download_url = ""
        """Another origin for artifacts, as a CDN would be; "" the same."""
        self.sleep = "00:05:00"
        self.confirmation_flow = False
        self.gateway_token = ""
        self.actions: list[Action] = []
        self.modules: list[Bundle] = []
        self.targets: dict[str, Target] = {}
        self.attributes: dict[str, dict[str, str]] = {}
        self.installed: dict[str, list[tuple[str, str]]] = {}
        """Versions that devices said they run, in that order."""
        self.polls = 0

    def target(self, device: str) -> Target:
        """Return a device, which plugs and plays."""
        return self.targets.setdefault(device, Target())

    def admits(self, device: str, authorization: str) -> bool:
        """Tell whether a device is let in with these words."""
        known = self.targets.get(device)
        own = known is not None and known.token and authorization == f"TargetToken {known.token}"
        return bool(own or (self.gateway_token and authorization == f"GatewayToken {self.gateway_token}"))

    # ---- what operators do -------------------------------------------------------------------------------

    def assign(
        self, device: str, bundle: Bundle, *, forced: bool = True, download_only: bool = False,
        window: bool | None = None,
    ) -> Action:  # fmt: skip
        """Assign `bundle`; an older active action gets cancelled, as hawkBit does by default."""
        for old in self.actions:
            if old.device == device and old.status.active:
                self.cancel(old)
        if bundle not in self.modules:
            self.modules.append(bundle)
        status = Status.WAIT_FOR_CONFIRMATION if self.confirmation_flow else Status.RUNNING
        action = Action(len(self.actions) + 1, device, bundle, forced, download_only, window, status)
        self.actions.append(action)
        target = self.target(device)
        target.assigned, target.status = bundle.version, "pending"
        return action

    def create_target(self, device: str, token: str) -> None:
        """Make a target with its token."""
        self.targets[device] = Target(token)

    def cancel(self, action: Action) -> None:
        """Ask the device to stop; an action that it never saw ends at once only by force."""
        if action.status.active:
            action.status = Status.CANCELING
            action.note()

    def force_quit(self, action: Action) -> None:
        """Forget the action without asking the device."""
        self._cancelled(action)

    def _cancelled(self, action: Action) -> None:
        action.status = Status.CANCELED
        target = self.target(action.device)
        others = [a for a in self.actions if a.device == action.device and a.status.active]
        target.assigned = others[0].bundle.version if others else target.installed
        target.status = target.status if others else "in_sync"

    # ---- what devices tell -------------------------------------------------------------------------------

    def feedback(self, device: str, number: int, body: Mapping[str, Any]) -> int:
        """POST deploymentBase/{id}/feedback."""
        entry = _entry(body)
        action = self.find(device, number)
        if entry is None:
            return BAD_REQUEST
        if action is None or action.status is Status.WAIT_FOR_CONFIRMATION:
            return NOT_FOUND
        if not action.status.active:
            return GONE
        final = entry.execution == "closed"
        if (not final and action.noted >= STATUS_ENTRIES) or entry.messages > MESSAGES:
            return TOO_MANY
        action.entries.append(entry)
        action.note()
        if final:
            self._ended(action, entry, body.get("timestamp"))
        elif entry.execution == "downloaded" and action.download_only:
            final, action.status = True, Status.DOWNLOADED
            target = self.target(device)
            target.status, target.asks = "in_sync", True
        if final:
            action.finals.append(entry)
        return OK

    def _ended(self, action: Action, entry: Entry, timestamp: Any) -> None:
        """Success counts from the time that the device names: one before the last success is not seen."""
        target = self.target(action.device)
        if entry.finished == "failure":
            action.status, target.status, target.assigned = Status.ERROR, "error", ""
            return
        action.status, target.asks = Status.FINISHED, True
        when_ms = timestamp if isinstance(timestamp, int) else time.time_ns() // 1_000_000
        if target.installed_ms <= when_ms:
            target.installed, target.installed_ms = action.bundle.version, when_ms
            if target.assigned == target.installed:
                target.status = "in_sync"

    def cancel_feedback(self, device: str, number: int, body: Mapping[str, Any]) -> int:
        """POST cancelAction/{id}/feedback."""
        entry = _entry(body)
        action = self.find(device, number)
        if entry is None:
            return BAD_REQUEST
        if action is None:
            return NOT_FOUND
        if action.status not in (Status.CANCELING, Status.CANCELED):
            return NOT_ALLOWED
        action.entries.append(entry)
        action.note()
        if action.status is Status.CANCELED:
            return OK
        if entry.execution == "rejected" or (entry.execution, entry.finished) == ("closed", "failure"):
            action.status = Status.RUNNING
        elif entry.execution == "closed":
            self._cancelled(action)
            action.finals.append(entry)
        return OK

    def confirm(self, device: str, number: int, body: Mapping[str, Any]) -> int:
        """POST confirmationBase/{id}/feedback."""
        action = self.find(device, number)
        if action is None:
            return NOT_FOUND
        if body.get("confirmation") not in ("confirmed", "denied"):
            return BAD_REQUEST
        if not action.status.active:
            return GONE
        if action.status is not Status.WAIT_FOR_CONFIRMATION:
            return NOT_FOUND
        if body["confirmation"] == "confirmed":
            action.status = Status.RUNNING
        action.entries.append(
            Entry(body["confirmation"], "none", body.get("code"), body.get("details") or [])
        )
        action.note()
        return OK

    def config_data(self, device: str, body: Mapping[str, Any]) -> int:
        """PUT configData."""
        data, mode = body.get("data"), body.get("mode", "merge")
        if not isinstance(data, dict) or not data or mode not in ("merge", "replace", "remove"):
            return BAD_REQUEST
        if not all(_ATTRIBUTE.fullmatch(text) for pair in data.items() for text in pair):
            return BAD_REQUEST
        kept = {} if mode == "replace" else dict(self.attributes.get(device, {}))
        for key, value in data.items():
            kept[key] = value
            if mode == "remove":
                del kept[key]
        if len(kept) > ATTRIBUTES:
            return TOO_MANY
        self.attributes[device] = kept
        if mode != "remove":
            self.target(device).asks = False
        return OK

    def installed_base(self, device: str, body: Mapping[str, Any]) -> int:
        """PUT installedBase: a version that was installed without the server.

        While an action is pending this is answered with 200 and changes nothing.
        """
        name, version = body.get("name"), body.get("version")
        if not isinstance(name, str) or not isinstance(version, str):
            return BAD_REQUEST
        made = next((b for b in self.modules if (b.name, b.version) == (name, version)), None)
        if made is None:
            return NOT_FOUND  # no such distribution set
        target = self.target(device)
        self.installed.setdefault(device, []).append((name, version))
        if target.status == "pending" or target.assigned == version:
            return OK
        offline = Action(len(self.actions) + 1, device, made, True, False, None, Status.FINISHED)
        self.actions.append(offline)
        target.assigned = target.installed = version
        target.installed_ms, target.status = time.time_ns() // 1_000_000, "in_sync"
        return CREATED

    def find(self, device: str, number: int) -> Action | None:
        """Return the action `number` if it is of `device`."""
        return next((a for a in self.actions if (a.device, a.number) == (device, number)), None)


def _entry(body: Mapping[str, Any]) -> Entry | None:
    """Return the feedback in `body`, None where hawkBit answers 400."""
    status = body.get("status")
    result = status.get("result") if isinstance(status, dict) else None
    if not isinstance(status, dict) or not isinstance(result, dict):
        return None
    execution, finished = status.get("execution"), result.get("finished")
    if execution not in EXECUTIONS or finished not in ("success", "failure", "none"):
        return None
    details, code = status.get("details") or [], status.get("code")
    if not isinstance(details, list) or not isinstance(code, int | None):
        return None
    return Entry(execution, finished, code, [str(text) for text in details])
