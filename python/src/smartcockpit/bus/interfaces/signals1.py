# SPDX-License-Identifier: Apache-2.0
"""org.smartcockpit.Signals1: vehicle signals by VSS name, the same on every daemon that owns some."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smartcockpit.bus.declare import interface, method, signal
from smartcockpit.core.named import NamedTuple

if TYPE_CHECKING:
    from smartcockpit.bus.library import Variant

READING = "(svyt)"
"""Path, value, quality (0 unavailable, 1 invalid, 2 stale, 3 valid), time in µs CLOCK_REALTIME (0: never
received)."""

DESCRIPTION = "(ssssssddas)"
"""See `Description`."""

WireReading = tuple[str, "Variant", int, int]


class Description(NamedTuple):
    """What `List` says of one signal, in the order of the struct on the wire."""

    path: str
    datatype: str
    """VSS datatype: boolean, int8 … uint64, float, double, string, string[]."""
    signature: str
    """D-Bus type of the value inside the variant."""
    unit: str
    """VSS unit identifier, "" without one."""
    kind: str
    """sensor, actuator or attribute."""
    text: str
    """One sentence for people."""
    minimum: float
    """Physical limits in `unit`, inclusive; not-a-number when there is none."""
    maximum: float
    allowed: list[str]
    """Permitted strings of an enumeration; empty: any."""


@interface("org.smartcockpit.Signals1", path="/org/smartcockpit/Signals1")
class Signals1(ABC):
    """Vehicle signals that this service owns, named as in the COVESA Vehicle Signal Specification.

    Each value carries its quality (0 unavailable: never received or the link is down, the value is a
    filler; 1 invalid; 2 stale: last good value, its successor is overdue; 3 valid) and the time of its
    source in µs since the Unix epoch.
    """

    @method(in_={"paths": "as"}, out={"readings": "a(svyt)"})
    @abstractmethod
    def get(self, paths: list[str]) -> list[WireReading]:
        """Return path, value, quality and time of each signal in `paths`, in that order.

        Errors: org.smartcockpit.Error.UnknownSignal names the nearest known path;
        org.smartcockpit.Error.Limit when more than 4096 paths are asked for.
        """

    @method(name="List", in_={"prefix": "s"}, out={"signals": f"a{DESCRIPTION}"})
    @abstractmethod
    def list_signals(self, prefix: str) -> list[Description]:
        """Describe the signals at or below the VSS path `prefix` ("" for all).

        Per signal: path, VSS datatype, D-Bus type of the value, unit, kind (sensor, actuator, attribute),
        description, minimum and maximum (not-a-number when there is none), allowed strings. No match gives
        an empty array.
        """

    @method(name="Set", in_={"values": "a{sv}"}, out={"refusals": "a{ss}"})
    @abstractmethod
    async def set_values(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Ask for new values of actuators; return for each path "" when accepted, else the reason of
        refusal."""

    @signal({"branch": "s", "updates": "a(svyt)"})
    def changed(self, branch: str, updates: list[WireReading]) -> None:
        """New readings of signals directly below the VSS branch `branch`.

        Subscribe to a branch and all below it with arg0namespace='Vehicle.Chassis'. A lone change leaves at
        once; under load the readings of a branch are gathered for 20 ms, then the newest of each signal is
        sent. A signal stands more than once in `updates`, oldest first, when its quality changed in
        between.
        """
        raise NotImplementedError
