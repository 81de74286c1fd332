# SPDX-License-Identifier: Apache-2.0
"""Configuration of a daemon: TOML files in layers over the defaults of its `SettingsTable`.

Order, later wins: built-in defaults, then per layer (/usr/share/smartcockpit, /etc/smartcockpit)
`<name>.toml` and the drop-ins `<name>.d/*.toml` sorted by name. Tables merge, values replace. Where each
value came from is kept for `cockpitctl config`. `SMARTCOCKPIT_CONFIG_PATH` (':'-separated folders) replaces
the layers, for tests and developers. What a setting may hold is `smartcockpit.runtime.schema`'s business.

Paths are text here: importing pathlib takes a daemon 2 ms on its way to ready.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from smartcockpit.core.errors import ConfigError
from smartcockpit.runtime.schema import Key, SettingError, build, flatten
from smartcockpit.runtime.toml_lines import read_plain

T = TypeVar("T")
Folder = str | os.PathLike[str]
LAYERS = ("/usr/share/smartcockpit", "/etc/smartcockpit")
BUILT_IN = "built-in default"
MAX_BYTES = 1 << 20


class Loaded(Generic[T]):
    """The settings, the file of each value that is no default (by dotted key), and the files read."""

    def __init__(self, settings: T, origins: Mapping[str, str], files: tuple[str, ...]) -> None:
        self.settings, self.origins, self.files = settings, origins, files


def layers(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the folders that are searched, lowest first."""
    path = environment.get("SMARTCOCKPIT_CONFIG_PATH")
    return tuple(p for p in path.split(":") if p) if path else LAYERS


def files_of(name: str, folders: Sequence[Folder]) -> tuple[str, ...]:
    """Return the files that make up the configuration of daemon `name`, lowest first."""
    found: list[str] = []
    for folder in folders:
        main = os.path.join(folder, f"{name}.toml")
        if os.path.exists(main):
            found.append(main)
        drop_ins = os.path.join(folder, f"{name}.d")
        found += (os.path.join(drop_ins, file) for file in sorted(_files(drop_ins)) if file.endswith(".toml"))
    return tuple(found)


def _files(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be read: {error.strerror}", f"ls -ld {folder}") from error


def read_toml(path: str) -> dict[str, object]:
    """Return the content of a TOML file.

    Raises `ConfigError` that names the file, and the line where it is broken.
    """
    try:
        size = os.stat(path).st_size
        if size > MAX_BYTES:
            raise ConfigError(
                f"{path}: {size} bytes are too large for a settings file", f"at most {MAX_BYTES}"
            )
        with open(path, "rb") as file:
            text = file.read().decode().removeprefix("\ufeff")  # some editors put a mark first
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8", "save the file as UTF-8") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}", f"ls -l {path}") from error
    plain = read_plain(text)
    if plain is not None:
        return plain
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what = str(error).replace("at end of document", f"at the end, line {len(text.splitlines())}")
        raise ConfigError(f"{path}: broken TOML: {what}", "strings need quotes, tables a [header]") from error
    except RecursionError as error:
        raise ConfigError(f"{path}: broken TOML: nested too deeply", "settings need no such depth") from error


def load(name: str, settings_type: type[T], folders: Sequence[Folder] | None = None) -> Loaded[T]:
    """Return the settings of daemon `name`; raises `ConfigError` naming file, key and the nearest match."""
    files = files_of(name, layers() if folders is None else folders)
    leaves: dict[Key, object] = {}
    origins: dict[str, str] = {}
    for path in files:
        try:
            fresh = flatten(settings_type, read_toml(path))
        except SettingError as error:
            raise ConfigError(f"{path}: {error}", error.hint) from error
        leaves.update({k: v for k, v in fresh.items() if v != {} or k not in leaves})
        origins.update({".".join(key): path for key, value in fresh.items() if value != {}})
    try:
        return Loaded(build(settings_type, leaves), origins, files)
    except SettingError as error:
        where = origins.get(error.key, f"configuration of {name}")
        raise ConfigError(f"{where}: {error}", error.hint) from error


def rows(loaded: Loaded[T]) -> list[tuple[str, object, str]]:
    """Return every setting as (dotted key, value, origin), for people.

    A folder of tables shows its entries.
    """
    from smartcockpit.runtime.schema import fields_of, is_table

    out: list[tuple[str, object, str]] = []

    def walk(value: object, key: Key) -> None:
        if is_table(type(value)):
            for name in fields_of(type(value)):
                walk(getattr(value, name), (*key, name))
        elif isinstance(value, dict) and value:
            for name, item in value.items():
                walk(item, (*key, str(name)))
        else:
            dotted = ".".join(key)
            out.append((dotted, value, loaded.origins.get(dotted, BUILT_IN)))

    walk(loaded.settings, ())
    return out
