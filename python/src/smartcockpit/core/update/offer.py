# SPDX-License-Identifier: Apache-2.0
"""What the server wants of this unit: the values that `ddi` makes of its documents."""

from __future__ import annotations

from enum import StrEnum

from smartcockpit.core.named import NamedTuple


class Handling(StrEnum):
    """How the server wants the download or the installation (hawkBit DDI, `HandlingType`)."""

    SKIP = "skip"
    ATTEMPT = "attempt"
    FORCED = "forced"


class Window(StrEnum):
    """State of the maintenance window (hawkBit DDI, `DdiMaintenanceWindowStatus`)."""

    NONE = ""
    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"


class Notes(NamedTuple):
    """What the driver must be told before (UN R156 7.2.2.2); empty where the maker said nothing."""

    purpose: str = ""
    changes: str = ""
    minutes: int = 0
    pauses: str = ""
    """Functions that pause meanwhile."""


class Offer(NamedTuple):
    """One action with one bundle."""

    action: str
    version: str
    name: str
    filename: str
    size: int
    sha256: str
    href: str
    """Where the bundle is, as given."""
    download: Handling = Handling.ATTEMPT
    update: Handling = Handling.ATTEMPT
    window: Window = Window.NONE
    notes: Notes = Notes()

    @property
    def download_only(self) -> bool:
        """True when nothing shall be installed, now or in a later window."""
        return self.update is Handling.SKIP and self.window is Window.NONE


class Base(NamedTuple):
    """The server's answer to a poll; links as given, "" where there is none."""

    sleep_s: int
    deployment: str = ""
    cancel: str = ""
    confirmation: str = ""
    config_data: str = ""
