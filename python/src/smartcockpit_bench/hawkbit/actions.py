# SPDX-License-Identifier: Apache-2.0
"""What hawkBit keeps: actions and their states, what devices said to them, bundles, devices."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import md5, sha1, sha256


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

    @property
    def messages(self) -> int:
        """Return how many messages it makes; a code is one, and where there is none the server writes one."""
        return len(self.details) + (self.code is not None) or 1


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
    noted: int = 1
    """Status entries: the device's, and the server's own of assigning, being retrieved and cancelling."""
    retrieved: bool = False
    """True while the newest entry says that the device has looked at it."""

    def note(self) -> None:
        """Count an entry."""
        self.noted, self.retrieved = self.noted + 1, False

    def note_retrieved(self) -> None:
        """Count that the device has looked, once in a row."""
        self.noted, self.retrieved = self.noted + (not self.retrieved), True


@dataclass
class Target:
    """A device as the server has it."""

    token: str = ""
    asks: bool = True
    """Wants the attributes told."""
    assigned: str = ""
    """Version; "" none."""
    installed: str = ""
    installed_ms: int = 0
    status: str = "unknown"
