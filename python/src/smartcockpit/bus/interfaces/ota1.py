# SPDX-License-Identifier: Apache-2.0
"""org.smartcockpit.Ota1: the update of this unit, for the screen and for whoever looks after it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from smartcockpit.bus.declare import Emits, interface, method, prop
from smartcockpit.bus.vardict import VarDict, entry


class AvailableUpdate(VarDict):
    """What is offered or under way; the driver must be told before it is installed (UN R156 7.2.2.2)."""

    id: str = entry("s", "what Consent needs; empty: there is no update")
    version: str = entry("s", "version that is offered, as far as it is known", "")
    running: str = entry("s", "version that runs", "")
    from_server: bool = entry("b", "false for a local file", False)
    forced: bool = entry("b", "the server wants it soon", False)
    size: int = entry("t", "bytes of the bundle, 0 unknown", 0)
    purpose: str = entry("s", "why", "")
    changes: str = entry("s", "what is different", "")
    minutes: int = entry("u", "how long the installation takes, 0 unknown", 0)
    pauses: str = entry("s", "functions that pause meanwhile", "")
    consent: str = entry("s", "empty, given or denied", "")


class ServerStatus(VarDict):
    """How the talk with the server goes."""

    url: str = entry("s", "address as configured")
    answered: int = entry("t", "when the server last answered a poll, µs since the Unix epoch, 0 never", 0)
    trouble: str = entry("s", "why it does not answer, empty when it does", "")


@interface("org.smartcockpit.Ota1", path="/org/smartcockpit/Ota1")
class Ota1(ABC):
    """Updates of this unit: what is offered, how far it is, why it waits, how it ended.

    An update counts as done when the new system has proven itself, not before. Keys of dictionaries may be
    added in later versions: skip unknown ones.
    """

    @property
    @prop("s", emits=Emits.CONST)
    @abstractmethod
    def version(self) -> str:
        """Version of the SmartCockpit release that this daemon belongs to."""

    @property
    @prop("s")
    @abstractmethod
    def state(self) -> str:
        """Where the update stands.

        not-configured (no server is set), idle, offered, downloading, downloaded, installing, installed (the
        new slot is the next to boot), rebooting, trial (the new system has to prove itself), closing.
        """

    @property
    @prop("y")
    @abstractmethod
    def progress(self) -> int:
        """Percent of the download or of the installation that is under way."""

    @property
    @prop("s")
    @abstractmethod
    def waiting(self) -> str:
        """Why the update waits; empty when it does not.

        consent, declined, server, window, network, metered, clock, moving, vehicle-unknown, voltage,
        inhibited, installer, storage, reboot, trial.
        """

    @property
    @prop("s")
    @abstractmethod
    def waiting_text(self) -> str:
        """The same as one sentence for people."""

    @property
    @prop("a{sv}")
    @abstractmethod
    def update(self) -> AvailableUpdate:
        """The update that is offered or under way.

        Keys: Id, Version, Running, FromServer, Forced, Size, Purpose, Changes, Minutes, Pauses, Consent.
        """

    @property
    @prop("a{sv}", emits=Emits.FALSE)
    @abstractmethod
    def server(self) -> ServerStatus:
        """How the talk with the server goes. Keys: Url, Answered, Trouble. Read it when needed."""

    @method()
    @abstractmethod
    def check(self) -> None:
        """Ask the server now, whatever the poll interval; the answer shows in the properties."""

    @method(in_={"path": "s"})
    @abstractmethod
    def install(self, path: str) -> None:
        """Install the bundle file at the absolute `path`, with the checks of any other update.

        The caller agrees by calling. It begins when the car is parked. Refused while another update is under
        way.
        """

    @method(in_={"id": "s", "agreed": "b"})
    @abstractmethod
    def consent(self, id: str, agreed: bool) -> None:
        """Say whether the user agrees to the update `id`, as property Update names it."""

    @method()
    @abstractmethod
    def cancel(self) -> None:
        """End the update at hand; refused after the reboot into the new system."""

    @method(in_={"count": "u"}, out={"entries": "aa{ss}"})
    @abstractmethod
    def history(self, count: int) -> list[dict[str, Any]]:
        """Return the last `count` updates from the update record, newest first.

        Keys: time, from, to, outcome, code, text, consent and more; `broken` in the first one names the line
        from which on the record's chain of hashes does not hold.
        """
