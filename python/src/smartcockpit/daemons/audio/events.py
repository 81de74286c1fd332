# SPDX-License-Identifier: Apache-2.0
"""State changes of sound that people look for in the journal.

Systemd/catalog explains each of them.
"""

from __future__ import annotations

import logging

from smartcockpit.runtime.logging import Event

SERVER_UP = Event("2f6ad0c94b1e4c0f8a35d77e90c1b601", logging.INFO, "sound goes to {device}")
SERVER_DOWN = Event("7c01be5a93d24f6eb8024d1f6a5ce802", logging.WARNING, "no sound: {reason}")
PLAYER_UP = Event("b3c5fd7e1204482c9d6f00a1e87b4903", logging.INFO, "the player is here")
PLAYER_DOWN = Event("e4d9a1680b7f4f5b8e1c2a3d4f506104", logging.WARNING, "the player has gone: {reason}")
VOLUMES_LOST = Event(
    "91f0c3d2a4b54e6f87a8b9cadbecfd05", logging.WARNING, "volumes start from their defaults: {reason}"
)
