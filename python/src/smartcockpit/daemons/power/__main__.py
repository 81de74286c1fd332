# SPDX-License-Identifier: Apache-2.0
"""Starts the power daemon."""

from __future__ import annotations

import sys

from smartcockpit.runtime.daemon import run_daemon

# isort: split
from smartcockpit.daemons.power.app import Power
from smartcockpit.daemons.power.settings import Settings


def main() -> int:
    """Run `smartcockpit-power`; returns the exit code."""
    return run_daemon("power", Settings, Power)


if __name__ == "__main__":
    sys.exit(main())
