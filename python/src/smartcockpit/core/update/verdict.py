# SPDX-License-Identifier: Apache-2.0
"""What the health gate found out about a boot: `/var/lib/smartcockpit-health/verdict.json`, format 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smartcockpit.core.named import NamedTuple


class Verdict(NamedTuple):
    """One boot's verdict; `good` False: failed or timed out, `text` says at what."""

    boot_id: str
    slot: str
    version: str
    good: bool
    text: str


def verdict(document: Mapping[str, Any]) -> Verdict | None:
    """Return the verdict, None for a document that is none."""
    word = document.get("verdict")
    if document.get("format") != 1 or word not in ("good", "failed", "timeout"):
        return None
    checks = document.get("checks")
    failed = [
        f"{check.get('name')}: {check.get('detail')}"[:200]
        for check in (checks if isinstance(checks, list) else [])
        if isinstance(check, dict) and check.get("ok") is not True
    ]
    said = "; ".join(failed[:8])
    late = f"time ran out; {said}".rstrip("; ")
    text = {"good": "", "failed": said or "a health check failed"}.get(word, late)
    boot_id, slot, version = (str(document.get(key, "")) for key in ("boot_id", "slot", "version"))
    return Verdict(boot_id, slot, version, word == "good", text)
