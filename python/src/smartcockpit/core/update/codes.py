# SPDX-License-Identifier: Apache-2.0
"""Words for how an update stands and how it ended: phases, reasons to wait, outcomes, codes for the server.

Their names and numbers are interface (D-Bus, update record, the server's status code): never change one.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Phase(StrEnum):
    """Where the update stands; kept over power cuts."""

    IDLE = "idle"
    OFFERED = "offered"
    DOWNLOADING = "downloading"
    DOWNLOADED = "downloaded"
    INSTALLING = "installing"
    INSTALLED = "installed"
    """The new slot is complete and is the next to boot."""
    REBOOTING = "rebooting"
    TRIAL = "trial"
    CLOSING = "closing"
    """The result is known; record and answer are on their way."""


class Waiting(StrEnum):
    """Why it does not go on; "" when it does, or when there is nothing to do."""

    NONE = ""
    CONSENT = "consent"
    DECLINED = "declined"
    SERVER = "server"
    WINDOW = "window"
    NETWORK = "network"
    METERED = "metered"
    CLOCK = "clock"
    MOVING = "moving"
    VEHICLE = "vehicle-unknown"
    VOLTAGE = "voltage"
    INHIBITED = "inhibited"
    INSTALLER = "installer"
    STORAGE = "storage"
    REBOOT = "reboot"
    TRIAL = "trial"


class Consent(StrEnum):
    """What the user has said to the update at hand."""

    OPEN = ""
    GIVEN = "given"
    DENIED = "denied"


class Cancel(StrEnum):
    """Who or what ends the update at hand early."""

    NONE = ""
    SERVER = "server"
    USER = "user"
    GONE = "gone"
    """The server knows the action no more."""
    SUPERSEDED = "superseded"


class Outcome(StrEnum):
    """How an update ended."""

    OPEN = ""
    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    DOWNLOADED = "downloaded"
    """Download-only: no more was asked for."""


class Code(IntEnum):
    """Status code that the server and the update record get with the outcome."""

    NONE = 0
    INSTALLED = 200
    ALREADY_RUNS = 201
    DOWNLOADED = 202
    CANCELLED = 210
    CANCELLED_BY_USER = 211
    GONE = 212
    SUPERSEDED = 213
    BAD_OFFER = 400
    DENIED = 403
    DOWNGRADE = 409
    INCOMPATIBLE = 412
    NO_ROOM = 413
    BAD_BUNDLE = 422
    CHECKSUM = 423
    DOWNLOAD = 424
    DEADLINE = 425
    INSTALLER = 500
    FELL_BACK = 510
