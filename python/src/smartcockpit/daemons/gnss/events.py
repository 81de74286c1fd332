# SPDX-License-Identifier: Apache-2.0
"""State changes of the GNSS reader that people look for in the journal.

Systemd/catalog explains each of them.
"""

from __future__ import annotations

import logging

from smartcockpit.runtime.logging import Event

OPENED = Event(
    "0b6f2a5de3c94a1b8f7d6c5b4a392e10", logging.INFO, "{device} speaks {protocol} at {baudrate} bit/s"
)
GONE = Event("1c7a3b6ef4da4b2c9a8e7d6c5b4a3f21", logging.WARNING, "no receiver: {reason}")
SILENT = Event(
    "2d8b4c7fa5eb4c3dab9f8e7d6c5b4a32", logging.WARNING, "{device} says nothing that makes sense: {reason}"
)
MODEL = Event("3e9c5d8ab6fc4d4ebcaa9f8e7d6c5b43", logging.INFO, "receiver {model}, set-up: {setup}")
FIX = Event("4fad6e9bc7ad4e5fcdbbaa9f8e7d6c54", logging.INFO, "position by satellites, after {after} s")
ESTIMATED = Event(
    "5abe7fadd8be4f6adeccbbaa9f8e7d65",
    logging.INFO,
    "no satellites: the position goes on by the car's motion",
)
LOST = Event("6bcf8abee9cf4a7befddccbbaa9f8e76", logging.WARNING, "no position: {reason}")
