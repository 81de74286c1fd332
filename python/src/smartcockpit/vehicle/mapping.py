# SPDX-License-Identifier: Apache-2.0
"""The mapping file: which DBC signal feeds which VSS leaf (`signals.vspec`, or KUKSA's nested JSON).

Owns the overlay format of KUKSA's can-provider (`dbc`, `dbc2vss`, `vss2dbc` with `signal`, `interval_ms`,
`on_change`, `transform`) plus our `message` and `bus`, and the older paths and units in such files. Whether
the signal exists and fits is `smartcockpit.vehicle.fit`'s business. Source of the format:
kuksa-can-provider mapping/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartcockpit.core.errors import ConfigError
from smartcockpit.core.formula import FormulaError, Node, parse_formula
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.signals import Scalar, SignalSpec
from smartcockpit.core.vss import KNOWN_KEYS, Catalogue, Place, VssEntry
from smartcockpit.vehicle.former_vss import FORMER_UNITS, GONE_BRANCH, RENAMED_UNITS, successor
from smartcockpit.vehicle.vspec import read_vspec, read_vss_json

_MAPPING_KEYS = ("dbc", "dbc2vss", "vss2dbc")
_SUB_KEYS = ("signal", "message", "bus", "interval_ms", "on_change", "transform")
_DEFAULT_INTERVAL_MS = 1000
_LONGEST_INTERVAL_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class SignalMapping:
    """One leaf and the DBC signal that feeds it, as written; `message` and `bus` may be "" (find it by name).

    `unit` is the unit that the file's author had in mind for the transformed value.
    """

    spec: SignalSpec
    place: Place
    signal: str
    message: str
    bus: str
    interval_ms: int
    on_change: bool
    formula: Node | None
    table: tuple[tuple[Scalar, Scalar, Place], ...] | None
    unit: str


def read_mappings(path: Path, catalogue: Catalogue, notes: list[str]) -> list[SignalMapping]:
    """Return the CAN -> VSS mappings of `path` in its order; appends to `notes` what an older file made us
    change.
    """
    entries = read_vss_json(path) if path.suffix == ".json" else read_vspec(path)
    found: dict[str, SignalMapping] = {}
    moved: list[tuple[VssEntry, str]] = []
    for entry in entries:
        if not any(key in entry.keys for key in _MAPPING_KEYS):
            if path.suffix != ".json":
                _check_plain(entry, catalogue)
            continue
        target = entry.path if entry.path in catalogue.leaves else successor(entry.path)
        if target is None and entry.path.startswith(GONE_BRANCH):
            notes.append(f"{entry.place}: {entry.path} was removed in VSS 6.0, its mapping is left out")
            continue
        if target is not None and target != entry.path:
            moved.append((entry, target))
            continue
        mapping = _mapping(entry, catalogue.find(entry.path, entry.place), notes)
        if mapping is not None:
            found[entry.path] = mapping
    for entry, target in moved:
        if target in found:
            notes.append(
                f"{entry.place}: {entry.path} is {target} in VSS 6.0, which is mapped already; left out"
            )
            continue
        notes.append(f"{entry.place}: {entry.path} is {target} in VSS 6.0")
        mapping = _mapping(entry, catalogue.find(target, entry.place), notes)
        if mapping is not None:
            found[target] = mapping
    return list(found.values())


def _check_plain(entry: VssEntry, catalogue: Catalogue) -> None:
    """A leaf without a mapping must be in the catalogue: a misspelt one would otherwise be lost without a
    word.
    """
    if entry.keys.get("type", "branch") != "branch" and successor(entry.path) is None:
        if not entry.path.startswith(GONE_BRANCH):
            catalogue.find(entry.path, entry.place)
        _check_keys(entry)


def _check_keys(entry: VssEntry) -> None:
    known = KNOWN_KEYS | set(_MAPPING_KEYS)
    for key in entry.keys:
        if key not in known:
            raise ConfigError(
                f"{entry.at(key)}: unknown key {key!r} below {entry.path}",
                did_you_mean(key, known, _known(known)),
            )


def _known(names: Any) -> str:
    return "known are " + ", ".join(sorted(names))


def _mapping(entry: VssEntry, spec: SignalSpec, notes: list[str]) -> SignalMapping | None:
    _check_keys(entry)
    if "dbc" in entry.keys and "dbc2vss" in entry.keys:
        raise ConfigError(
            f"{entry.at('dbc')}: {entry.path} has dbc: and dbc2vss:, they mean the same", "keep one"
        )
    if "vss2dbc" in entry.keys:
        _section(entry, "vss2dbc")
        if spec.kind != "actuator":
            raise ConfigError(
                f"{entry.at('vss2dbc')}: {entry.path} is a {spec.kind}; vss2dbc: is for actuators"
            )
        notes.append(f"{entry.at('vss2dbc')}: {entry.path}: vss2dbc is not used, nothing is transmitted")
    name = "dbc" if "dbc" in entry.keys else "dbc2vss"
    if name not in entry.keys:
        return None
    section = _section(entry, name)
    signal = section.get("signal")
    if not isinstance(signal, str) or not signal:
        raise ConfigError(f"{entry.at(name)}: {entry.path}: signal: (name of the DBC signal) is missing")
    interval_ms, on_change = _timing(entry, name, section)
    formula, table = _transform(entry, name, section)
    return SignalMapping(
        spec, entry.at(name), signal,
        _word(entry, name, section, "message"), _word(entry, name, section, "bus"),
        interval_ms, on_change, formula, table, _unit(entry, spec, notes),
    )  # fmt: skip


def _section(entry: VssEntry, name: str) -> Mapping[str, Any]:
    section = entry.keys[name]
    if not isinstance(section, Mapping):
        raise ConfigError(
            f"{entry.at(name)}: {name}: of {entry.path} needs keys below it", "at least signal: NAME"
        )
    for key in section:
        if key not in _SUB_KEYS:
            raise ConfigError(
                f"{entry.at(f'{name}.{key}')}: unknown key {key!r} in {name}: of {entry.path}",
                did_you_mean(str(key), _SUB_KEYS, _known(_SUB_KEYS)),
            )
    return section


def _word(entry: VssEntry, name: str, section: Mapping[str, Any], key: str) -> str:
    value = section.get(key, "")
    if not isinstance(value, str):
        raise ConfigError(f"{entry.at(f'{name}.{key}')}: {key}: of {entry.path} is {value!r}, not a name")
    return value


def _timing(entry: VssEntry, name: str, section: Mapping[str, Any]) -> tuple[int, bool]:
    """Return interval and on_change with KUKSA's defaults: neither given 1000 ms; only on_change: true 0
    ms.
    """
    on_change = section.get("on_change", False)
    if not isinstance(on_change, bool):
        raise ConfigError(
            f"{entry.at(f'{name}.on_change')}: on_change: of {entry.path} is neither true nor false"
        )
    interval = section.get("interval_ms", 0 if on_change else _DEFAULT_INTERVAL_MS)
    if (
        isinstance(interval, bool)
        or not isinstance(interval, int)
        or not 0 <= interval <= _LONGEST_INTERVAL_MS
    ):
        raise ConfigError(
            f"{entry.at(f'{name}.interval_ms')}: interval_ms: of {entry.path} is {interval!r}",
            f"a whole number of milliseconds, 0 to {_LONGEST_INTERVAL_MS}",
        )
    return interval, on_change


def _transform(
    entry: VssEntry, name: str, section: Mapping[str, Any]
) -> tuple[Node | None, tuple[tuple[Scalar, Scalar, Place], ...] | None]:
    if "transform" not in section:
        return None, None
    transform, key = section["transform"], f"{name}.transform"
    if not isinstance(transform, Mapping) or len(transform) != 1:
        raise ConfigError(
            f"{entry.at(key)}: transform: of {entry.path} needs exactly one of math: or mapping:"
        )
    if "math" in transform:
        try:
            return parse_formula(str(transform["math"])), None
        except FormulaError as error:
            place = entry.at(f"{key}.math")
            raise ConfigError(f"{place}: {entry.path}: {error.message}", error.hint) from error
    if "mapping" in transform:
        return None, _pairs(entry, f"{key}.mapping", transform["mapping"])
    word = str(next(iter(transform)))
    raise ConfigError(
        f"{entry.at(f'{key}.{word}')}: unknown transform {word!r} of {entry.path}",
        did_you_mean(word, ("math", "mapping"), "math or mapping"),
    )


def _pairs(entry: VssEntry, key: str, rows: Any) -> tuple[tuple[Scalar, Scalar, Place], ...]:
    if not isinstance(rows, list) or not rows:
        raise ConfigError(f"{entry.at(key)}: mapping: of {entry.path} needs '- from: … to: …' rows")
    found = []
    for number, row in enumerate(rows):
        place = entry.at(f"{key}.{number}")
        if not isinstance(row, Mapping) or set(row) != {"from", "to"}:
            raise ConfigError(
                f"{place}: each row of the mapping of {entry.path} has from: and to:, nothing else"
            )
        for value in (row["from"], row["to"]):
            if not isinstance(value, str | int | float):
                raise ConfigError(f"{place}: {value!r} is no text, number or truth value")
        found.append((row["from"], row["to"], place))
    return tuple(found)


def _unit(entry: VssEntry, spec: SignalSpec, notes: list[str]) -> str:
    """Return the unit that the file's author meant; notes what differs from the catalogue."""
    written = str(entry.keys.get("datatype", spec.datatype))
    if written != spec.datatype:
        notes.append(f"{entry.at('datatype')}: {spec.path} is {spec.datatype} in VSS 6.0, not {written}")
    former = FORMER_UNITS.get((spec.path, written), "")
    unit = str(entry.keys.get("unit", former or spec.unit))
    if unit in RENAMED_UNITS and RENAMED_UNITS[unit] == spec.unit:
        notes.append(f"{entry.at('unit')}: unit {unit} is written {spec.unit} in VSS 6.0")
        unit = spec.unit
    if unit != spec.unit:
        notes.append(
            f"{entry.at('unit')}: {spec.path} is in {spec.unit or 'no unit'} in VSS 6.0, not in {unit}"
        )
    return unit
