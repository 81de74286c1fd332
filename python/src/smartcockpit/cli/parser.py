# SPDX-License-Identifier: Apache-2.0
"""What can be typed after `cockpitctl`.

Completion and man page are generated from here, so imports stay light.
"""

from __future__ import annotations

import argparse
import os

from smartcockpit import __version__

DESCRIPTION = "Look into a running SmartCockpit: daemons, vehicle signals, CAN buses, settings."
EPILOG = (
    "Exit codes: 0 done, 1 bug, 2 wrong usage or unknown signal, 69 a daemon or the bus is missing, "
    "78 broken configuration. Tables are for people; --json prints stable keys for programs, new keys may "
    "be added. Colour appears on a terminal only and never when NO_COLOR is set."
)
SHOWS = {
    "list": "name, datatype, unit, kind and limits of each signal",
    "get": "value, quality and age of each signal, once",
    "watch": "each change as it comes; ends with Ctrl-C",
}


def bus_address() -> str:
    """Return the bus to talk to unless --bus says otherwise: SMARTCOCKPIT_BUS, else the system bus."""
    return os.environ.get("SMARTCOCKPIT_BUS", "system")


def positive(text: str) -> float:
    """Parse seconds greater than zero for argparse."""
    value = float(text)
    if not 0.01 <= value <= 3600:
        raise ValueError(text)
    return value


positive.__name__ = "seconds from 0.01 to 3600"


def count(text: str) -> int:
    """Parse a whole number greater than zero for argparse."""
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


count.__name__ = "positive number"


def build() -> argparse.ArgumentParser:
    """Return the complete parser; the chosen verb is in `verb`, for signals the second one in `what`."""
    parser = argparse.ArgumentParser("cockpitctl", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action="version", version=f"cockpitctl {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON instead of a table")
    common.add_argument(
        "--bus", metavar="ADDRESS", default=None,
        help="system, session or a D-Bus address (default: $SMARTCOCKPIT_BUS, else system)",
    )  # fmt: skip
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(name: str, text: str) -> argparse.ArgumentParser:
        return verbs.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", parents=[common]
        )

    status = verb("status", "state of each daemon: unit, memory, name on the bus, version, boot slot")
    status.add_argument("daemon", nargs="*", help="only these, such as canbridge")
    _add_watch(status)
    signals = verbs.add_parser(
        "signals", help="vehicle signals by VSS name", description="Vehicle signals by VSS name."
    )
    _add_signals(signals, common)
    can = verb("can", "state, load and counters of each CAN bus")
    can.add_argument("buses", nargs="*", metavar="BUS", help="only these, such as can0")
    _add_watch(can)
    config = verb("config", "each setting of a daemon, and the file that it comes from")
    config.add_argument("daemon", nargs="*", help="only these, such as canbridge")
    verb("health", "whether this boot has proved itself: verdict of the health gate, check by check")
    live = verb("live", "signals, daemons and buses as a stream of JSON lines, for a viewer elsewhere")
    live.add_argument(
        "--output", metavar="FILE", help="write to this file or port (default: standard output)"
    )
    live.add_argument(
        "--interval", type=positive, default=0.25, metavar="S", help="time between two samples, s"
    )
    return parser


def _add_signals(signals: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    what = signals.add_subparsers(dest="what", metavar="WHAT", required=True)

    def add(name: str) -> argparse.ArgumentParser:
        text = SHOWS[name]
        return what.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", parents=[common]
        )

    listing = add("list")
    listing.add_argument("prefix", nargs="*", help="VSS branches or signals (default: all)")
    listing.add_argument("--kind", choices=("sensor", "actuator", "attribute"), help="only this kind")
    get = add("get")
    get.add_argument("path", nargs="*", help="signals or branches (default: all)")
    get.add_argument(
        "--quality",
        choices=("valid", "stale", "invalid", "unavailable"),
        help="only readings of this quality",
    )
    watch = add("watch")
    watch.add_argument("prefix", nargs="*", help="VSS branches or signals (default: all)")
    watch.add_argument("--count", type=count, metavar="N", help="end after N lines")


def _add_watch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-w", "--watch", action="store_true", help="show it again and again until Ctrl-C")
    parser.add_argument(
        "--interval", type=positive, default=1.0, metavar="S", help="with --watch: pause, s (default 1)"
    )
