# SPDX-License-Identifier: Apache-2.0
"""Entry of `cockpitctl`: parse, run the verb, turn errors into one sentence and an exit code."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from smartcockpit.cli import parser

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `cockpitctl` and return its exit code (0, 2, 69, 78; 1 is a bug and comes with its trace)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that knows no dash shows a ?
    options = parser.build().parse_args(arguments)
    options.bus = options.bus or parser.bus_address()
    import smartcockpit.runtime.lean  # noqa: F401 - must come before asyncio
    from smartcockpit.core.errors import SmartCockpitError

    try:
        code = _run(options)
        print(end="", flush=True)
        return code
    except SmartCockpitError as error:
        print(f"cockpitctl: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 0 if options.verb == "live" or getattr(options, "watch", False) or _is_watch(options) else 130
    except BrokenPipeError:
        _hush()  # the reader has seen enough (`| head`)
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        _hush()
        print("cockpitctl: no space left for the output. Hint: write it elsewhere", file=sys.stderr)
        return 69


def _hush() -> None:
    """Keep the interpreter from complaining when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_watch(options: argparse.Namespace) -> bool:
    return getattr(options, "what", "") == "watch"


def _run(options: argparse.Namespace) -> int:
    if options.verb == "config":
        from smartcockpit.cli import config

        return config.run(options)
    if options.verb == "health":
        from smartcockpit.cli import health

        return health.run(options)
    import asyncio

    return asyncio.run(_talk(options))


async def _talk(options: argparse.Namespace) -> int:
    from smartcockpit.bus.connection import BusConnection

    if options.verb == "live":
        from smartcockpit.cli import live

        return await live.run(options)
    async with BusConnection(options.bus) as bus:
        return await _verb(options, bus)


def _verb(options: argparse.Namespace, bus: object) -> Awaitable[int]:
    import importlib

    verb = importlib.import_module(f"smartcockpit.cli.{options.verb}")
    result: Awaitable[int] = verb.run(options, bus)
    return result


if __name__ == "__main__":
    sys.exit(main())
