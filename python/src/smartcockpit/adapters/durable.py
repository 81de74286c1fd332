# SPDX-License-Identifier: Apache-2.0
"""Small files that survive a power cut at any moment: whole and old, or whole and new.

`write` goes by way of a temporary file, fsync, rename and fsync of the folder; `append` by one write and
fsync. A file that cannot be read as JSON is put aside, not deleted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from smartcockpit.core.errors import UnavailableError

LARGEST = 1 << 20


def write(path: Path, document: Mapping[str, Any], mode: int = 0o600) -> None:
    """Replace `path` by `document` as JSON; raises `UnavailableError` when the disk will not have it."""
    fresh = path.with_name(path.name + ".new")
    try:
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        try:
            os.fchmod(file, mode)
            _write_all(file, json.dumps(document).encode())
            os.fsync(file)
        finally:
            os.close(file)
        fresh.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise UnavailableError(f"{path} cannot be written: {error.strerror}", "is the disk full?") from error


def read(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in `path`, None when there is no such file or it holds none."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        found = json.loads(data) if len(data) <= LARGEST else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else None


def put_aside(path: Path) -> None:
    """Rename a file that cannot be used to `<name>.bad`, if it is there."""
    try:
        path.replace(path.with_name(path.name + ".bad"))
    except OSError:
        return


def remove(path: Path) -> None:
    """Delete `path`, if it is there; raises `UnavailableError`."""
    try:
        path.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise UnavailableError(f"{path} cannot be deleted: {error.strerror}") from error


def append(path: Path, line: str) -> None:
    """Append one line; raises `UnavailableError`. A line that a power cut left unfinished gets its end."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            end = os.lseek(file, 0, os.SEEK_END)
            unfinished = end > 0 and os.pread(file, 1, end - 1) != b"\n"
            _write_all(file, (b"\n" if unfinished else b"") + line.encode() + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
        _sync_folder(path.parent)
    except OSError as error:
        raise UnavailableError(f"{path} cannot be written: {error.strerror}", "is the disk full?") from error


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
