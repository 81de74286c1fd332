# SPDX-License-Identifier: Apache-2.0
"""DBC files: read by cantools, judged and turned into our own plan vocabulary.

Owns the door to cantools. What its strict mode refuses becomes a warning that names file and message,
because people have such files and drive with them.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartcockpit.core.errors import ConfigError
from smartcockpit.core.layout import BitField
from smartcockpit.core.plan import FieldPlan, Ranges
from smartcockpit.vehicle.yaml_lines import read_text

CAN_EFF_FLAG = 0x8000_0000
_LARGEST_STANDARD_ID = 0x7FF


@dataclass(frozen=True, slots=True)
class DbcSignal:
    """What the DBC says of a signal beside its bits: unit, declared limits (None: none), named raw values."""

    name: str
    unit: str
    minimum: int | float | None
    maximum: int | float | None
    names: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class DbcMessage:
    """One message: `fields[i]` is the plan of `signals[i]`. `can_id` carries bit 31 for a 29-bit id."""

    file: str
    name: str
    can_id: int
    length: int
    is_fd: bool
    cycle_ms: int
    fields: tuple[FieldPlan, ...]
    signals: tuple[DbcSignal, ...]

    def index(self, signal: str) -> int | None:
        """Return the index of the signal called `signal`."""
        return next((i for i, s in enumerate(self.signals) if s.name == signal), None)


def read_dbc(path: Path, warn: list[str]) -> list[DbcMessage]:
    """Return the messages of a DBC file; appends to `warn` what is odd but usable."""
    database = load_cantools(path, warn)
    found, ids = [], dict[int, str]()
    for message in database.messages:
        try:
            message.refresh(strict=True)
        except Exception as error:
            warn.append(f"{path}: message {message.name}: {error}")
            message.refresh(strict=False)
        entry = _message(path, message, warn)
        if entry is None:
            continue
        if entry.can_id in ids:
            warn.append(
                f"{path}: messages {ids[entry.can_id]} and {entry.name} share id {message.frame_id:#x}; "
                f"{entry.name} is left out"
            )
            continue
        ids[entry.can_id] = entry.name
        found.append(entry)
    return found


def load_cantools(path: Path, warn: list[str] | None = None) -> Any:
    """Return cantools' own database of a DBC file, loaded leniently; `ConfigError` when it cannot be read."""
    import cantools.database

    text = _with_extended_ids(path, read_text(path, ("utf-8-sig", "cp1252", "latin-1")), warn)
    _check_lines(path, text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            database: Any = cantools.database.load_string(text, "dbc", strict=False)
    except Exception as error:
        raise ConfigError(f"{_place(path, text, error)}: broken DBC: {_first_line(error)}", _HINT) from error
    if not database.messages:
        raise ConfigError(f"{path}: no message in this DBC", _HINT)
    return database


_ID = re.compile(
    r"^(\s*(?:BO_|VAL_|SIG_VALTYPE_|SG_MUL_VAL_|BO_TX_BU_|SIG_GROUP_|"
    r'CM_ (?:BO_|SG_)|BA_ "[^"]*" (?:BO_|SG_)) )(\d+)',
    re.MULTILINE,
)


def _with_extended_ids(path: Path, text: str, warn: list[str] | None) -> str:
    """Return the DBC text with bit 31 set on ids that need 29 bits but are not marked so (cantools refuses
    those).
    """
    large = {
        int(match[2]) for match in _ID.finditer(text)
        if match[1].strip() == "BO_" and _LARGEST_STANDARD_ID < int(match[2]) < 1 << 29
    }  # fmt: skip
    if not large:
        return text
    for match in re.finditer(r"^\s*BO_ (\d+) (\w+)", text, re.MULTILINE):
        if warn is not None and int(match[1]) in large:
            warn.append(
                f"{path}: message {match[2]}: id {int(match[1]):#x} has more than 11 bits,"
                " taken as a 29-bit id"
            )
    return _ID.sub(
        lambda match: (
            match[1] + str(int(match[2]) | CAN_EFF_FLAG if int(match[2]) in large else int(match[2]))
        ),
        text,
    )


_SIGNAL = re.compile(
    r"\s*SG_\s+\w+(?:\s+(?:M|m\d+M?))?\s*:\s*\d+\s*\|\s*\d+\s*@\s*[01]\s*[+-]\s*"
    r'\([^(),]+,[^(),]+\)\s*\[[^\]|]*\|[^\]|]*\]\s*"[^"]*"\s*\S'
)
_MESSAGE = re.compile(r"\s*BO_\s+\d+\s+\w+\s*:\s*\d+\s+\S")
_STATEMENT = re.compile(
    r"\s*(VAL_|VAL_TABLE_|CM_|BA_|BA_DEF_|BA_DEF_DEF_|SIG_VALTYPE_|SG_MUL_VAL_|BO_TX_BU_)\s"
)


def _check_lines(path: Path, text: str) -> None:
    """Find where a file breaks off: cantools would drop that and all that follows without a word."""
    if not text.strip():
        raise ConfigError(f"{path}: no message in this DBC, the file is empty", _HINT)
    for number, line in enumerate(text.splitlines(), 1):
        for keyword, whole in (("SG_", _SIGNAL), ("BO_", _MESSAGE)):
            if line.split(maxsplit=1)[:1] == [keyword] and not whole.match(line):
                raise ConfigError(
                    f"{path}:{number}: broken DBC: incomplete line {line.strip()[:60]!r}", _HINT
                )
    if _STATEMENT.match(line := text.rstrip().rpartition("\n")[2]) and not line.endswith(";"):
        raise ConfigError(f"{path}: broken DBC: it breaks off in {line.strip()[:60]!r}", _HINT)


_HINT = "is the file complete? every BO_ and SG_ line is needed up to its end"


def _place(path: Path, text: str, error: Exception) -> str:
    """Return file and line: from the parser's message, else from the first line that is named in it."""
    match = re.search(r"line (\d+)", str(error))
    if match:
        return f"{path}:{match[1]}"
    named = re.search(r"message '?(\w+)", str(error))
    if named:
        for number, line in enumerate(text.splitlines(), 1):
            if line.startswith("BO_ ") and f" {named[1]}:" in line:
                return f"{path}:{number}"
    return str(path)


def _first_line(error: Exception) -> str:
    """Return the parser's own words without the wrapping that cantools puts around them."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return re.sub(r'^DBC: "(.*)"$', r"\1", lines[0]).rstrip(".")


def _message(path: Path, message: Any, warn: list[str]) -> DbcMessage | None:
    can_id, extended = message.frame_id, message.is_extended_frame
    if can_id >= 1 << 29:
        warn.append(f"{path}: message {message.name}: id {can_id:#x} fits no CAN frame, message left out")
        return None
    fields, signals, kept = [], [], []
    for signal in message.signals:
        place = bit_field(signal)
        if place.end_byte > message.length:
            warn.append(
                f"{path}: message {message.name}: signal {signal.name} ends in byte {place.end_byte} of "
                f"{message.length}, signal left out"
            )
            continue
        kept.append(signal)
    index = {signal.name: i for i, signal in enumerate(kept)}
    by_name = {signal.name: signal for signal in kept}
    for signal in kept:
        fields.append(
            FieldPlan(
                signal.name,
                bit_field(signal),
                signal.scale,
                signal.offset,
                _conditions(signal, by_name, index),
            )
        )
        names = {int(number): str(name) for number, name in (signal.choices or {}).items()}
        signals.append(DbcSignal(signal.name, signal.unit or "", signal.minimum, signal.maximum, names))
    return DbcMessage(
        str(path), message.name, can_id | (CAN_EFF_FLAG if extended else 0), message.length, message.is_fd,
        int(message.cycle_time or 0), tuple(fields), tuple(signals),
    )  # fmt: skip


def bit_field(signal: Any) -> BitField:
    """Return the place of a cantools signal."""
    return BitField(
        signal.start, signal.length, signal.byte_order == "big_endian",
        bool(signal.is_signed and not signal.is_float),
        bool(signal.is_float),
    )  # fmt: skip


def _conditions(
    signal: Any, by_name: Mapping[str, Any], index: Mapping[str, int]
) -> tuple[tuple[int, Ranges], ...]:
    """Return the multiplexers that carry `signal`, outermost first."""
    found: list[tuple[int, Ranges]] = []
    seen = {signal.name}
    while (
        signal.multiplexer_ids
        and signal.multiplexer_signal in index
        and signal.multiplexer_signal not in seen
    ):
        seen.add(signal.multiplexer_signal)
        found.append((index[signal.multiplexer_signal], _ranges(signal.multiplexer_ids)))
        signal = by_name[signal.multiplexer_signal]
    return tuple(reversed(found))


def _ranges(numbers: list[int]) -> Ranges:
    ranges: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return tuple(ranges)
