# SPDX-License-Identifier: Apache-2.0
"""org.smartcockpit.Power1: whether the cockpit is on, why, and for how long."""

from __future__ import annotations

from abc import ABC, abstractmethod

from smartcockpit.bus.declare import Emits, interface, method, prop
from smartcockpit.core.named import NamedTuple


class InhibitorRow(NamedTuple):
    """One entry of `Inhibitors`, in the order of the struct on the wire."""

    who: str
    why: str
    sender: str
    """Unique name on the bus."""
    since: int
    """When it was taken, µs since the Unix epoch."""


class LineRow(NamedTuple):
    """One entry of `LineStates`, in the order of the struct on the wire."""

    name: str
    direction: str
    """input or output."""
    line: int
    """Number on the chip."""
    state: str
    """on, off, or unavailable: polarity is taken into account."""


@interface("org.smartcockpit.Power1", path="/org/smartcockpit/Power1")
class Power1(ABC):
    """State of the cockpit between two power-offs; the lines' signals are org.smartcockpit.Signals1."""

    @method(in_={"what": "s", "who": "s", "why": "s"}, out={"lock": "h"})
    @abstractmethod
    def inhibit(self, what: str, who: str, why: str, *, sender: str) -> int:
        """Hold the shutdown up until the returned descriptor, with all its copies, is closed.

        As org.freedesktop.login1.Manager.Inhibit does it: a caller that dies holds nothing up. `what` is
        "shutdown", `who` names the program, `why` is for people. It counts while the ignition is off, for
        at most the time in the settings, and not at a critical voltage. Errors:
        org.smartcockpit.Error.Usage, org.smartcockpit.Error.Limit (4 of one caller, 32 in all),
        org.smartcockpit.Error.Unavailable once the system is going down.
        """

    @method(in_={"seconds": "u"}, out={"granted": "u"})
    @abstractmethod
    def stay(self, seconds: int) -> int:
        """Ask to stay on for so many seconds from now although the ignition is off; return what is granted.

        0 while the ignition is on, or not known. A weak battery shortens it like the linger.
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
        """Return off, waking, running, accessory (ignition off, lingering) or shutting-down."""

    @property
    @prop("s")
    @abstractmethod
    def reason(self) -> str:
        """Why it is in that state, for people."""

    @property
    @prop("s")
    @abstractmethod
    def ignition(self) -> str:
        """Return on, off or unknown."""

    @property
    @prop("i", emits=Emits.FALSE)
    @abstractmethod
    def time_to_shutdown(self) -> int:
        """Seconds until it shuts down unless something changes, -1 when that is not foreseen. Read it when
        needed."""

    @property
    @prop("a(ssst)")
    @abstractmethod
    def inhibitors(self) -> list[InhibitorRow]:
        """Who holds a shutdown up: who, why, unique name of the caller, since when (µs since the Unix epoch).

        Those of logind are listed with the sender org.freedesktop.login1 and 0.
        """

    @property
    @prop("d", emits=Emits.FALSE)
    @abstractmethod
    def voltage(self) -> float:
        """Battery voltage in V, not-a-number when unknown. Read it when needed."""

    @property
    @prop("s")
    @abstractmethod
    def battery(self) -> str:
        """Stage of the battery: unknown, normal, low, very low or critical."""

    @property
    @prop("s")
    @abstractmethod
    def lines(self) -> str:
        """State of the GPIO lines as a whole: ok, none (none are configured), or why they are unavailable."""

    @property
    @prop("a(ssus)", emits=Emits.FALSE)
    @abstractmethod
    def line_states(self) -> list[LineRow]:
        """Each configured line: name, input or output, number on the chip, on, off or unavailable.

        Polarity is taken into account. Read it when needed.
        """
