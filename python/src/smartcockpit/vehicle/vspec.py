# SPDX-License-Identifier: Apache-2.0
"""Reads .vspec files (YAML with #include), the nested JSON form, and the units of a catalogue.

Owns the files; what the nodes mean is `smartcockpit.core.vss`' business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from smartcockpit.core.errors import ConfigError
from smartcockpit.core.vss import Catalogue, Place, Unit, VssEntry, build_catalogue
from smartcockpit.vehicle.yaml_lines import read_mapping, read_text

_INCLUDE = re.compile(r"#include\s+(\S+)(?:\s+(\S+))?\s*$")
_MAX_DEPTH = 20


def read_vspec(path: Path, prefix: str = "", depth: int = 0) -> list[VssEntry]:
    """Return the nodes of a .vspec file and of what it includes, in order."""
    if depth > _MAX_DEPTH:
        raise ConfigError(
            f"{path}: #include nested more than {_MAX_DEPTH} deep", "does a file include itself?"
        )
    text = read_text(path)
    found: list[tuple[int, list[VssEntry]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if match := _INCLUDE.match(line):
            inner = path.parent / match[1]
            if not inner.is_file():
                raise ConfigError(f"{path}:{number}: included file {match[1]!r} is not there")
            below = ".".join(part for part in (prefix, match[2]) if part)
            found.append((number, read_vspec(inner, below, depth + 1)))
    for key, value, line_number, lines in read_mapping(text, str(path)):
        name = f"{prefix}.{key}" if prefix else key
        place = Place(str(path), line_number)
        if not isinstance(value, Mapping):
            raise ConfigError(f"{place}: {name} has no keys", "write type:, datatype: … below it, indented")
        found.append((line_number, [VssEntry(name, value, place, lines)]))
    return [entry for _, entries in sorted(found, key=lambda item: item[0]) for entry in entries]


def read_vss_json(path: Path) -> list[VssEntry]:
    """Return the nodes of a nested JSON tree as vss-tools and KUKSA write it."""
    try:
        tree = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", 0)
        raise ConfigError(f"{Place(str(path), line)}: broken JSON: {getattr(error, 'msg', error)}") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: expected a tree of VSS nodes", "the file must start with {")
    return list(_json_nodes(path, "", tree))


def _json_nodes(path: Path, prefix: str, tree: Mapping[str, Any]) -> Iterator[VssEntry]:
    for name, node in tree.items():
        full = f"{prefix}.{name}" if prefix else name
        if not isinstance(node, dict):
            raise ConfigError(f"{path}: {full} is {type(node).__name__}, not a VSS node")
        keys = {key: value for key, value in node.items() if key != "children"}
        yield VssEntry(full, keys, Place(str(path)))
        children = node.get("children", {})
        if not isinstance(children, dict):
            raise ConfigError(f"{path}: children of {full} are {type(children).__name__}, not nodes")
        yield from _json_nodes(path, full, children)


def read_units(path: Path) -> dict[str, Unit]:
    """Return the units of a units.yaml by identifier."""
    units = {}
    for key, value, line, _ in read_mapping(read_text(path), str(path)):
        if not isinstance(value, Mapping) or "quantity" not in value:
            raise ConfigError(f"{path}:{line}: unit {key!r} has no quantity")
        units[key] = Unit(key, str(value["quantity"]))
    return units


def read_catalogue(folder: Path, overlays: tuple[Path, ...] = ()) -> Catalogue:
    """Return the catalogue in `folder` (Vehicle.vspec, units.yaml, overlay.vspec) with further `overlays`."""
    root = folder / "Vehicle.vspec"
    if not root.is_file():
        raise ConfigError(
            f"{folder}: no VSS catalogue (Vehicle.vspec) in here", "name its folder with --vss DIR"
        )
    own = folder / "overlay.vspec"
    layers = [*([own] if own.is_file() else []), *overlays]
    laid = [entry for layer in layers for entry in read_vspec(layer)]
    return build_catalogue(read_vspec(root), laid, read_units(folder / "units.yaml"))
