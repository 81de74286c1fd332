# SPDX-License-Identifier: Apache-2.0
"""`python -m smartcockpit_bench.car record`: the demo drive as a candump log, for replay and for campaigns.

With `--rate N` messages follow each other faster until N frames a second flow, for instance to replay 4,000
frames/s inside the box with `canplayer`.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from smartcockpit.core.errors import SmartCockpitError

from smartcockpit_bench.car.source import CarSource

TICK_S = 0.001


def record(source: CarSource, seconds: float, rate: float | None, start_s: float) -> Iterator[str]:
    """Yield candump lines of `seconds` of the drive; `rate` (frames/s) speeds all messages up alike."""
    if rate:
        natural = sum(1.0 / sender.cycle_s for sender in source.senders)
        for sender in source.senders:
            sender.cycle_s *= natural / rate
    for tick in range(1, round(seconds / TICK_S) + 1):
        for frame in source.due(tick * TICK_S):
            yield frame.log_line(start_s + tick * TICK_S)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the log to standard output."""
    parser = argparse.ArgumentParser("python -m smartcockpit_bench.car", description=__doc__)
    parser.add_argument("verb", choices=["record"])
    parser.add_argument(
        "--vehicle", type=Path, default=Path("dbc/demo"), help="vehicle folder (default dbc/demo)"
    )
    parser.add_argument("--seconds", type=float, default=240.0, help="length (default 240, one loop)")
    parser.add_argument(
        "--rate", type=float, help="frames a second on all buses together (default: as built)"
    )
    parser.add_argument("--seed", type=int, default=1, help="another number, another road noise")
    parser.add_argument("--start", type=float, default=0.0, metavar="UNIX", help="time of the first frame")
    options = parser.parse_args(arguments)
    try:
        source = CarSource.of(options.vehicle, seed=options.seed)
        for line in record(source, options.seconds, options.rate, options.start):
            print(line)
    except SmartCockpitError as error:
        print(f"car: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        sys.exit(main())
