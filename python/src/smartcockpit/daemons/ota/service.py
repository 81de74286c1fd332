# SPDX-License-Identifier: Apache-2.0
"""D-Bus face of the update agent: org.smartcockpit.Ota1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from smartcockpit import __version__
from smartcockpit.adapters.update_record import UpdateRecord
from smartcockpit.bus.declare import notify
from smartcockpit.bus.interfaces.ota1 import AvailableUpdate, Ota1, ServerStatus
from smartcockpit.core.errors import UsageError
from smartcockpit.core.update.codes import Phase
from smartcockpit.core.update.offer import Handling
from smartcockpit.daemons.ota import wishes
from smartcockpit.daemons.ota.engine import Engine

NOT_CONFIGURED = "not-configured"
LONGEST_HISTORY = 1000


class OtaService(Ota1):
    """Answers from the engine, which `attach` gives it; announces what `changed` finds different."""

    def __init__(self, url: str, record: UpdateRecord, status: Callable[[str], None]) -> None:
        self._url, self._record, self._status = url, record, status
        self._engine: Engine | None = None
        self._announced: dict[str, object] = {}

    def attach(self, engine: Engine) -> None:
        """Show this engine."""
        self._engine = engine
        self._announced = self._values()

    def changed(self) -> None:
        """Announce the properties that are not what they were."""
        values = self._values()
        different = [name for name, value in values.items() if self._announced.get(name) != value]
        if different:
            self._announced = values
            notify(self, *different)
            self._status(f"{self.state} {self.update.version}: {self.waiting_text}".rstrip(": "))

    def _values(self) -> dict[str, object]:
        names = ("state", "progress", "waiting", "waiting_text", "update")
        return {name: getattr(self, name) for name in names}

    @property
    def _running(self) -> Engine:
        assert self._engine is not None
        return self._engine

    @property
    def version(self) -> str:
        """Version of this release."""
        return __version__

    @property
    def state(self) -> str:
        """Where the update stands."""
        phase = self._running.update.phase
        return NOT_CONFIGURED if phase is Phase.IDLE and not self._url else phase.value

    @property
    def progress(self) -> int:
        """Percent of what is under way."""
        busy = self._running.update.phase in (Phase.DOWNLOADING, Phase.INSTALLING)
        return self._running.percent if busy else 0

    @property
    def waiting(self) -> str:
        """Why it waits."""
        return self._running.next.waiting.value

    @property
    def waiting_text(self) -> str:
        """Why it waits, for people."""
        return self._running.next.text

    @property
    def update(self) -> AvailableUpdate:
        """The update at hand."""
        update = self._running.update
        if update.phase is Phase.IDLE:
            return AvailableUpdate(id="", running=self._running.ports.host.running)
        return AvailableUpdate(
            id=update.action, version=update.version, running=update.from_version,
            from_server=update.from_server, forced=update.update is Handling.FORCED, size=update.size,
            purpose=update.purpose, changes=update.changes, minutes=update.minutes, pauses=update.pauses,
            consent=update.consent.value,
        )  # fmt: skip

    @property
    def server(self) -> ServerStatus:
        """How the talk with the server goes."""
        return ServerStatus(url=self._url, answered=self._running.answered_us, trouble=self._running.trouble)

    def check(self) -> None:
        """Ask the server now; raises `UnavailableError` without one."""
        self._running.check()

    def install(self, path: str) -> None:
        """Install a file; raises `UsageError`."""
        if not path.startswith("/") or len(path) > 4096 or ".." in PurePosixPath(path).parts:
            raise UsageError(f"{path[:256]!r} is no absolute path", "give the whole path")
        wishes.install_file(self._running, path)

    def consent(self, id: str, agreed: bool) -> None:
        """Take the user's word; raises `UsageError`."""
        wishes.consent(self._running, id, agreed)

    def cancel(self) -> None:
        """End the update at hand; raises `UsageError`."""
        wishes.cancel(self._running)

    def history(self, count: int) -> list[dict[str, Any]]:
        """Return the last updates, newest first."""
        kept = self._record.read()
        newest = kept.entries[::-1][: min(count, LONGEST_HISTORY)]
        shown = [{str(k): str(v) for k, v in entry.items() if k != "key"} for entry in newest]
        if kept.broken and shown:
            shown[0]["broken"] = str(kept.broken)
        return shown
