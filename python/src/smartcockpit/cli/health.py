# SPDX-License-Identifier: Apache-2.0
"""`cockpitctl health`: the verdict of the health gate, check by check.

Reads the gate's files, so that it works without the bus and tells of a boot that failed. JSON: the keys of
`smartcockpit.core.verdict`, "this_boot": false when the verdict is older than the running system, and
"fell_back": the verdict of the trial that failed last, null when the last one did not. Exit code 69 when this
boot has no verdict yet, or one that is not good.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from smartcockpit.cli import output, text
from smartcockpit.core.errors import UnavailableError
from smartcockpit.core.verdict import CheckResult, Outcome, Verdict, from_document

FOLDER = Path("var/lib/smartcockpit-health")
BOOT_ID = Path("proc/sys/kernel/random/boot_id")
LARGEST = 1 << 20


def run(options: argparse.Namespace) -> int:
    """Show it once."""
    root = Path(os.environ.get("SMARTCOCKPIT_HEALTH_ROOT", "/"))
    verdict, trial = read(root / FOLDER / "newest.json"), read(root / FOLDER / "verdict.json")
    fell_back = trial if trial.trial and trial.outcome is not Outcome.GOOD else None
    this_boot = verdict.boot_id == (root / BOOT_ID).read_text().strip()
    if options.json:
        last = fell_back.to_document() if fell_back else None
        print(output.document({**verdict.to_document(), "this_boot": this_boot, "fell_back": last}))
    else:
        show(verdict, this_boot)
        if fell_back and fell_back.boot_id != verdict.boot_id:
            what = f"slot {fell_back.slot}, version {fell_back.version}"
            print(text.plain(f"the last trial failed: {what}: {fell_back.reasons}"))
    return 0 if this_boot and verdict.outcome is Outcome.GOOD else 69


def read(path: Path) -> Verdict:
    """Return the verdict in a file; raises `UnavailableError` when there is none or it cannot be used."""
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(LARGEST))
    except FileNotFoundError as error:
        raise UnavailableError(
            "the health gate has not judged this system yet", "see: systemctl status smartcockpit-health"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise UnavailableError(f"{path} cannot be read: {error}") from error
    verdict = from_document(document) if isinstance(document, dict) else None
    if verdict is None:
        raise UnavailableError(f"{path} holds no verdict that this version knows")
    return verdict


def show(verdict: Verdict, this_boot: bool) -> None:
    """Print the tables for people."""
    when = "" if this_boot else ", in an earlier boot"
    trial = "on trial" if verdict.trial else "not on trial"
    slot = f"slot {verdict.slot or 'none'}"
    print(text.plain(f"{verdict.outcome}: {slot}, version {verdict.version or 'unknown'}, {trial}{when}"))
    print(text.table(("CHECK", "RESULT", "TOOK", "FOUND"), map(_row, verdict.checks), right=(2,)))


def _row(check: CheckResult) -> tuple[str, ...]:
    result = "skipped" if check.skipped else "ok" if check.ok else "failed"
    return check.name, result, f"{check.ms / 1000:.1f} s", check.detail.removeprefix("skipped: ")
