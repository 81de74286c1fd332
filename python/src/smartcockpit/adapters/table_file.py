# SPDX-License-Identifier: Apache-2.0
"""Finds, checks and loads the compiled table of a vehicle, and has it compiled when its sources are newer.

A table is Python code, so it is loaded only from a file and folder that root or our own user owns and nobody
else may write. Byte-code is cached by the import system beside it. A table shipped with the image is good
unless a source file is newer; one that we compiled ourselves into the state folder carries a stamp of exactly
the sources it was made from. Compiling is another program (`smartcockpit-vehicle`): a running daemon never
imports cantools. Paths are text here: importing pathlib takes 2 ms on the way to ready.
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
from types import ModuleType

from smartcockpit.core.errors import ConfigError, UnavailableError
from smartcockpit.core.named import NamedTuple
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

Place = str | os.PathLike[str]


class VehiclePlaces(NamedTuple):
    """Where vehicles are looked for.

    folders of sources (first wins), of shipped tables, and ours to write: the first that can be written.
    """

    sources: Sequence[Place]
    tables: Sequence[Place]
    own: Sequence[Place]


async def load_vehicle(vehicle: str, places: VehiclePlaces) -> VehicleTable:
    """Return the table of `vehicle`: a name, the path of a source folder, or the path of a compiled .py file.

    Raises `ConfigError` that names file and remedy, `UnavailableError` when there is no room for a table.
    """
    if vehicle.endswith(".py"):
        return load_table(vehicle)
    folder = _source_folder(vehicle, places)
    name = os.path.basename(vehicle.rstrip(os.sep))
    is_shipped = folder is None or os.path.dirname(folder) == os.fspath(places.sources[-1])
    candidates = (os.path.join(place, f"{name}.py") for place in places.tables)
    shipped = next(filter(os.path.exists, candidates), None)
    if not is_shipped or shipped is None:
        return await _load_own(vehicle, folder, name, places)
    try:
        if folder is None or _changed_ns(folder) <= os.stat(shipped).st_mtime_ns:
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


async def _load_own(vehicle: str, folder: str | None, name: str, places: VehiclePlaces) -> VehicleTable:
    if folder is None:
        raise _unknown(vehicle, places)
    tables = [os.path.join(place, f"{name}.py") for place in places.own]
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


def load_table(path: Place) -> VehicleTable:
    """Load one compiled table.

    Raises `ConfigError` when it is not safe, not readable, or of another format.
    """
    path = os.fspath(path)
    check_owner(path)
    module = ModuleType(f"smartcockpit_vehicle_{_stem(path)}")
    try:
        code = SourceFileLoader(module.__name__, path).get_code(module.__name__)
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


def check_owner(path: str) -> None:
    """Raise `ConfigError` unless `path`, its folder and its byte-code can be written by root and us alone."""
    folder = os.path.dirname(path) or "."
    for place in (path, folder, os.path.join(folder, "__pycache__")):
        try:
            found = os.stat(place)
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


async def compile_vehicle(folder: str, target: str) -> None:
    """Compile `folder` into `target` by the vehicle compiler.

    Its words become the `ConfigError` when it refuses. `UnavailableError`: `target` cannot be written.
    """
    try:
        os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"{target}: cannot be written: {error.strerror}", NO_ROOM) from error
    stamp = _stamp(folder)
    program = [sys.executable, "-m", "smartcockpit.vehicle", "compile", folder, "-o", target]
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
        _write(_stamp_of(target), stamp)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _source_folder(vehicle: str, places: VehiclePlaces) -> str | None:
    named = os.sep in vehicle
    candidates = [vehicle.rstrip(os.sep)] if named else [os.path.join(s, vehicle) for s in places.sources]
    return next((c for c in candidates if os.path.exists(os.path.join(c, "vehicle.toml"))), None)


def _changed_ns(folder: str) -> int:
    return max((os.stat(path).st_mtime_ns for path in _files(folder)), default=0)


def _files(folder: str) -> list[str]:
    paths = (os.path.join(where, name) for where, _, names in os.walk(folder) for name in names)
    return sorted(filter(os.path.isfile, paths))


def _stamp_of(table: str) -> str:
    return os.path.splitext(table)[0] + ".stamp"


def _stamp(folder: Place) -> str:
    """Say which files a table was made from; a list and no digest, because hashlib would load OpenSSL."""
    folder = os.fspath(folder)
    lines = [f"table format {FORMAT} of {folder}"]
    for path in _files(folder):
        found = os.stat(path)
        lines.append(f"{os.path.relpath(path, folder)} {found.st_size} {found.st_mtime_ns}")
    return "\n".join(lines) + "\n"


def _is_stamped(table: str, folder: str) -> bool:
    try:
        with open(_stamp_of(table), encoding="utf-8") as file:
            return os.path.exists(table) and file.read() == _stamp(folder)
    except (OSError, UnicodeDecodeError):
        return False


def _unknown(vehicle: str, places: VehiclePlaces) -> ConfigError:
    from pathlib import Path

    known = {p.parent.name for place in places.sources for p in Path(place).glob("*/vehicle.toml")}
    known |= {p.stem for place in places.tables for p in Path(place).glob("*.py")}
    hint = did_you_mean(vehicle, known, f"there are: {', '.join(sorted(known)) or 'none'}")
    return ConfigError(f"no vehicle {vehicle!r} in {', '.join(map(str, places.sources))}", hint)
