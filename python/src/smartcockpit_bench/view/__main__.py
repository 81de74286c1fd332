# SPDX-License-Identifier: Apache-2.0
"""`python -m smartcockpit_bench.view SOCKET`: watch a running box's view port."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import sys
from collections.abc import Iterator, Sequence

from smartcockpit_bench.view.show import Style, show


def seconds(text: str) -> float:
    """Parse 30, 30s, 2m or 1h as seconds for argparse."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if not found or float(found[1]) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write 30s, 2m or 1h")
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `make run` and this program share."""
    parser.add_argument(
        "--for", dest="duration_s", type=seconds, metavar="TIME", help="end after 30s, 2m or 1h"
    )
    parser.add_argument("--json", action="store_true", help="print the box's JSON lines")
    parser.add_argument("--plain", action="store_true", help="print plain lines even on a terminal")


@contextlib.contextmanager
def reader_may_leave() -> Iterator[None]:
    """End quietly when the reader of a pipe has had enough, as in `… --json | head`."""
    try:
        yield
    except BrokenPipeError:
        # Or Python would complain once more when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def style_of(options: argparse.Namespace) -> Style:
    """Return the style that the arguments ask for."""
    return Style.JSON if options.json else Style.PLAIN if options.plain else Style.AUTO


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until Ctrl-C or `--for`."""
    parser = argparse.ArgumentParser("smartcockpit-view", description="Watch a running box.")
    parser.add_argument("socket", help="unix socket of the box's view port")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    with contextlib.suppress(KeyboardInterrupt), reader_may_leave():
        asyncio.run(show(options.socket, style=style_of(options), duration_s=options.duration_s))
    return 0


if __name__ == "__main__":
    sys.exit(main())
