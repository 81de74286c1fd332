# SPDX-License-Identifier: Apache-2.0
"""Finds, checks and loads the compiled table of a vehicle, and has it compiled when its sources are newer.

A table is Python code, so it is loaded only from a file and folder that root or our own user owns and nobody
else may write. Byte-code is cached by the import system beside it. A table shipped with the image is good
unless a source file is newer; one that we compiled ourselves into the state folder carries a stamp of exactly
the sources it was made from. Compiling is another program (`smartcockpit-vehicle`): a running daemon never
imports cantools.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import stat
import sys
from collections.abc import Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from smartcockpit.core.errors import ConfigError, UnavailableError
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.table import FORMAT, VehicleTable

COMPILE_TIMEOUT_S = 300.0
BROKEN = (
    SyntaxError, ImportError, NameError, AttributeError, TypeError, ValueError, LookupError, ArithmeticError,
    EOFError,
)  # fmt: skip
"""What running a module that is no compiled vehicle can end in."""
NO_ROOM = "is the disk full, the folder writable?"
log = logging.getLogger(__name__)


class VehiclePlaces(NamedTuple):
    """Where vehicles are looked for.

    folders of sources (first wins), of shipped tables, and ours to write: the first that can be written.
    """

    sources: Sequence[Path]
    tables: Sequence[Path]
    own: Sequence[Path]


async def load_vehicle(vehicle: str, places: VehiclePlaces) -> VehicleTable:
    """Return the table of `vehicle`: a name, the path of a source folder, or the path of a compiled .py file.

    Raises `ConfigError` that names file and remedy, `UnavailableError` when there is no room for a table.
    """
    if vehicle.endswith(".py"):
        return load_table(Path(vehicle))
    folder = _source_folder(vehicle, places)
    name = Path(vehicle).name
    is_shipped = folder is None or folder.parent in places.sources[-1:]
    shipped = next((t for place in places.tables if (t := place / f"{name}.py").exists()), None)
    if not is_shipped or shipped is None:
        return await _load_own(vehicle, folder, name, places)
    try:
        if folder is None or _changed_ns(folder) <= shipped.stat().st_mtime_ns:
            return load_table(shipped)
        log.info("%s is newer than %s, compiling it", folder, shipped)
    except ConfigError as error:
        if folder is None:
            raise
        log.warning("%s; compiling it", error.message)
    try:
        return await _load_own(vehicle, folder, name, places)
    except (ConfigError, UnavailableError) as error:
        log.warning("%s; using the table of the image", error)
        return load_table(shipped)


async def _load_own(vehicle: str, folder: Path | None, name: str, places: VehiclePlaces) -> VehicleTable:
    if folder is None:
        raise _unknown(vehicle, places)
    tables = [place / f"{name}.py" for place in places.own]
    for table in tables:
        if _is_stamped(table, folder):
            return load_table(table)
    for table in tables[:-1]:
        try:
            await compile_vehicle(folder, table)
        except UnavailableError as error:
            log.warning("%s; it is kept until the next boot only", error)
        else:
            return load_table(table)
    await compile_vehicle(folder, tables[-1])
    return load_table(tables[-1])


def load_table(path: Path) -> VehicleTable:
    """Load one compiled table.

    Raises `ConfigError` when it is not safe, not readable, or of another format.
    """
    check_owner(path)
    module = ModuleType(f"smartcockpit_vehicle_{path.stem}")
    try:
        code = SourceFileLoader(module.__name__, str(path)).get_code(module.__name__)
        assert code is not None
        exec(code, module.__dict__)  # noqa: S102 - trusted as the daemon's own code, see check_owner
        return VehicleTable.from_namespace(module.__dict__)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}", error.hint) from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", f"ls -l {path}") from error
    except BROKEN as error:
        hint = "compile the vehicle folder again: smartcockpit-vehicle compile DIR -o FILE"
        raise ConfigError(f"{path} is no compiled vehicle: {error!r}", hint) from error


def check_owner(path: Path) -> None:
    """Raise `ConfigError` unless `path`, its folder and its byte-code can be written by root and us alone."""
    for place in (path, path.parent, path.parent / "__pycache__"):
        try:
            found = place.stat()
        except FileNotFoundError:
            if place is path:
                raise ConfigError(
                    f"{path}: no such table", "smartcockpit-vehicle compile DIR -o FILE"
                ) from None
            continue
        except OSError as error:
            raise ConfigError(f"{place}: {error.strerror}", f"ls -ld {place}") from error
        if found.st_uid not in (0, os.geteuid()) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ConfigError(
                f"{place} can be written by others, so the table in it is not trusted",
                f"chown root {place}; chmod go-w {place}",
            )


async def compile_vehicle(folder: Path, target: Path) -> None:
    """Compile `folder` into `target` by the vehicle compiler.

    Its words become the `ConfigError` when it refuses. `UnavailableError`: `target` cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"{target}: cannot be written: {error.strerror}", NO_ROOM) from error
    stamp = _stamp(folder)
    program = [sys.executable, "-m", "smartcockpit.vehicle", "compile", str(folder), "-o", str(target)]
    process = await asyncio.create_subprocess_exec(
        *program,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(COMPILE_TIMEOUT_S):
            _, stderr = await process.communicate()
    except BaseException as error:
        process.kill()
        await process.wait()
        if isinstance(error, TimeoutError):
            raise ConfigError(
                f"{folder}: compiling took too long", "run it by hand: " + " ".join(program)
            ) from error
        raise
    if process.returncode == UnavailableError.exit_code:
        raise UnavailableError(f"{target}: cannot be written", NO_ROOM)
    if process.returncode:
        lines = stderr.decode(errors="replace").strip().splitlines() or [f"exit code {process.returncode}"]
        raise ConfigError(f"{folder} cannot be compiled: {lines[-1]}", f"smartcockpit-vehicle check {folder}")
    with contextlib.suppress(OSError):  # without it the next start compiles again
        target.with_suffix(".stamp").write_text(stamp)


def _source_folder(vehicle: str, places: VehiclePlaces) -> Path | None:
    candidates = [Path(vehicle)] if os.sep in vehicle else [place / vehicle for place in places.sources]
    return next((c for c in candidates if (c / "vehicle.toml").exists()), None)


def _changed_ns(folder: Path) -> int:
    return max((p.stat().st_mtime_ns for p in _files(folder)), default=0)


def _files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.is_file())


def _stamp(folder: Path) -> str:
    """Say which files a table was made from; a list and no digest, because hashlib would load OpenSSL."""
    lines = [f"table format {FORMAT} of {folder}"]
    for path in _files(folder):
        found = path.stat()
        lines.append(f"{path.relative_to(folder)} {found.st_size} {found.st_mtime_ns}")
    return "\n".join(lines) + "\n"


def _is_stamped(table: Path, folder: Path) -> bool:
    try:
        return table.exists() and table.with_suffix(".stamp").read_text() == _stamp(folder)
    except OSError:
        return False


def _unknown(vehicle: str, places: VehiclePlaces) -> ConfigError:
    known = {p.parent.name for place in places.sources for p in place.glob("*/vehicle.toml")}
    known |= {p.stem for place in places.tables for p in place.glob("*.py")}
    hint = did_you_mean(vehicle, known, f"there are: {', '.join(sorted(known)) or 'none'}")
    return ConfigError(f"no vehicle {vehicle!r} in {', '.join(map(str, places.sources))}", hint)
