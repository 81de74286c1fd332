# SPDX-License-Identifier: Apache-2.0
"""What the health gate decides, for the journal; systemd/catalog explains each of them."""

from __future__ import annotations

import logging

from smartcockpit.runtime.logging import Event

TRIAL = Event(
    "4f0f5b0c1b6d4c0f8f1f1a1f4d5e9a21",
    logging.INFO,
    "slot {slot} ({version}) is on trial until it has proved itself",
)
GOOD = Event("0d7c3a52e9b14d6ea3b4f7c88a9d1b22", logging.INFO, "slot {slot} ({version}) has proved itself")
FELL = Event(
    "9b1e6c4d7a0f4f23b85d2e6f3c7a8d23",
    logging.ERROR,
    "slot {slot} ({version}) has not proved itself, the other slot is booted: {reasons}",
)
STAYS = Event(
    "c62d8f1e5b394a708e9f0a1b2c3d4e24",
    logging.ERROR,
    "slot {slot} ({version}) has not proved itself and there is no other slot to boot: {reasons}",
)
UNWELL = Event(
    "71a9e3d5c8f24b6f9d0e1c2b3a495f25",
    logging.WARNING,
    "slot {slot} ({version}), which was good before, is not well: {reasons}",
)
