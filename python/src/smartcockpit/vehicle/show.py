# SPDX-License-Identifier: Apache-2.0
"""Prints what a vehicle folder maps: a table for people, JSON for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from smartcockpit.core.plan import MessagePlan

if TYPE_CHECKING:
    from smartcockpit.vehicle.compiler import Vehicle


def show(vehicle: Vehicle, prefix: str, dbc: bool, as_json: bool) -> None:
    """Print the mapped signals at or below `prefix`, or all DBC signals with `dbc`."""
    rows = _dbc_rows(vehicle) if dbc else _signal_rows(vehicle, prefix)
    if as_json:
        print(json.dumps({"vehicle": vehicle.plan.name, "signals": rows, "warnings": list(vehicle.warnings)}))
        return
    columns = list(rows[0]) if rows else []
    widths = [max(len(c), *(len(str(row[c])) for row in rows)) for c in columns]
    for cells in [[c.upper() for c in columns], *([str(row[c]) for c in columns] for row in rows)]:
        print("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())


def _where(vehicle: Vehicle, message: MessagePlan) -> dict[str, object]:
    return {
        "bus": vehicle.plan.buses[message.bus].name,
        "id": f"{message.can_id & 0x1FFFFFFF:#x}",
        "message": message.name,
    }


def _signal_rows(vehicle: Vehicle, prefix: str) -> list[dict[str, object]]:
    return [
        {
            "path": signal.spec.path,
            "datatype": str(signal.spec.datatype),
            "unit": signal.spec.unit,
            **_where(vehicle, message),
            "signal": message.fields[signal.field].name,
            "cycle_ms": message.cycle_ms,
            "timeout_ms": message.timeout_ms,
            "interval_ms": signal.interval_ms,
        }
        for message in vehicle.plan.messages
        for signal in message.mapped
        if not prefix or (signal.spec.path + ".").startswith(prefix + ".")
    ]


def _dbc_rows(vehicle: Vehicle) -> list[dict[str, object]]:
    mapped = {
        (m.bus, m.can_id, m.fields[s.field].name): s.spec.path
        for m in vehicle.plan.messages
        for s in m.mapped
    }
    return [
        {
            **_where(vehicle, message),
            "signal": field.name,
            "bits": field.place.length,
            "path": mapped.get((message.bus, message.can_id, field.name), ""),
        }
        for message in vehicle.messages
        for field in message.fields
    ]
