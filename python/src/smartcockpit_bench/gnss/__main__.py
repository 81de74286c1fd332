# SPDX-License-Identifier: Apache-2.0
"""`python -m smartcockpit_bench.gnss`: a receiver on this machine, simulated or from a recording.

`simulate` drives the demo car with a receiver in it, `replay FILE` plays a recording at its own pace. Both
speak on a new pseudo terminal, whose name is printed: put it into gnss.toml as `device`, or open it with any
program that reads receivers.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pty
import sys
import time
import tty
from collections.abc import Iterator, Sequence
from pathlib import Path

from smartcockpit.adapters.gnss_recording import pieces
from smartcockpit.core.errors import SmartCockpitError

from smartcockpit_bench.car.model import Car
from smartcockpit_bench.gnss.receiver import SimulatedReceiver

TICK_S = 0.01


def simulated() -> Iterator[bytes]:
    """Yield what the simulated receiver sends, in real time, for ever."""
    car, receiver, start_s, last = Car(), SimulatedReceiver(), time.time(), 0
    while True:
        now_s = time.time()
        car.advance(now_s - start_s)
        epoch = int(now_s / receiver.period_s)
        if epoch != last:
            last = epoch
            yield receiver.epoch(car.state, epoch * receiver.period_s)
        time.sleep(TICK_S)


def recorded(path: Path) -> Iterator[bytes]:
    """Yield the pieces of a recording at their own pace."""
    start_ns = time.monotonic_ns()
    for piece in pieces(path):
        time.sleep(max(0.0, (start_ns + piece.at_ns - time.monotonic_ns()) / 1e9))
        yield piece.data


def main(arguments: Sequence[str] | None = None) -> int:
    """Speak until the end or Ctrl-C."""
    parser = argparse.ArgumentParser("python -m smartcockpit_bench.gnss", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("simulate", help="the receiver of the simulated car")
    verbs.add_parser("replay", help="a recording").add_argument("file", type=Path)
    options = parser.parse_args(arguments)
    far, near = pty.openpty()
    tty.setraw(near)
    os.set_blocking(far, False)
    print(os.ttyname(near), flush=True)
    try:
        for data in simulated() if options.verb == "simulate" else recorded(options.file):
            with contextlib.suppress(BlockingIOError):  # nobody reads: lost, as on a line
                os.write(far, data)
    except SmartCockpitError as error:
        print(f"gnss: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
