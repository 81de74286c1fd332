# SPDX-License-Identifier: Apache-2.0
"""State changes of the CAN bridge that people look for in the journal.

Systemd/catalog explains each of them.
"""

from __future__ import annotations

import logging

from smartcockpit.runtime.logging import Event

VEHICLE = Event(
    "5d2b2f2fc0a84f0d9c8a1f4be67e5a10", logging.INFO, "vehicle {vehicle}: {signals} signals on {buses} buses"
)
BUS_UP = Event("c1d1e0a5b52a4a0bb5c4f3e0f1d86d11", logging.INFO, "{bus} ({interface}) is {state}")
BUS_DOWN = Event(
    "8a7f9d0e3b614a3c9d1d2f5b7c90e212", logging.WARNING, "{bus} ({interface}) is unavailable: {reason}"
)
BUS_TROUBLE = Event("f0a4c6b2d7e84c5fa1b0968372d4e513", logging.WARNING, "{bus} ({interface}) is {state}")
BUS_OFF = Event(
    "3e9b57c1a2f04d6e8b7a5c4d3e2f1a14",
    logging.ERROR,
    "{bus} ({interface}) is bus-off; it is restarted after a pause",
)
DROPS = Event(
    "b6d8e2f4a1c34b5d9e7f60718293a415",
    logging.WARNING,
    "{bus} ({interface}) lost {count} frames: read too late",
)
