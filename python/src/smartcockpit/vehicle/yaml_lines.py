# SPDX-License-Identifier: Apache-2.0
"""YAML with line numbers: the compiler's one door to PyYAML.

Owns turning broken YAML into one sentence with file and line, and finding keys that are written twice
(which YAML itself takes without a word).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from smartcockpit.core.errors import ConfigError
from smartcockpit.core.vss import Place

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MAX_BYTES = 16 * 1024 * 1024


def read_text(path: Path, encodings: tuple[str, ...] = ("utf-8-sig",)) -> str:
    """Return the text of `path` without the mark that some editors put first.

    `ConfigError` when it cannot be read or is no text.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES // 1024 // 1024} MiB")
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read: {error.strerror}", "check that the file is there"
        ) from error
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            last = error
    line = data[: last.start].count(b"\n") + 1
    encoding = encodings[0].removesuffix("-sig")
    raise ConfigError(f"{path}:{line}: not {encoding} text", f"save the file as {encoding}")


def read_mapping(text: str, file: str) -> Iterator[tuple[str, Any, int, dict[str, int]]]:
    """Yield (key, value, line, lines of nested keys by dotted name) of a YAML file that is one mapping."""
    loader = _LOADER(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return
        if not isinstance(node, yaml.MappingNode):
            raise ConfigError(f"{file}:{node.start_mark.line + 1}: expected 'name:' entries")
        seen: dict[str, int] = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in seen:
                raise ConfigError(f"{file}:{line}: {key!r} is written twice, first in line {seen[key]}")
            seen[key] = line
            lines: dict[str, int] = {}
            _collect(value_node, "", lines)
            yield key, loader.construct_object(value_node, deep=True), line, lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise ConfigError(
            f"{Place(file, line)}: broken YAML: {error.problem or error.context}",
            "check indentation, colons and quotes in and before that line",
        ) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: broken YAML: {str(error).splitlines()[0]}") from error
    finally:
        loader.dispose()


def _collect(node: Any, prefix: str, lines: dict[str, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            name = f"{prefix}{key_node.value}"
            lines[name] = key_node.start_mark.line + 1
            _collect(value_node, f"{name}.", lines)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            lines[f"{prefix}{number}"] = item.start_mark.line + 1
            _collect(item, f"{prefix}{number}.", lines)
