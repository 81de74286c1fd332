# SPDX-License-Identifier: Apache-2.0
"""What the server is told: bodies of DDI feedback, and how much of it.

hawkBit takes 1,000 status entries per action, 50 messages per entry and 512 characters per message, and
adds messages and entries of its own; past that it answers 429. So progress is told in coarse steps, a reason
to wait only when it changes, and room is kept for what must arrive: the answer that closes the action.

No time stamp is sent: hawkBit believes it, and does not take a success for installed that a unit whose clock
was lost puts before the installation that went before. Without one the server's own clock counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

ENTRIES = 900
"""Entries of one action before only the final answer is sent."""
MESSAGES = 40
LONGEST_MESSAGE = 500
STEP_PERCENT = 20
"""Progress is told each time another such step is reached."""

CLOSED, PROCEEDING, SCHEDULED, REJECTED = "closed", "proceeding", "scheduled", "rejected"
DOWNLOAD, DOWNLOADED = "download", "downloaded"
SUCCESS, FAILURE, NONE = "success", "failure", "none"


def status(
    execution: str,
    *,
    finished: str = NONE,
    code: int = 0,
    details: Sequence[str] = (),
    percent: int | None = None,
) -> dict[str, Any]:
    """Return the body of POST `deploymentBase/{id}/feedback` and `cancelAction/{id}/feedback`."""
    result: dict[str, Any] = {"finished": finished}
    if percent is not None:
        result["progress"] = {"cnt": percent, "of": 100}
    said: dict[str, Any] = {"execution": execution, "result": result, "details": messages(details)}
    if code:
        said["code"] = int(code)
    return {"status": said}


def confirmation(agreed: bool, details: Sequence[str] = (), code: int = 0) -> dict[str, Any]:
    """Return the body of POST `confirmationBase/{id}/feedback`."""
    said: dict[str, Any] = {
        "confirmation": "confirmed" if agreed else "denied", "details": messages(details),
    }  # fmt: skip
    if code:
        said["code"] = int(code)
    return said


def messages(details: Sequence[str]) -> list[str]:
    """Return `details` cut to what one entry may hold, without what some of hawkBit's databases refuse."""
    clean = ["".join(c if c.isprintable() else " " for c in text[:LONGEST_MESSAGE]) for text in details]
    kept = [text for text in clean if text.strip()]
    return kept if len(kept) <= MESSAGES else [*kept[: MESSAGES - 1], f"and {len(kept) - MESSAGES + 1} more"]


def coarse(percent: float) -> int:
    """Return the last step of progress that `percent` has reached."""
    return int(min(100.0, max(0.0, percent)) // STEP_PERCENT * STEP_PERCENT)
