# SPDX-License-Identifier: Apache-2.0
"""Writes a compiled vehicle to disk, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from smartcockpit.core.errors import UnavailableError
from smartcockpit.vehicle.sources import sources_digest

if TYPE_CHECKING:
    from smartcockpit.vehicle.compiler import Vehicle

_SOURCES_LINE = re.compile(rb"^SOURCES = '([0-9a-f]{64})'$", re.MULTILINE)


def is_current(folder: Path, table: Path, vss: Path | None = None) -> bool:
    """Tell whether `table` was compiled from what is in `folder` now; reads both, executes nothing."""
    try:
        match = _SOURCES_LINE.search(table.read_bytes()[:4096])
    except OSError:
        return False
    return match is not None and match[1].decode() == sources_digest(folder, vss)


def build(vehicle: Vehicle, output: Path) -> None:
    """Write the table of `vehicle` to `output` by way of a temporary file beside it; `UnavailableError` if
    it cannot.
    """
    from smartcockpit.vehicle.table_source import write_table

    text = write_table(vehicle.plan)
    compile(text, str(output), "exec")
    temporary = ""
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=output.parent, prefix=f".{output.name}.", delete=False, encoding="utf-8"
        ) as file:
            temporary = file.name
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(output)
        temporary = ""
    except OSError as error:
        raise UnavailableError(
            f"{output}: cannot be written: {error.strerror}", "is the disk full, the folder writable?"
        ) from error
    finally:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
