# SPDX-License-Identifier: Apache-2.0
"""Which channel of a recording belongs on which bus of the vehicle."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from smartcockpit.core.errors import UsageError
from smartcockpit.core.nearest import did_you_mean

from smartcockpit_bench.drive.log import LogEntry

SCAN_FRAMES = 5000


def parse_map(text: str, buses: Sequence[str]) -> dict[str, str]:
    """Parse `vcan0=can0,1=can1` (channel=bus); raises `UsageError` that names the faulty pair."""
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in text.split(","))):
        channel, sep, bus = (word.strip() for word in pair.partition("="))
        if not sep or not channel or not bus:
            raise UsageError(f"{pair!r} is no channel map", "write it as channel=bus, such as vcan0=can0")
        if bus not in buses:
            hint = did_you_mean(bus, buses, "the vehicle has: " + ", ".join(buses))
            raise UsageError(f"channel map {pair!r}: the vehicle has no bus {bus!r}", hint)
        found[channel] = bus
    return found


def guess(entries: Iterable[LogEntry], ids: Mapping[str, frozenset[int]]) -> dict[str, str]:
    """Return channel → bus for a recording nobody explained, from its first `SCAN_FRAMES` frames.

    `ids` holds the identifiers of each bus' DBC files (bit 31 marks 29 bits). A channel goes to the bus
    that knows most of its identifiers, unless it has the very name of a bus; a channel of which no bus knows
    anything is left out when others do fit, else channels and buses pair up in order.
    """
    seen: dict[str, set[int]] = {}
    for entry in itertools.islice(entries, SCAN_FRAMES):
        seen.setdefault(entry.channel, set()).add(entry.frame.can_id | entry.frame.extended << 31)
    found: dict[str, str] = {}
    for channel, used in seen.items():
        score = {bus: (len(used & known), bus == channel) for bus, known in ids.items()}
        best = max(ids, key=lambda bus: score[bus], default=None)
        if best is not None and score[best] > (0, False):
            found[channel] = best
    return found or dict(zip(sorted(seen), ids, strict=False))
