# SPDX-License-Identifier: Apache-2.0
"""smartcockpit-vehicle: check, compile and show vehicle folders.

Exit codes: 0 done, 1 bug, 2 wrong use, 69 a file or library is missing, 78 the vehicle folder has a mistake.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import smartcockpit
from smartcockpit.core.errors import SmartCockpitError, UnavailableError, UsageError
from smartcockpit.core.nearest import did_you_mean


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        """Wrong use ends with 2 and the way to the manual."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {message}. Hint: {self.prog} --help\n")


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    top = _Parser(
        prog="smartcockpit-vehicle", description="Check, compile and show vehicle folders (DBC -> VSS)."
    )
    top.add_argument("--version", action="version", version=smartcockpit.__version__)
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=_Parser)
    common = _Parser(add_help=False)
    common.add_argument(
        "folder", metavar="DIR", type=Path, help="vehicle folder: vehicle.toml, *.dbc, signals.vspec"
    )
    common.add_argument("--vss", metavar="DIR", type=Path, help="folder of the VSS catalogue (Vehicle.vspec)")
    common.add_argument("--json", action="store_true", help="print one JSON object")
    verbs.add_parser("check", parents=[common], help="say whether the folder fits together")
    make = verbs.add_parser("compile", parents=[common], help="write the table that canbridge loads")
    make.add_argument(
        "-o", "--output", metavar="FILE", type=Path, required=True, help="where the table goes (.py)"
    )
    make.add_argument(
        "--newer", action="store_true", help="do nothing when FILE was made from the same sources"
    )
    show = verbs.add_parser("show", parents=[common], help="list messages and signals")
    show.add_argument("--dbc", action="store_true", help="list all DBC signals, mapped or not")
    show.add_argument(
        "signal", nargs="?", default="", metavar="PATH", help="only signals at or below this VSS path"
    )
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = parser().parse_args(argv)
    try:
        return _run(arguments)
    except SmartCockpitError as error:
        if arguments.json:
            print(json.dumps({"ok": False, "error": error.message, "hint": error.hint}))
        else:
            print(f"smartcockpit-vehicle: {error}", file=sys.stderr)
        return error.exit_code
    except ModuleNotFoundError as error:
        print(
            f"smartcockpit-vehicle: Python module {error.name} is missing. "
            "Hint: install cantools and PyYAML (Debian: python3-cantools python3-yaml)",
            file=sys.stderr,
        )
        return UnavailableError.exit_code
    except BrokenPipeError:
        return 0
    except KeyboardInterrupt:
        return 130


def _run(arguments: argparse.Namespace) -> int:
    from smartcockpit.vehicle.build import build, is_current

    if (
        arguments.verb == "compile"
        and arguments.newer
        and is_current(arguments.folder, arguments.output, arguments.vss)
    ):
        if arguments.json:
            print(json.dumps({"ok": True, "output": str(arguments.output), "changed": False}))
        return 0
    from smartcockpit.vehicle.compiler import compile_vehicle

    vehicle = compile_vehicle(arguments.folder, arguments.vss)
    if not arguments.json:
        for warning in vehicle.warnings:
            print(f"warning: {warning}", file=sys.stderr)
    if arguments.verb == "show":
        from smartcockpit.vehicle.show import show

        if arguments.signal and not any(
            (s.path + ".").startswith(arguments.signal + ".") for s in vehicle.plan.signals
        ):
            hint = did_you_mean(arguments.signal, [s.path for s in vehicle.plan.signals])
            raise UsageError(f"vehicle {vehicle.plan.name} has no signal {arguments.signal!r}", hint)
        show(vehicle, arguments.signal, arguments.dbc, arguments.json)
        return 0
    report: dict[str, object] = {
        "ok": True,
        "vehicle": vehicle.plan.name,
        "buses": len(vehicle.plan.buses),
        "messages": len(vehicle.plan.messages),
        "signals": len(vehicle.plan.signals),
        "warnings": list(vehicle.warnings),
    }
    if arguments.verb == "compile":
        build(vehicle, arguments.output)
        report |= {"output": str(arguments.output), "changed": True}
    if arguments.json:
        print(json.dumps(report))
    else:
        done = f"wrote {arguments.output}: " if arguments.verb == "compile" else ""
        counts = ", ".join(f"{report[what]} {what}" for what in ("buses", "messages", "signals"))
        print(f"{done}vehicle {vehicle.plan.name}: {counts}, {len(vehicle.warnings)} warnings")
    return 0


if __name__ == "__main__":
    sys.exit(main())
