# SPDX-License-Identifier: Apache-2.0
"""vehicle.toml: what no DBC can say about a vehicle.

Owns its keys: name, buses (channel, bit rates, DBC files), cycle, timeout, checksum and counter per
message, narrower limits and fixed attributes per VSS path. Whether messages and signals of these names
exist is `smartcockpit.vehicle.compiler`'s business.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smartcockpit.core.checksum import ALGORITHMS
from smartcockpit.core.errors import ConfigError
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.plan import BusPlan
from smartcockpit.core.signals import Scalar
from smartcockpit.core.vss import Place
from smartcockpit.vehicle.yaml_lines import read_text

FILE = "vehicle.toml"
_TOP = ("name", "description", "bus", "message", "limits", "attributes", "transmit")
_BUS = ("name", "channel", "bitrate", "data_bitrate", "dbc")
_MESSAGE = ("cycle_ms", "timeout_ms", "checksum", "counter")
_CHECKSUM = ("signal", "algorithm", "data_id")
_COUNTER = ("signal", "step", "modulus")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")


@dataclass(frozen=True, slots=True)
class ChecksumSetting:
    """Which signal carries the checksum, by which algorithm, over which data id first."""

    signal: str
    algorithm: str
    data_id: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class CounterSetting:
    """Which signal counts frames; `modulus` 0: as many values as the signal has."""

    signal: str
    step: int = 1
    modulus: int = 0


@dataclass(frozen=True, slots=True)
class MessageSetting:
    """What is declared for one message; None: the DBC's value, or the default."""

    place: Place
    cycle_ms: int | None = None
    timeout_ms: int | None = None
    checksum: ChecksumSetting | None = None
    counter: CounterSetting | None = None


@dataclass(frozen=True, slots=True)
class VehicleSettings:
    """The whole file. `dbc` holds the DBC file names per bus; `messages` are keyed by NAME or BUS.NAME."""

    name: str
    place: Place
    buses: tuple[BusPlan, ...]
    dbc: tuple[tuple[str, ...], ...]
    messages: Mapping[str, MessageSetting] = field(default_factory=dict)
    limits: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    attributes: Mapping[str, Scalar] = field(default_factory=dict)


def read_settings(folder: Path) -> VehicleSettings:
    """Return the settings of a vehicle folder; without the file: all its DBCs on one classic bus `can0`."""
    path = folder / FILE
    if not path.exists():
        names = tuple(sorted(p.name for p in folder.glob("*.dbc")))
        if not names:
            raise ConfigError(f"{folder}: neither {FILE} nor a DBC file in here", "is this a vehicle folder?")
        return VehicleSettings(
            _folder_name(folder), Place(str(folder)), (BusPlan("can", "can0", 500_000),), (names,)
        )
    return _Reader(path, read_text(path)).settings()


def _folder_name(folder: Path) -> str:
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", folder.resolve().name)
    return name if _NAME.match(name) else "vehicle"


