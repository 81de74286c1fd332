# SPDX-License-Identifier: Apache-2.0
"""The VSS catalogue: a tree of branches and leaves, with instances multiplied out.

Owns the rules of the tree (parents declared, known datatypes and units, instances, overlays). How a .vspec
or JSON file is read belongs to the compiler. Source of the rules: COVESA VSS 6.0, "Vehicle Signal
Specification: rule set".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from smartcockpit.core.errors import ConfigError
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.signals import Datatype, SignalKind, SignalSpec

KNOWN_KEYS = {
    "type", "datatype", "description", "unit", "min", "max", "allowed", "default", "pattern", "comment",
    "arraysize", "deprecation", "instances", "instantiate", "aggregate", "delete", "fqn", "constUID",
}  # fmt: skip
"""Keys that VSS itself defines for a node."""

_NAME = re.compile(r"[A-Z][A-Za-z0-9]*(\.[A-Z][A-Za-z0-9]*)*\Z")
_RANGE = re.compile(r"([A-Za-z][A-Za-z0-9]*)\[(\d+),\s*(\d+)\]\Z")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was written: file name and line, for error messages."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class VssEntry:
    """One node as written in a file: full path, its keys, its place, and the place of each key."""

    path: str
    keys: Mapping[str, Any]
    place: Place
    lines: Mapping[str, int] = field(default_factory=dict)

    def at(self, key: str) -> Place:
        """Return the place of `key` (dotted for nested ones), or of the node."""
        return Place(self.place.file, self.lines.get(key, self.place.line))


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit identifier's quantity and the words that VSS and people use for it."""

    name: str
    quantity: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All leaves by path, all branches, and the units that they may have."""

    leaves: Mapping[str, SignalSpec]
    branches: frozenset[str]
    units: Mapping[str, Unit]
    patterns: Mapping[str, re.Pattern[str]]
    """What the text of a leaf must begin with, where the catalogue has a `pattern`."""

    def check_text(self, path: str, text: object, place: Place) -> None:
        """Raise `ConfigError` unless the leaf at `path` may hold `text` by its pattern."""
        pattern = self.patterns.get(path)
        if pattern is not None and isinstance(text, str) and not pattern.match(text):
            raise ConfigError(f"{place}: {path} may not be {text!r}", f"it must match {pattern.pattern}")

    def find(self, path: str, place: Place) -> SignalSpec:
        """Return the leaf at `path`; raises `ConfigError` with the nearest one."""
        spec = self.leaves.get(path)
        if spec is not None:
            return spec
        if path in self.branches:
            raise ConfigError(f"{place}: {path!r} is a branch of the catalogue, not a signal")
        hint = did_you_mean(
            path, self.leaves, "declare your own signals in an overlay file of the vehicle folder"
        )
        raise ConfigError(f"{place}: {path!r} is not in the VSS catalogue", hint)


def build_catalogue(
    entries: Iterable[VssEntry], overlays: Iterable[VssEntry], units: Mapping[str, Unit]
) -> Catalogue:
    """Return the catalogue of `entries` with `overlays` laid over it in order.

    An overlay may name one instance or (without the instance names) all of them.
    """
    raw: dict[str, VssEntry] = {}
    for entry in entries:
        _merge(raw, entry)
    late: list[VssEntry] = []
    for entry in overlays:
        parent = entry.path.rpartition(".")[0]
        if (
            entry.path in raw
            or (parent in raw and "datatype" in entry.keys)
            or entry.keys.get("type") == "branch"
        ):
            _merge(raw, entry)
        else:
            late.append(entry)
    nodes: dict[str, VssEntry] = {}
    for entry in raw.values():
        _check_parent(entry, raw)
        for path in _expanded(entry.path, raw):
            nodes[path] = entry
    for entry in late:
        if entry.path not in nodes:
            _check_parent(entry, nodes)
        _merge(nodes, entry)
    leaves, branches, patterns = {}, set(), {}
    for path, entry in nodes.items():
        if entry.keys.get("type", "branch") == "branch":
            branches.add(path)
            branches |= _instance_branches(path, entry)
        else:
            leaves[path] = _leaf(path, entry, units)
            if entry.keys.get("pattern") is not None:
                patterns[path] = _pattern(entry)
    return Catalogue(leaves, frozenset(branches), units, patterns)


def _merge(nodes: dict[str, VssEntry], entry: VssEntry) -> None:
    if not _NAME.match(entry.path):
        raise ConfigError(
            f"{entry.place}: {entry.path[:100]!r} is no VSS name",
            "letters and digits only, each part starts with a capital",
        )
    if entry.keys.get("delete") is True:
        for path in [p for p in nodes if p == entry.path or p.startswith(entry.path + ".")]:
            del nodes[path]
        return
    old = nodes.get(entry.path)
    if old is not None:
        keys = {**old.keys, **entry.keys}
        entry = VssEntry(entry.path, keys, entry.place, {**old.lines, **entry.lines})
    nodes[entry.path] = entry


def _check_parent(entry: VssEntry, nodes: Mapping[str, VssEntry]) -> None:
    parent = entry.path.rpartition(".")[0]
    if parent and parent not in nodes:
        branches = [p for p, e in nodes.items() if e.keys.get("type", "branch") == "branch"]
        raise ConfigError(
            f"{entry.place}: branch {parent!r} of {entry.path!r} is not declared",
            did_you_mean(parent, branches, "declare it with type: branch"),
        )


def instance_names(instances: Any) -> list[list[str]]:
    """Return the instance names per level: ["Left", "Right"] is one level, ["Row[1,2]", ["A", "B"]] are
    two.
    """
    if isinstance(instances, str):
        return [_range(instances)]
    if all(isinstance(item, str) and not _RANGE.match(item) for item in instances):
        return [list(instances)]
    return [_range(item) if isinstance(item, str) else [str(name) for name in item] for item in instances]


def _range(text: str) -> list[str]:
    match = _RANGE.match(text)
    if match is None:
        return [text]
    first, last = int(match[2]), int(match[3])
    return [f"{match[1]}{n}" for n in range(first, min(last, first + 1000) + 1)]


def _products(levels: list[list[str]]) -> Iterator[str]:
    if not levels:
        yield ""
        return
    for name in levels[0]:
        for rest in _products(levels[1:]):
            yield f".{name}{rest}"


def _expanded(path: str, raw: Mapping[str, VssEntry]) -> list[str]:
    """Return `path` once per combination of the instances of the branches above it."""
    parts, found, so_far = path.split("."), [""], ""
    for part in parts:
        parent = raw.get(so_far)
        levels = instance_names(parent.keys["instances"]) if parent and parent.keys.get("instances") else []
        so_far = f"{so_far}.{part}" if so_far else part
        node = raw.get(so_far)
        if node is not None and node.keys.get("instantiate") is False:
            levels = []
        found = [f"{head}{middle}.{part}" if head else part for head in found for middle in _products(levels)]
    return found


def _instance_branches(path: str, entry: VssEntry) -> set[str]:
    if not entry.keys.get("instances"):
        return set()
    levels = instance_names(entry.keys["instances"])
    return {path + tail for depth in range(1, len(levels) + 1) for tail in _products(levels[:depth])}


def _leaf(path: str, entry: VssEntry, units: Mapping[str, Unit]) -> SignalSpec:
    keys = entry.keys
    try:
        kind = SignalKind(keys["type"])
    except ValueError:
        raise ConfigError(
            f"{entry.at('type')}: {path} has the unknown type {keys['type']!r}",
            did_you_mean(str(keys["type"]), [*SignalKind, "branch"], "sensor, actuator, attribute or branch"),
        ) from None
    name = str(keys.get("datatype", ""))
    if not name:
        raise ConfigError(f"{entry.place}: {path} has no datatype")
    try:
        # Arrays other than string[] are carried by no bus of ours; as text they keep the catalogue whole.
        datatype = Datatype(name if not name.endswith("[]") else "string[]")
    except ValueError:
        raise ConfigError(
            f"{entry.at('datatype')}: {path} has the unknown datatype {name!r}", did_you_mean(name, Datatype)
        ) from None
    unit = str(keys.get("unit", ""))
    if unit and unit not in units:
        raise ConfigError(
            f"{entry.at('unit')}: {path} has the unknown unit {unit!r}", did_you_mean(unit, units)
        )
    allowed = tuple(str(word) for word in keys.get("allowed", ()) or ())
    return SignalSpec(
        path, datatype, unit, kind, str(keys.get("description", "")).strip(),
        _number(entry, "min"), _number(entry, "max"), allowed,
    )  # fmt: skip


def _number(entry: VssEntry, key: str) -> float | None:
    value = entry.keys.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"{entry.at(key)}: {key} of {entry.path} is {value!r}, not a number")
    return value


def _pattern(entry: VssEntry) -> re.Pattern[str]:
    text = str(entry.keys["pattern"])
    try:
        return re.compile(text)
    except re.error as error:
        raise ConfigError(f"{entry.at('pattern')}: pattern of {entry.path} is broken: {error}") from error
