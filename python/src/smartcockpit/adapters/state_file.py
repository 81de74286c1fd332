# SPDX-License-Identifier: Apache-2.0
"""A small text file that survives power cuts: either the old content or the new one, never half of it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from smartcockpit.core.errors import ConfigError, UnavailableError


def read_state(path: Path, max_bytes: int) -> str | None:
    """Return the text, None when there is no such file.

    Raises `ConfigError` for what cannot be such a text: too large, not UTF-8, not readable, no file.
    """
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise ConfigError(f"{path} is larger than {max_bytes} bytes")
        return data.decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def write_state(path: Path, text: str) -> None:
    """Replace the file by `text`: write beside it, flush to the disk, rename, flush the folder.

    Raises `UnavailableError`.
    """
    beside = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise UnavailableError(f"cannot write {path}: {error.strerror or error}") from error
