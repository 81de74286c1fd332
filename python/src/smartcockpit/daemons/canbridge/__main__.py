# SPDX-License-Identifier: Apache-2.0
"""Starts the CAN bridge."""

from __future__ import annotations

import sys

from smartcockpit.runtime.daemon import run_daemon

# isort: split
from smartcockpit.daemons.canbridge.app import CanBridge
from smartcockpit.daemons.canbridge.settings import Settings


def main() -> int:
    """Run `smartcockpit-canbridge`; returns the exit code."""
    return run_daemon("canbridge", Settings, CanBridge)


if __name__ == "__main__":
    sys.exit(main())
