# SPDX-License-Identifier: Apache-2.0
"""The verdict of the health gate over one boot, and its form as a JSON document.

Format 1: {"format": 1, "boot_id", "slot", "version", "trial": bool, "verdict": "good" | "failed" | "timeout",
"started_us", "ended_us", "checks": [{"name", "ok": bool, "skipped": bool, "detail", "ms"}]}. A check that was
skipped is ok. Keys may be added. Who writes it where: `smartcockpit.health`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from smartcockpit.core.named import NamedTuple

FORMAT = 1
UNFINISHED = "was not finished"
"""What is known of a check that was cut off because another one had failed for good."""


class Outcome(StrEnum):
    """How a boot ended up."""

    GOOD = "good"
    FAILED = "failed"
    TIMEOUT = "timeout"


class CheckResult(NamedTuple):
    """What one check found."""

    name: str
    ok: bool
    detail: str
    ms: int
    """How long it took until it passed, or was given up."""
    skipped: bool = False


class Verdict(NamedTuple):
    """All of one boot; times are µs CLOCK_REALTIME."""

    boot_id: str
    slot: str
    version: str
    trial: bool
    outcome: Outcome
    started_us: int
    ended_us: int
    checks: tuple[CheckResult, ...]

    @property
    def reasons(self) -> str:
        """Say in one line what is wrong; empty when nothing is."""
        wrong = [check for check in self.checks if not check.ok]
        found = [check for check in wrong if check.detail != UNFINISHED]
        return "; ".join(f"{check.name}: {check.detail}" for check in found or wrong)

    def to_document(self) -> dict[str, Any]:
        """Return the JSON document."""
        fields = self._asdict()
        fields["checks"] = [check._asdict() for check in self.checks]
        return {"format": FORMAT, "verdict": str(fields.pop("outcome")), **fields}


def from_document(document: Mapping[str, Any]) -> Verdict | None:
    """Return the verdict that a document holds, None when it is none or of another format."""
    try:
        if document["format"] != FORMAT:
            return None
        checks = tuple(
            CheckResult(
                str(row["name"]),
                row["ok"] is True,
                str(row["detail"]),
                int(row["ms"]),
                bool(row.get("skipped")),
            )
            for row in document["checks"]
        )
        return Verdict(
            str(document["boot_id"]),
            str(document["slot"]),
            str(document["version"]),
            document["trial"] is True,
            Outcome(document["verdict"]),
            int(document["started_us"]),
            int(document["ended_us"]),
            checks,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
