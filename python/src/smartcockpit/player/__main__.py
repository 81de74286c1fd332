# SPDX-License-Identifier: Apache-2.0
"""Starts the player, or its indexer."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from smartcockpit.runtime import logging as journal


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    home = Path(os.environ.get("HOME", "/nonexistent"))
    state = Path(os.environ.get("STATE_DIRECTORY", home / ".local/state/smartcockpit-player"))
    cache = Path(os.environ.get("CACHE_DIRECTORY", home / ".cache/smartcockpit-player"))
    parser = argparse.ArgumentParser("smartcockpit-player", description="Started by systemd.")
    parser.add_argument("--socket", default="/run/smartcockpit-player/socket", help="of the audio daemon")
    parser.add_argument("--state", type=Path, default=state, help="folder of the library and of own music")
    parser.add_argument("--covers", type=Path, default=cache, help="folder for pictures of covers")
    parser.add_argument("--media", type=Path, default=Path("/run/media"), help="where sticks are mounted")
    parser.add_argument("--sink", default="pulsesink", help="GStreamer's sink")
    parser.add_argument("--index", nargs=2, metavar=("FOLDER", "DATABASE"), help="index a folder and end")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run `smartcockpit-player`; returns the exit code."""
    options = parse(arguments)
    journal.start("smartcockpit-player", "info")
    if options.index:
        from smartcockpit.player.index import index, limit

        limit()
        index(options.index[0], Path(options.index[1]))
        return 0
    from smartcockpit.player.app import Player, run

    for folder in (options.state, options.covers, options.state / "music"):
        folder.mkdir(parents=True, exist_ok=True)
    return run(Player(options.socket, options.state, options.covers, options.media, options.sink))


if __name__ == "__main__":
    sys.exit(main())
