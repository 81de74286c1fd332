# SPDX-License-Identifier: Apache-2.0
"""Version and build epoch of what is built from this tree.

A release is the version of the package. A development build comes before it in the order of Semantic
Versioning and after every build of an older tree: `0.2.0-dev.<build epoch>+g<commit>`.
"""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from smartcockpit import __version__
from smartcockpit.core.errors import UsageError

from smartcockpit_bench.places import ROOT


def build_epoch() -> int:
    """Return the time of the tree, s since 1970: its last commit, or the newest file changed since then.

    The same tree gives the same time whenever and wherever it is built. SOURCE_DATE_EPOCH
    (reproducible-builds.org) overrides it; without git it is now. Raises `UsageError`.
    """
    if named := os.environ.get("SOURCE_DATE_EPOCH"):
        if not named.isdecimal():
            raise UsageError(f"SOURCE_DATE_EPOCH: {named[:64]!r} is no time", "seconds since 1970")
        return int(named)
    committed = _git("log", "-1", "--format=%ct")
    if not committed:
        return int(time.time())
    return max([int(committed), *(int(path.stat().st_mtime) for path in _changed())])


def version(flavour: str) -> str:
    """Return the version of an image of this flavour, in the form of Semantic Versioning 2.0."""
    if flavour == "release":
        return __version__
    commit = _git("rev-parse", "--short=10", "HEAD")
    mark = f"+g{commit}" if commit else ""
    return f"{__version__}-dev.{build_epoch()}{mark}{'.changed' if mark and _changed() else ''}"


def _changed() -> list[Path]:
    listed = _git("status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames").split("\0")
    return [path for line in listed if line and (path := ROOT / line[3:]).is_file()]


def _git(*arguments: str) -> str:
    # The builder runs as root in a checkout that is somebody else's.
    command = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.rstrip("\n") if done.returncode == 0 else ""
