# SPDX-License-Identifier: Apache-2.0
"""State changes of the update agent that people look for in the journal.

Systemd/catalog explains each of them.
"""

from __future__ import annotations

import logging

from smartcockpit.runtime.logging import Event

OFFERED = Event(
    "0f6c9d1b7e4a4c53a2d8b1e07c5f6121",
    logging.INFO,
    "update {version} is offered to {running} (action {action})",
)
WAITING = Event("1a7d0e2c8f5b4d64b3e9c2f18d6a7222", logging.INFO, "update {version} waits: {reason}")
INSTALLING = Event(
    "2b8e1f3d9a6c4e75c4fad3a29e7b8323",
    logging.INFO,
    "update {version} is written to slot {slot}, try {tries}",
)
REBOOTING = Event("3c9f2a4eab7d4f86d5abe4b3af8c9424", logging.INFO, "reboot into {version} in slot {slot}")
TRIAL = Event("4dab3b5fbc8e4a97e6bcf5c4ba9da525", logging.INFO, "{version} is on trial in slot {slot}")
ENDED = Event(
    "5ebc4c6acd9f4ba8f7cda6d5cbaeb626",
    logging.INFO,
    "update to {version} ended as {outcome} ({code}): {text}",
)
SERVER_TROUBLE = Event(
    "6fcd5d7bdeaa4cb9a8deb7e6dcbfc727", logging.WARNING, "the update server does not answer: {reason}"
)
SERVER_BACK = Event("7ade6e8cefbb4dcab9efc8f7edcad828", logging.INFO, "the update server answers again")
STATE_LOST = Event(
    "8bef7f9dfacc4edbcafad9a8fedbe929",
    logging.ERROR,
    "the update state cannot be used and was put aside: {reason}",
)
NO_HOLD = Event(
    "9cfa8aaeabdd4fecdbabeab9afecfa2a",
    logging.WARNING,
    "the slot is written without holding the power: {reason}",
)
