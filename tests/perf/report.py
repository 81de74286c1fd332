# SPDX-License-Identifier: Apache-2.0
"""What the benchmarks share: median CPU time per item, and a table with ratios to a peer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence


def cpu_us_per_item(run: Callable[[], int], rounds: int = 7) -> float:
    """Return the median CPU time of this thread in µs per item; `run` returns how many items it did."""
    found = []
    for _ in range(rounds):
        start = time.thread_time_ns()
        items = run()
        found.append((time.thread_time_ns() - start) / 1000 / items)
    return statistics.median(found)


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print `rows` below `title`, columns aligned."""
    cells = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    print(f"\n{title}")
    for number, row in enumerate(cells):
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if not number:
            print("  " + "  ".join("-" * width for width in widths))