class _Reader:
    """Checks the parsed TOML key by key; knows the text only to name lines."""

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.lines = path, text.splitlines()
        try:
            self.root = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            match = re.search(r"\(at line (\d+)", str(error))
            line = int(match[1]) if match else len(self.lines)
            raise ConfigError(f"{Place(str(path), line)}: broken TOML: {error}") from error

    def place(self, word: str) -> Place:
        """Return the first line in which `word` stands (good enough to find it)."""
        pattern = re.compile(rf"(?<![\w.-]){re.escape(word)}(?![\w-])")
        line = next((n for n, text in enumerate(self.lines, 1) if pattern.search(text.split("#")[0])), 0)
        return Place(str(self.path), line)

    def keys(self, table: Any, known: Iterable[str], what: str) -> Mapping[str, Any]:
        names = tuple(known)
        if not isinstance(table, dict):
            raise ConfigError(f"{self.place(what.rsplit(maxsplit=1)[-1])}: {what} is not a table")
        for key in table:
            if key not in names:
                hint = did_you_mean(key, names, "known are " + ", ".join(names))
                raise ConfigError(f"{self.place(key)}: unknown key {key!r} in {what}", hint)
        return table

    def number(
        self, table: Mapping[str, Any], key: str, low: int, high: int, default: int | None
    ) -> int | None:
        if key not in table:
            return default
        value: object = table[key]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ConfigError(
                f"{self.place(key)}: {key} is {value!r}, expected a whole number from {low} to {high}"
            )
        return value

    def word(self, table: Mapping[str, Any], key: str, what: str) -> str:
        value = table.get(key)
        if not isinstance(value, str) or not _NAME.match(value):
            place = self.place(key) if key in table else Place(str(self.path))
            raise ConfigError(f"{place}: {key} of {what} is {value!r}", "a name of letters, digits, _ . -")
        return value

    def settings(self) -> VehicleSettings:
        root = self.keys(self.root, _TOP, FILE)
        name = self.word(root, "name", FILE) if "name" in root else _folder_name(self.path.parent)
        rows = root.get("bus")
        if not isinstance(rows, list) or not rows:
            raise ConfigError(
                f"{self.path}: no [[bus]] in this file", "name channel, bitrate and dbc of each bus"
            )
        buses, files = zip(*(self.bus(row) for row in rows), strict=True)
        for what in ("name", "channel"):
            seen = [getattr(bus, what) for bus in buses]
            if len(set(seen)) < len(seen):
                raise ConfigError(f"{self.place(what)}: two buses have the same {what}: {', '.join(seen)}")
        messages = root.get("message", {})
        if not isinstance(messages, dict):
            raise ConfigError(f"{self.place('message')}: [message.NAME] sections are tables")
        return VehicleSettings(
            name, Place(str(self.path)), buses, files,
            {key: one for section, table in messages.items() for key, one in self.message(section, table)},
            {path: self.limit(path, value) for path, value in self.table(root, "limits").items()},
            {path: self.attribute(path, value) for path, value in self.table(root, "attributes").items()},
        )  # fmt: skip

    def table(self, root: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        table = root.get(key, {})
        if not isinstance(table, dict):
            raise ConfigError(f"{self.place(key)}: {key} is not a table")
        return table

    def bus(self, row: Any) -> tuple[BusPlan, tuple[str, ...]]:
        table = self.keys(row, _BUS, "[[bus]]")
        name = self.word(table, "name", "[[bus]]")
        files = table.get("dbc")
        files = [files] if isinstance(files, str) else files
        if not isinstance(files, list) or not files or not all(isinstance(f, str) for f in files):
            raise ConfigError(f"{self.place(name)}: bus {name} names no DBC file", 'write dbc = ["NAME.dbc"]')
        bitrate = self.number(table, "bitrate", 10_000, 1_000_000, 500_000)
        data = self.number(table, "data_bitrate", 10_000, 16_000_000, 0)
        return BusPlan(name, self.word(table, "channel", f"bus {name}"), bitrate or 0, data or 0), tuple(
            files
        )

    def message(self, name: str, table: Any) -> list[tuple[str, MessageSetting]]:
        """Return the setting of [message.NAME], or those of [message.BUS.NAME]."""
        if (
            isinstance(table, dict)
            and table
            and all(isinstance(v, dict) and k not in _MESSAGE for k, v in table.items())
        ):
            return [(f"{name}.{key}", self.one_message(key, inner)) for key, inner in table.items()]
        return [(name, self.one_message(name, table))]

    def one_message(self, name: str, table: Any) -> MessageSetting:
        table = self.keys(table, _MESSAGE, f"message {name}")
        checksum = counter = None
        if "checksum" in table:
            inner = self.keys(table["checksum"], _CHECKSUM, f"checksum of message {name}")
            algorithm = inner.get("algorithm")
            if algorithm not in ALGORITHMS:
                hint = did_you_mean(str(algorithm), ALGORITHMS, "known are " + ", ".join(ALGORITHMS))
                raise ConfigError(f"{self.place(name)}: unknown checksum algorithm {algorithm!r}", hint)
            checksum = ChecksumSetting(
                self.word(inner, "signal", "checksum"), algorithm, self.data_id(name, inner)
            )
        if "counter" in table:
            inner = self.keys(table["counter"], _COUNTER, f"counter of message {name}")
            counter = CounterSetting(
                self.word(inner, "signal", "counter"),
                self.number(inner, "step", 1, 1 << 16, 1) or 1,
                self.number(inner, "modulus", 2, 1 << 32, 0) or 0,
            )
        return MessageSetting(
            self.place(name), self.number(table, "cycle_ms", 0, 3_600_000, None),
            self.number(table, "timeout_ms", 0, 86_400_000, None), checksum, counter,
        )  # fmt: skip

    def data_id(self, name: str, table: Mapping[str, Any]) -> tuple[int, ...]:
        value = table.get("data_id", [])
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(b, int) and not isinstance(b, bool) and 0 <= b <= 255 for b in items):
            raise ConfigError(
                f"{self.place(name)}: data_id is {value!r}", "a byte or a list of bytes, 0 to 255"
            )
        return tuple(items)

    def limit(self, path: str, value: Any) -> tuple[float, float]:
        good = isinstance(value, list) and len(value) == 2 and all(type(v) in (int, float) for v in value)
        if not good or value[0] > value[1]:
            raise ConfigError(
                f"{self.place(path)}: limits of {path} are {value!r}", "write [lowest, highest]"
            )
        return value[0], value[1]

    def attribute(self, path: str, value: Any) -> Scalar:
        if not isinstance(value, str | int | float):
            raise ConfigError(
                f"{self.place(path)}: attribute {path} is {value!r}", "text, number or truth value"
            )
        return value
