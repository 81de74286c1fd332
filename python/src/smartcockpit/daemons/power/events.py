# SPDX-License-Identifier: Apache-2.0
"""State changes of the power daemon that people look for in the journal.

Systemd/catalog explains each of them.
"""

from __future__ import annotations

import logging

from smartcockpit.runtime.logging import Event

STATE = Event("0d6c2f6f3b1e4f6f8a2b9c7d5e4f3a20", logging.INFO, "{state}: {reason}")
LINES_UP = Event("1f7a3c5e9b2d4e8fa6c1d3b5f7e9a421", logging.INFO, "GPIO lines of {chip} can be read")
LINES_DOWN = Event(
    "2a8b4d6f0c3e4f9ab7d2e4c608fab522", logging.WARNING, "GPIO lines are unavailable: {reason}"
)
BATTERY = Event("3b9c5e701d4f4a0bc8e3f5d7190bc623", logging.WARNING, "battery voltage {stage} ({voltage} V)")
INHIBITED = Event("4cad6f812e504b1cd9f406e82a1cd724", logging.INFO, "{who} inhibits the shutdown: {why}")
RELEASED = Event("5dbe70923f614c2deaf517f93b2de825", logging.INFO, "{who} no longer inhibits the shutdown")
REQUESTED = Event("6ecf81a340724d3efb06280a4c3ef926", logging.INFO, "power-off requested: {reason}")
