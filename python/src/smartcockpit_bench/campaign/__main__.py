# SPDX-License-Identifier: Apache-2.0
"""`make campaign`: run fault cases by class and seed, go on where the last run stopped, print a table.

Results are lines of JSON in build/campaign/<image>/results.jsonl, one a case. A case that has a result is not
run again; `--again` runs those that broke. A single one: `--class CLASS --seed N --cases 1 --again`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path

from smartcockpit.core.errors import SmartCockpitError

from smartcockpit_bench.campaign import powercut
from smartcockpit_bench.campaign.ground import Ground, prepare

CLASSES = {f"power cut, {phase}": phase for phase in (*powercut.PHASES, powercut.FIRST_SECONDS)}
Results = dict[tuple[str, int], dict[str, object]]


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make campaign", description=__doc__)
    parser.add_argument("--cases", type=int, default=6, metavar="N", help="cases in all, over the classes")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="first seed")
    parser.add_argument("--class", dest="only", choices=CLASSES, help="only this class")
    parser.add_argument("--again", action="store_true", help="run what broke again")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the campaign; 0 when everything held, 1 when something broke."""
    options = parse(arguments)
    try:
        ground = prepare()
        file = ground.unit.parent / "results.jsonl"
        classes = [options.only] if options.only else list(CLASSES)
        for number in range(options.cases):
            name, seed = classes[number % len(classes)], options.seed + number // len(classes)
            known = read(file).get((name, seed))
            if known is None or (options.again and not known["held"]):
                run_one(name, seed, ground, file)
    except SmartCockpitError as error:
        print(f"make campaign: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("make campaign: stopped; the next run goes on from here", file=sys.stderr)
        return 130
    results = read(file)
    print(table(results))
    return 0 if all(result["held"] for result in results.values()) else 1


def run_one(name: str, seed: int, ground: Ground, file: Path) -> None:
    """Run a case and append its result; whatever goes wrong in it is a result."""
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="smartcockpit-case-"))
    try:
        held, detail = True, "version " + powercut.run_case(CLASSES[name], seed, ground, folder)
    except (SmartCockpitError, OSError, AssertionError, KeyError, ValueError) as error:
        held, detail = False, f"{type(error).__name__}: {error}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    took = round(time.monotonic() - started)
    result = {"class": name, "seed": seed, "held": held, "detail": detail, "took_s": took}
    with file.open("a") as results:
        results.write(json.dumps(result) + "\n")
    print(f"  {name}, seed {seed}: {'held' if held else 'BROKEN'}, {detail} ({took} s)", file=sys.stderr)


def read(file: Path) -> Results:
    """Return the newest result of each case."""
    if not file.exists():
        return {}
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    return {(row["class"], row["seed"]): row for row in rows}


def table(results: Results) -> str:
    """Return the summary for people."""
    lines = [f"{'CLASS':<24}{'CASES':>6}{'HELD':>6}{'BROKEN':>8}"]
    for name in sorted({key[0] for key in results}):
        held = [bool(result["held"]) for key, result in results.items() if key[0] == name]
        lines.append(f"{name:<24}{len(held):>6}{sum(held):>6}{len(held) - sum(held):>8}")
    broken = [
        f"{key[0]}, seed {key[1]}: {result['detail']}"
        for key, result in results.items()
        if not result["held"]
    ]
    return "\n".join([*lines, *broken])


if __name__ == "__main__":
    sys.exit(main())
