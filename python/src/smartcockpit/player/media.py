# SPDX-License-Identifier: Apache-2.0
"""Where music is: our own folder, and whatever is mounted below the folder of sticks. Has it indexed.

The kernel tells of mounts (proc(5), /proc/pid/mountinfo); one indexer runs at a time.
"""

from __future__ import annotations

import logging
import os
import select
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from gi.repository import GLib

from smartcockpit.player.library import Library

log = logging.getLogger(__name__)
SETTLE_MS = 300


class Media:
    """`roots` are the folders with music that are there now; `on_change` is called when they are others."""

    def __init__(
        self, own: Sequence[Path], sticks: Path, library: Library, on_change: Callable[[], None]
    ) -> None:
        self._own, self._sticks, self._library, self._on_change = own, sticks, library, on_change
        self.roots: list[str] = []
        self._waiting: list[str] = []
        self._indexing: int | None = None
        self._mounts = open("/proc/self/mountinfo", "rb")  # noqa: SIM115, PTH123 - kept: poll(2) tells of changes
        self._poll = select.poll()
        self._poll.register(self._mounts, select.POLLERR | select.POLLPRI)

    def start(self) -> None:
        """Look now and whenever something is mounted."""
        self._look()
        GLib.timeout_add(SETTLE_MS, self._changed)

    def was_below(self, path: str) -> bool:
        """Tell whether a path is, or was, on a stick."""
        return path.startswith(f"{self._sticks}/")

    def _changed(self) -> bool:
        if self._poll.poll(0):
            self._look()
        return True

    def _look(self) -> None:
        present = [str(folder) for folder in self._own if folder.is_dir()] + self._mounted()
        if present != self.roots:
            new = [root for root in present if root not in self.roots]
            self.roots = present
            self._waiting = [root for root in self._waiting if root in present] + new
            self._index_next()
            self._on_change()

    def _mounted(self) -> list[str]:
        self._mounts.seek(0)
        below = os.fsencode(self._sticks) + b"/"
        points = [line.split(b" ")[4] for line in self._mounts.read().splitlines() if line.count(b" ") > 5]
        # Blanks and the like are octal there.
        decoded = [p.decode("unicode_escape", "replace").encode("latin-1", "replace") for p in points]
        return sorted({os.fsdecode(p) for p in decoded if p.startswith(below)})

    def _index_next(self) -> None:
        if self._indexing is not None or not self._waiting:
            return
        root = self._waiting.pop(0)
        program = [sys.executable, "-m", "smartcockpit.player", "--index", root, str(self._library.path)]
        try:
            pid, *_ = GLib.spawn_async(
                program,
                envp=[f"{key}={value}" for key, value in os.environ.items()],
                flags=GLib.SpawnFlags.DO_NOT_REAP_CHILD | GLib.SpawnFlags.SEARCH_PATH,
            )
        except GLib.Error as error:
            log.warning("cannot index %s: %s", ascii(root), error)
            return
        self._indexing = pid
        GLib.child_watch_add(GLib.PRIORITY_DEFAULT, pid, self._indexed, root)

    def _indexed(self, pid: int, status: int, root: str) -> None:
        GLib.spawn_close_pid(pid)
        self._indexing = None
        if status:
            log.warning("the indexer of %s ended with %d", ascii(root), status)
        self._on_change()
        self._index_next()
