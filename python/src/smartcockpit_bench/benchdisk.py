# SPDX-License-Identifier: Apache-2.0
"""A small read-only disk with the data of one run: another vehicle, other settings.

The initramfs mounts it when it is there, and its `etc/` takes the place of /etc/smartcockpit. Everything
in it belongs to root in the guest, so that the cockpit trusts the compiled vehicle.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from smartcockpit.core.errors import UsageError
from smartcockpit.vehicle.sources import SUFFIXES

from smartcockpit_bench.progress import run

SIZE_MIB = 16
BUSES = ("can0", "can1")
"""Buses of the box: a classic one with a real controller, and one for CAN FD."""


def with_vehicle(folder: Path, work: Path) -> Path:
    """Compile the vehicle in `folder` here, where its errors can be read, and return a disk that carries it.

    Raises `ConfigError` as the vehicle compiler does, and `UsageError` for buses that the box does not have.
    """
    from smartcockpit.vehicle.compiler import compile_vehicle

    vehicle = compile_vehicle(folder)
    strange = sorted({bus.channel for bus in vehicle.plan.buses} - set(BUSES))
    if strange:
        raise UsageError(
            f"{folder}: the box has no {', '.join(strange)}", f"channels are {' and '.join(BUSES)}"
        )
    etc = work / "bench" / "etc"
    copy(folder, etc / "vehicles" / vehicle.plan.name)
    table = etc / "vehicles" / f"{vehicle.plan.name}.py"
    compile_to(folder, table)
    (etc / "canbridge.toml").write_text(f'vehicle = "/etc/smartcockpit/vehicles/{table.name}"\n')
    return make(work / "bench", work / "bench.ext4")


def copy(folder: Path, target: Path) -> None:
    """Copy what belongs to a vehicle; recordings beside it, links to folders and pipes stay out.

    Raises `UsageError` for what cannot be read.
    """

    def left_out(inside: str, names: list[str]) -> set[str]:
        paths = [Path(inside, name) for name in names]
        folders = {p.name for p in paths if p.is_dir() and not p.is_symlink()}
        files = {p.name for p in paths if p.is_file() and p.suffix in SUFFIXES}
        return set(names) - folders - files

    try:
        shutil.copytree(folder, target, ignore=left_out)
    except OSError as error:
        first = error.args[0][0][2] if isinstance(error, shutil.Error) else error
        raise UsageError(f"{folder}: cannot be copied: {first}", "make its files readable") from error


def compile_to(folder: Path, table: Path) -> None:
    """Write the compiled vehicle, by the same command that `make install` uses."""
    compiler: list[str | Path] = [
        sys.executable,
        "-m",
        "smartcockpit.vehicle",
        "compile",
        folder,
        "-o",
        table,
    ]
    run(compiler, doing=f"compiling {folder}")


def make(tree: Path, disk: Path) -> Path:
    """Return an ext4 disk with the files of `tree`, all owned by root, and room for as much again."""
    size_mib = SIZE_MIB + 2 * (sum(path.stat().st_size for path in tree.rglob("*")) >> 20)
    identity = ["-L", "sc-bench", "-E", "root_owner=0:0", "-O", "^has_journal"]
    run(
        ["mke2fs", "-q", "-t", "ext4", *identity, "-d", tree, disk, f"{size_mib}M"],
        doing="making the data disk",
    )
    owned = [
        f'sif "/{path.relative_to(tree)}" {field} 0' for path in tree.rglob("*") for field in ("uid", "gid")
    ]
    run(["debugfs", "-w", "-f", "-", disk], stdin="\n".join(owned).encode(), doing="filling the data disk")
    return disk
