# SPDX-License-Identifier: Apache-2.0
"""Scratch space of a build that vanishes by itself, and results that appear whole or not at all.

The builder lives in its own mount namespace with a tmpfs for scratch where memory allows it. Whatever ends it
(an error, Ctrl-C, SIGKILL), the kernel drops mounts and scratch with it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from smartcockpit.core.errors import UnavailableError

from smartcockpit_bench.places import BUILD

_INSIDE = "SMARTCOCKPIT_BUILD_NAMESPACE"
_TMPFS_MIB = 3072
_MEMORY_NEEDED_MIB = 5120


def enter_namespace() -> None:
    """Start this program over inside a mount namespace of its own, where the kernel lets us."""
    if os.environ.get(_INSIDE):
        return
    if os.geteuid() != 0:
        raise UnavailableError(
            "the image is built as root (owners and modes of its files)", "use `make image`"
        )
    trial = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    os.environ[_INSIDE] = "no" if trial.returncode else "yes"
    if trial.returncode == 0:
        again = ["unshare", "--mount", "--propagation=private", sys.executable, *sys.orig_argv[1:]]
        os.execvp(again[0], again)  # noqa: S606 - the same program, elsewhere


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield an empty folder: memory when there is plenty, else below `build/`."""
    BUILD.mkdir(exist_ok=True)
    for stale in BUILD.glob("scratch.*"):
        shutil.rmtree(stale, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="scratch.", dir=BUILD))
    mounted = _mount_tmpfs(folder)
    try:
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", folder], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def _mount_tmpfs(folder: Path) -> bool:
    if os.environ.get(_INSIDE) != "yes" or _available_mib() < _MEMORY_NEEDED_MIB:
        return False
    options = f"size={_TMPFS_MIB}M,mode=0755"
    mount = ["mount", "-t", "tmpfs", "-o", options, "scratch", str(folder)]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0


def _available_mib() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return 0


@contextmanager
def only_builder() -> Iterator[None]:
    """Hold the build lock; a second builder waits and says so."""
    BUILD.mkdir(exist_ok=True)
    with (BUILD / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("  another build is running; waiting for it …", file=sys.stderr, flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; it takes the target's place only if the block succeeds."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    _remove(partial)
    try:
        yield partial
    except BaseException:
        _remove(partial)
        raise
    if target.is_dir():
        shutil.rmtree(target)
    partial.replace(target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def give_to_caller(path: Path) -> None:
    """Hand what root made to the user who called sudo."""
    if "SUDO_UID" not in os.environ:
        return
    uid, gid = int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"])
    for item in [path, *path.rglob("*")]:
        os.chown(item, uid, gid, follow_symlinks=False)
