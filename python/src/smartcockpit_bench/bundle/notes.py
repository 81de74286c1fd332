# SPDX-License-Identifier: Apache-2.0
"""What the driver is told before an update: the manifest's section `[meta.smartcockpit]`.

Read from a TOML file (`make bundle NOTES=my.toml`) over `bench/update-notes.toml`, which explains the keys.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from smartcockpit.core.errors import ConfigError
from smartcockpit.core.nearest import did_you_mean

from smartcockpit_bench.places import BENCH

DEFAULTS = BENCH / "update-notes.toml"


def read_notes(path: Path | None) -> dict[str, str | int]:
    """Return the notes; raises `ConfigError` that names file and key."""
    notes = _read(DEFAULTS)
    if path is not None:
        given = _read(path)
        for key, value in given.items():
            if key not in notes:
                raise ConfigError(
                    f"{path}: there is no note {key!r}",
                    did_you_mean(key, notes, "known: " + ", ".join(notes)),
                )
            if type(value) is not type(notes[key]) or (isinstance(value, str) and not value.isprintable()):
                kind = "a whole number" if isinstance(notes[key], int) else "a text of one line"
                raise ConfigError(f"{path}: {key} is {value!r}", f"it takes {kind}")
        notes |= given
    return notes


def _read(path: Path) -> dict[str, str | int]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: {error}", f"see {DEFAULTS.name}") from error
