# SPDX-License-Identifier: Apache-2.0
"""Starts the audio daemon."""

from __future__ import annotations

import sys

from smartcockpit.runtime.daemon import run_daemon

# isort: split
from smartcockpit.daemons.audio.app import Audio
from smartcockpit.daemons.audio.settings import Settings


def main() -> int:
    """Run `smartcockpit-audio`; returns the exit code."""
    return run_daemon("audio", Settings, Audio)


if __name__ == "__main__":
    sys.exit(main())
