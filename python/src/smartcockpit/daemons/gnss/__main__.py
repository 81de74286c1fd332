# SPDX-License-Identifier: Apache-2.0
"""Starts the GNSS reader."""

from __future__ import annotations

import sys

from smartcockpit.runtime.daemon import run_daemon

# isort: split
from smartcockpit.daemons.gnss.app import Gnss
from smartcockpit.daemons.gnss.settings import Settings


def main() -> int:
    """Run `smartcockpit-gnss`; returns the exit code."""
    return run_daemon("gnss", Settings, Gnss)


if __name__ == "__main__":
    sys.exit(main())
