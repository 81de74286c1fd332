# SPDX-License-Identifier: Apache-2.0
"""`smartcockpit-health early | gate [SECONDS] | give-up`: started by its units, not by people.

What it found is shown by `cockpitctl health`. Exit codes: 0 it came to a decision, whatever it is; 2 usage;
69 the bus, RAUC or the disk did not do what was asked.
"""

from __future__ import annotations

import smartcockpit.runtime.lean  # noqa: F401 - must come before asyncio

# isort: split
import asyncio
import logging
import os
import sys
from collections.abc import Coroutine, Sequence

from smartcockpit import __version__
from smartcockpit.bus.connection import BusConnection
from smartcockpit.core.errors import SmartCockpitError, UsageError
from smartcockpit.health.gate import early, gate, give_up, keep_reason
from smartcockpit.runtime import logging as journal

PROGRAM = "smartcockpit-health"
LIMIT_S = 90.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if list(arguments) == ["--version"]:
        print(f"{PROGRAM} {__version__}")
        return 0
    journal.start(PROGRAM, "info")
    try:
        asyncio.run(_run(*arguments))
    except SmartCockpitError as error:
        logging.getLogger(__name__).error("%s", error)
        return error.exit_code
    return 0


async def _run(verb: str = "", limit: str = "") -> None:
    if limit and not limit.isdecimal():
        raise UsageError(f"{limit[:64]!r} is no number of seconds")
    try:
        async with BusConnection(os.environ.get("SMARTCOCKPIT_BUS", "system")) as bus:
            await _work(verb, bus, float(limit or LIMIT_S))
    except SmartCockpitError as error:
        if verb == "give-up":
            keep_reason(error)
        raise


def _work(verb: str, bus: BusConnection, limit_s: float) -> Coroutine[None, None, None]:
    if verb == "early":
        return early(bus)
    if verb == "gate":
        return gate(bus, limit_s)
    if verb == "give-up":
        return give_up(bus)
    raise UsageError(f"there is no {verb[:64]!r}", "early, gate or give-up; see: cockpitctl health")


if __name__ == "__main__":
    sys.exit(main())
