# SPDX-License-Identifier: Apache-2.0
"""Starts the update agent."""

from __future__ import annotations

import sys

from smartcockpit.runtime.daemon import run_daemon

# isort: split
from smartcockpit.daemons.ota.app import Ota
from smartcockpit.daemons.ota.settings import Settings


def main() -> int:
    """Run `smartcockpit-ota`; returns the exit code."""
    return run_daemon("ota", Settings, Ota)


if __name__ == "__main__":
    sys.exit(main())
