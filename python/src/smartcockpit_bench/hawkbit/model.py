# SPDX-License-Identifier: Apache-2.0
"""What hawkBit knows and how it answers devices, without a network.

Follows hawkBit 1.0.4: which link a poll shows (at most one of deployment, cancel and confirmation, that of
the oldest active action), which feedback ends an action, 404 and 410, quotas. Not modelled: rollouts,
weights, tenants, DMF.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import md5, sha1, sha256
from typing import Any

STATUS_ENTRIES, MESSAGES = 1000, 50
"""Quotas of an action and of an entry; past them the answer is 429."""
EXECUTIONS = {
    "closed", "proceeding", "canceled", "scheduled", "rejected", "resumed", "downloaded", "download",
}  # fmt: skip
OK, CREATED, BAD_REQUEST, NOT_FOUND, NOT_ALLOWED, GONE, TOO_MANY = 200, 201, 400, 404, 405, 410, 429


class Status(StrEnum):
    """States of an action (org.eclipse.hawkbit.repository.model.Action.Status)."""

    WAIT_FOR_CONFIRMATION = "wait_for_confirmation"
    RUNNING = "running"
    CANCELING = "canceling"
    CANCELED = "canceled"
    FINISHED = "finished"
    ERROR = "error"
    DOWNLOADED = "downloaded"

    @property
    def active(self) -> bool:
        """True while the server waits for the device."""
        return self in (Status.WAIT_FOR_CONFIRMATION, Status.RUNNING, Status.CANCELING)


@dataclass
class Bundle:
    """An artifact of a software module."""

    filename: str
    data: bytes
    version: str
    name: str = "smartcockpit"
    metadata: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sha1 = sha1(self.data, usedforsecurity=False).hexdigest()
        self.md5 = md5(self.data, usedforsecurity=False).hexdigest()
        self.sha256 = sha256(self.data).hexdigest()


@dataclass
class Entry:
    """One accepted feedback."""

    execution: str
    finished: str
    code: int | None
    details: list[str]


@dataclass
class Action:
    """An assignment of a bundle to a device."""

    number: int
    device: str
    bundle: Bundle
    forced: bool
    download_only: bool
    window: bool | None
    """None: no maintenance schedule; else whether the window is open."""
    status: Status
    entries: list[Entry] = field(default_factory=list)
    finals: list[Entry] = field(default_factory=list)
    """What ended it: must be exactly one, however often the device repeats itself."""


class Hawkbit:
    """The server's state; `url` is set by whoever puts it on a network."""

    def __init__(self) -> None:
        self.url = "https://localhost"
        self.download_url = ""
        """Another origin for artifacts, as a CDN would be; "" the same."""
        self.sleep = "00:05:00"
        self.confirmation_flow = False
        self.actions: list[Action] = []
        self.attributes: dict[str, dict[str, str]] = {}
        self.installed: dict[str, list[tuple[str, str]]] = {}
        self.polls = 0

    # ---- what operators do -------------------------------------------------------------------------------

    def assign(
        self, device: str, bundle: Bundle, *, forced: bool = True, download_only: bool = False,
        window: bool | None = None,
    ) -> Action:  # fmt: skip
        """Assign `bundle`; an older active action gets cancelled, as hawkBit does by default."""
        for old in self.actions:
            if old.device == device and old.status.active:
                self.cancel(old)
        status = Status.WAIT_FOR_CONFIRMATION if self.confirmation_flow else Status.RUNNING
        action = Action(len(self.actions) + 1, device, bundle, forced, download_only, window, status)
        self.actions.append(action)
        return action

    def cancel(self, action: Action) -> None:
        """Ask the device to stop; an action that it never saw ends at once only by force."""
        if action.status.active:
            action.status = Status.CANCELING

    def force_quit(self, action: Action) -> None:
        """Forget the action without asking the device."""
        action.status = Status.CANCELED

    # ---- what devices ask --------------------------------------------------------------------------------

    def base(self, device: str) -> dict[str, Any]:
        """GET base."""
        self.polls += 1
        links: dict[str, Any] = {}
        action = next((a for a in self.actions if a.device == device and a.status.active), None)
        if action is not None:
            kind = {
                Status.WAIT_FOR_CONFIRMATION: "confirmationBase", Status.CANCELING: "cancelAction",
            }.get(action.status, "deploymentBase")  # fmt: skip
            query = "" if kind == "cancelAction" else f"?c={self._etag(action)}"
            links[kind] = {"href": f"{self._of(device)}/{kind}/{action.number}{query}"}
        if device not in self.attributes:
            links["configData"] = {"href": f"{self._of(device)}/configData"}
        return {"config": {"polling": {"sleep": self.sleep}}, "_links": links}

    def deployment(self, device: str, number: int) -> dict[str, Any] | None:
        """GET deploymentBase/{id}; None: 404."""
        action = self.find(device, number)
        if action is None or action.status in (
            Status.CANCELING, Status.CANCELED, Status.WAIT_FOR_CONFIRMATION,
        ):  # fmt: skip
            return None
        return {"id": str(number), "deployment": self._body(action)}

    def confirmation(self, device: str, number: int) -> dict[str, Any] | None:
        """GET confirmationBase/{id}; None: 404."""
        action = self.find(device, number)
        if action is None or action.status is not Status.WAIT_FOR_CONFIRMATION:
            return None
        return {"id": str(number), "confirmation": self._body(action)}

    def cancel_action(self, device: str, number: int) -> dict[str, Any] | None:
        """GET cancelAction/{id}; None: 404."""
        action = self.find(device, number)
        if action is None or action.status not in (Status.CANCELING, Status.CANCELED):
            return None
        return {"id": str(number), "cancelAction": {"stopId": str(number)}}

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
        if not final and len(action.entries) >= STATUS_ENTRIES:
            return TOO_MANY
        if len(entry.details) + (entry.code is not None) > MESSAGES:
            return TOO_MANY
        action.entries.append(entry)
        if final:
            action.status = Status.ERROR if entry.finished == "failure" else Status.FINISHED
            self.attributes.pop(device, None)  # hawkBit asks for the attributes again
        elif entry.execution == "downloaded" and action.download_only:
            final, action.status = True, Status.DOWNLOADED
        if final:
            action.finals.append(entry)
        return OK

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
        if entry.execution == "rejected" or (entry.execution, entry.finished) == ("closed", "failure"):
            action.status = Status.RUNNING
        elif entry.execution == "closed" and action.status is Status.CANCELING:
            action.status = Status.CANCELED
            action.finals.append(entry)
        return OK

    def confirm(self, device: str, number: int, body: Mapping[str, Any]) -> int:
        """POST confirmationBase/{id}/feedback."""
        action = self.find(device, number)
        if action is None:
            return NOT_FOUND
        if body.get("confirmation") not in ("confirmed", "denied"):
            return BAD_REQUEST
        if action.status is not Status.WAIT_FOR_CONFIRMATION:
            return GONE
        if body["confirmation"] == "confirmed":
            action.status = Status.RUNNING
        action.entries.append(
            Entry(body["confirmation"], "none", body.get("code"), body.get("details") or [])
        )
        return OK

    def config_data(self, device: str, body: Mapping[str, Any]) -> int:
        """PUT configData."""
        data = body.get("data")
        if not isinstance(data, dict) or not data or len(data) > 100:
            return BAD_REQUEST
        if body.get("mode", "merge") == "replace":
            self.attributes[device] = {}
        self.attributes.setdefault(device, {}).update(data)
        return OK

    def installed_base(self, device: str, body: Mapping[str, Any]) -> int:
        """PUT installedBase: a version that was installed without the server."""
        name, version = body.get("name"), body.get("version")
        if not isinstance(name, str) or not isinstance(version, str):
            return BAD_REQUEST
        if all((a.bundle.name, a.bundle.version) != (name, version) for a in self.actions):
            return NOT_FOUND  # no such distribution set
        self.installed.setdefault(device, []).append((name, version))
        return CREATED

    # ---- documents ---------------------------------------------------------------------------------------

    def find(self, device: str, number: int) -> Action | None:
        """Return the action `number` if it is of `device`."""
        return next((a for a in self.actions if (a.device, a.number) == (device, number)), None)

    def _of(self, device: str) -> str:
        return f"{self.url}/DEFAULT/controller/v1/{device}"

    @staticmethod
    def _etag(action: Action) -> int:
        return hash((action.number, action.forced, action.window)) % 2**31

    def _body(self, action: Action) -> dict[str, Any]:
        bundle = action.bundle
        href = f"{self._of(action.device)}/softwaremodules/{action.number}/artifacts/{bundle.filename}"
        if self.download_url:
            href = href.replace(self.url, self.download_url)
        download = "forced" if action.forced or action.download_only else "attempt"
        update = "skip" if action.download_only or action.window is False else download
        artifact = {
            "filename": bundle.filename, "size": len(bundle.data),
            "hashes": {"sha1": bundle.sha1, "md5": bundle.md5, "sha256": bundle.sha256},
            "_links": {"download-http": {"href": href}, "md5sum-http": {"href": href + ".MD5SUM"}},
        }  # fmt: skip
        chunk: dict[str, Any] = {
            "part": "os", "version": bundle.version, "name": bundle.name, "artifacts": [artifact],
        }  # fmt: skip
        if bundle.metadata:
            chunk["metadata"] = [{"key": k, "value": v} for k, v in bundle.metadata.items()]
        body: dict[str, Any] = {"download": download, "update": update, "chunks": [chunk]}
        if action.window is not None:
            body["maintenanceWindow"] = "available" if action.window else "unavailable"
        return body


def _entry(body: Mapping[str, Any]) -> Entry | None:
    """Return the feedback in `body`, None where hawkBit answers 400."""
    status = body.get("status")
    result = status.get("result") if isinstance(status, dict) else None
    if not isinstance(status, dict) or not isinstance(result, dict):
        return None
    execution, finished = status.get("execution"), result.get("finished")
    if execution not in EXECUTIONS or finished not in ("success", "failure", "none"):
        return None
    return Entry(execution, finished, status.get("code"), list(status.get("details") or []))
