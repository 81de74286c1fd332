# SPDX-License-Identifier: Apache-2.0
"""The decode plan: what the compiler decided for each message, before it becomes Python source or a C table.

Owns the vocabulary between the reader of vehicle folders and the back-ends. Everything in here is checked:
a back-end trusts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from smartcockpit.core.checksum import Checksum, Counter
from smartcockpit.core.formula import Node
from smartcockpit.core.layout import BitField
from smartcockpit.core.signals import Scalar, SignalSpec

Ranges = tuple[tuple[int, int], ...]
"""Inclusive ranges of multiplexer values."""


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One signal of a DBC message, numbers as cantools computes them: raw · scale + offset.

    `conditions` are the multiplexers (index among the message's fields, values) that must all agree for the
    frame to carry this field; empty: always there.
    """

    name: str
    place: BitField
    scale: int | float = 1
    offset: int | float = 0
    conditions: tuple[tuple[int, Ranges], ...] = ()


@dataclass(frozen=True, slots=True)
class Linear:
    """value = raw · scale + offset, exact; limits are raw, inclusive, None where the field cannot exceed
    them.
    """

    scale: Fraction
    offset: Fraction
    low: int | float | None = None
    high: int | float | None = None
    invalid: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """value = what stands beside the raw number; one that is not listed is invalid."""

    values: tuple[tuple[int, Scalar], ...]


@dataclass(frozen=True, slots=True)
class Computed:
    """value = formula over raw · scale + offset; limits of x (the DBC's) and of the value (VSS')."""

    formula: Node
    scale: int | float
    offset: int | float
    x_limits: tuple[float | None, float | None] = (None, None)
    limits: tuple[float | None, float | None] = (None, None)


Conversion = Linear | Table | Computed


@dataclass(frozen=True, slots=True)
class MappedSignal:
    """One VSS signal fed by a field: `index` among the vehicle's signals, `field` among the message's fields.

    At least `interval_ms` lie between two forwarded values; with `on_change` only a new value is forwarded,
    otherwise the same value is forwarded again when the interval is over.
    """

    index: int
    field: int
    spec: SignalSpec
    conversion: Conversion
    interval_ms: int = 0
    on_change: bool = True


@dataclass(frozen=True, slots=True)
class MessagePlan:
    """One message of one bus. `can_id` carries bit 31 for 29-bit ids, as SocketCAN does. Times in ms, 0:
    not known.
    """

    bus: int
    can_id: int
    name: str
    length: int
    fields: tuple[FieldPlan, ...]
    mapped: tuple[MappedSignal, ...] = ()
    cycle_ms: int = 0
    timeout_ms: int = 0
    checksum: Checksum | None = None
    counter: tuple[int, Counter] | None = None
    """Index of the counter's field, and how it counts."""

    @property
    def multiplexers(self) -> dict[int, Ranges]:
        """Return the fields that choose others, each with all values that choose something, sorted."""
        found: dict[int, set[tuple[int, int]]] = {}
        for place in self.fields:
            for multiplexer, ranges in place.conditions:
                found.setdefault(multiplexer, set()).update(ranges)
        return {multiplexer: tuple(sorted(ranges)) for multiplexer, ranges in sorted(found.items())}

    @property
    def read_fields(self) -> list[int]:
        """Return the fields that a decoder looks at: what is mapped, its multiplexers, outermost ones, the
        counter.
        """
        read = {s.field for s in self.mapped}
        read |= {m for i in set(read) for m, _ in self.fields[i].conditions}
        read |= {m for m in self.multiplexers if not self.fields[m].conditions}
        if self.counter is not None:
            read.add(self.counter[0])
        return sorted(read)

    @property
    def is_timed(self) -> bool:
        """True when some value waits for the end of an interval."""
        return any(s.interval_ms or not s.on_change for s in self.mapped)

    @property
    def holds_back(self) -> bool:
        """True when a held-back value can be fetched by looking at the last frame again."""
        return self.is_timed and all(s.on_change for s in self.mapped) and self.counter is None

    def needed_bytes(self, field: FieldPlan) -> int:
        """Return how many bytes a frame needs to carry `field` and its multiplexers."""
        parts = [field, *(self.fields[m] for m, _ in field.conditions)]
        return max(part.place.end_byte for part in parts)


@dataclass(frozen=True, slots=True)
class BusPlan:
    """One bus as in vehicle.toml; `data_bitrate` 0: classic CAN."""

    name: str
    channel: str
    bitrate: int
    data_bitrate: int = 0


@dataclass(frozen=True, slots=True)
class VehiclePlan:
    """A whole vehicle, ready to be written down."""

    name: str
    buses: tuple[BusPlan, ...]
    signals: tuple[SignalSpec, ...]
    messages: tuple[MessagePlan, ...]
    sources: str = ""
    attributes: tuple[tuple[int, Scalar], ...] = ()
    """Signals with a value that never changes: (index, value)."""
