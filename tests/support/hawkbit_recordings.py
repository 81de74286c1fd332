# SPDX-License-Identifier: Apache-2.0
"""What a real hawkBit said in each of `smartcockpit_bench.hawkbit.conversations`, one exchange a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "hawkbit/recorded"
SLEEP = "00:00:30"
"""Poll interval of the server that was recorded."""


def recorded(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def record(name: str, written: list[dict[str, Any]]) -> None:
    lines = ",\n".join(json.dumps(exchange, ensure_ascii=False) for exchange in written)
    (FOLDER / f"{name}.json").write_text(f"[\n{lines}\n]\n")
