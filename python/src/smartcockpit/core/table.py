# SPDX-License-Identifier: Apache-2.0
"""The compiled vehicle as its users see it: typed view of the generated module.

Owns the format number and the shape of the names in a table. How a table gets into memory (and whether its
file may be trusted) is an adapter's business; what its functions do when frames come is
`smartcockpit.core.decode`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from smartcockpit.core.errors import ConfigError
from smartcockpit.core.named import NamedTuple
from smartcockpit.core.signals import Datatype, Scalar, SignalKind, SignalSpec, Update

FORMAT = 2
"""Raised when the names or shapes in a generated table change; a table of another format is compiled anew."""

NATIVE_VERSION = 1
"""Of the decoder in C and its tables; python/native/canreceive.h has the same number."""

NEVER = (1 << 63) - 1
"""`due` of a message whose unchanged frames need no look."""

REPEATED = -1
"""`due` of a frame that carried the counter value of the one before: it is no sign of life."""

Decode = Callable[[bytes], tuple[Any, ...]]
UpdateFrame = Callable[[bytes, int, int, Callable[[Update], None]], int]
"""(body, now_ns, time_us, emit) -> due_ns: emit what changed; an equal body needs no look before `due_ns`."""

MakeUpdater = Callable[["Tally"], tuple[UpdateFrame, Callable[[], None]]]
"""tally -> (update, forget); after `forget` the next frame emits all its signals again."""


class Tally:
    """What the decoder counts, per bus; plain attributes, read them at any time."""

    __slots__ = (
        "checksum_errors", "counter_errors", "error_frames", "frames", "out_of_range", "remote_frames",
        "short_frame", "unchanged", "unknown_id", "unknown_mux",
    )  # fmt: skip

    def __init__(self) -> None:
        self.frames = 0
        self.unchanged = 0
        self.unknown_id = 0
        self.short_frame = 0
        self.unknown_mux = 0
        self.checksum_errors = 0
        self.counter_errors = 0
        self.out_of_range = 0
        self.remote_frames = 0
        self.error_frames = 0

    def as_dict(self) -> dict[str, int]:
        """Return all counts by name."""
        return {name: getattr(self, name) for name in self.__slots__}


class Bus(NamedTuple):
    """A bus of the vehicle; `fd` iff it has a data bit rate."""

    name: str
    channel: str
    bitrate: int
    data_bitrate: int

    @property
    def fd(self) -> bool:
        """True for CAN FD."""
        return self.data_bitrate > 0


class Message(NamedTuple):
    """A mapped message. `can_id` carries bit 31 for a 29-bit id. `signals` index the table's signals.

    `decode` gives the physical values of all `fields` (the DBC's signals, in its order; None for one that
    this frame does not carry). `make_updater`, `ends` (bytes that a frame needs for each of `signals`) and
    `holds_back` (has signals that an interval may hold back) are for the decoder.
    """

    bus: int
    can_id: int
    name: str
    length: int
    cycle_ms: int
    timeout_ms: int
    signals: tuple[int, ...]
    decode: Decode
    make_updater: MakeUpdater
    ends: tuple[int, ...]
    fields: tuple[str, ...]
    holds_back: bool


class NativeTable(NamedTuple):
    """What the decoder in C knows of one bus: its messages in order, the texts that numbers stand for, and
    which messages it leaves to Python.
    """

    data: bytes
    texts: tuple[str, ...]
    left: tuple[int, ...]


class VehicleTable(NamedTuple):
    """A compiled vehicle: buses, signals in index order, mapped messages; `sources` is the digest of what
    made it.

    `attributes` are (signal index, value) of signals that no message feeds and that never change, such as
    the brand. `native` has a table for the decoder in C for each bus.
    """

    name: str
    sources: str
    buses: tuple[Bus, ...]
    signals: tuple[SignalSpec, ...]
    messages: tuple[Message, ...]
    attributes: tuple[tuple[int, Scalar], ...] = ()
    native: tuple[NativeTable, ...] = ()

    @classmethod
    def from_namespace(cls, names: Mapping[str, Any]) -> VehicleTable:
        """Return the view of a generated module's names; `ConfigError` when they are of another format or
        broken.
        """
        if names.get("FORMAT") != FORMAT:
            raise ConfigError(
                f"compiled vehicle has table format {names.get('FORMAT')!r}, this version reads {FORMAT}",
                "compile the vehicle folder again: smartcockpit-vehicle compile DIR -o FILE",
            )
        try:
            return cls(
                name=str(names["VEHICLE"]),
                sources=str(names["SOURCES"]),
                buses=tuple(Bus(*bus) for bus in names["BUSES"]),
                signals=tuple(_spec(*signal) for signal in names["SIGNALS"]),
                messages=tuple(_message(*message) for message in names["MESSAGES"]),
                attributes=tuple(names.get("ATTRIBUTES", ())),
                native=tuple(NativeTable(*bus) for bus in names["NATIVE"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(
                f"compiled vehicle is damaged: {error}", "compile the vehicle folder again"
            ) from error


def _spec(  # noqa: PLR0917 - a row of the table
    path: str, datatype: str, unit: str, kind: str, description: str, low: float | None, high: float | None,
    allowed: tuple[str, ...],
) -> SignalSpec:  # fmt: skip
    return SignalSpec(path, Datatype(datatype), unit, SignalKind(kind), description, low, high, allowed)


def _message(  # noqa: PLR0917 - a row of the table
    bus: int, can_id: int, name: str, length: int, cycle_ms: int, timeout_ms: int, signals: tuple[int, ...],
    decode: Decode, updater: tuple[MakeUpdater, tuple[int, ...], tuple[str, ...], bool],
) -> Message:  # fmt: skip
    return Message(bus, can_id, name, length, cycle_ms, timeout_ms, signals, decode, *updater)


def cut_decode(decode: Decode, data: bytes, need: int, ends: tuple[int, ...]) -> tuple[Any, ...]:
    """Decode a frame shorter than `need` bytes: None for every field that ends beyond what is there."""
    have = len(data)
    values = decode(data + bytes(need - have))
    return tuple(value if end <= have else None for value, end in zip(values, ends, strict=True))
