# SPDX-License-Identifier: Apache-2.0
"""org.smartcockpit.CanBridge1: how the CAN buses are doing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import StrEnum

from smartcockpit.bus.declare import Emits, interface, prop
from smartcockpit.bus.vardict import VarDict, entry


class CanBusState(StrEnum):
    """State of a CAN controller (ISO 11898-1 §12.1.4), or that there is none to ask."""

    UNAVAILABLE = "unavailable"
    ERROR_ACTIVE = "error-active"
    ERROR_WARNING = "error-warning"
    ERROR_PASSIVE = "error-passive"
    BUS_OFF = "bus-off"


class BusStatus(VarDict):
    """What changes seldom; a change is announced."""

    interface: str = entry("s", "SocketCAN interface or python-can channel, such as can0")
    state: str = entry("s", "unavailable, error-active, error-warning, error-passive or bus-off")
    since: int = entry("t", "when it came into that state, µs since the Unix epoch", 0)
    reason: str = entry("s", "why it is unavailable, for people; empty otherwise", "")
    bitrate: int = entry("u", "bit/s of the arbitration phase as configured, 0 unknown", 0)
    data_bitrate: int = entry("u", "bit/s of the CAN FD data phase, 0 for a classic bus", 0)


class BusCounters(VarDict):
    """Counts since the start of the daemon; they only grow."""

    frames: int = entry("t", "frames received that are mapped to signals", 0)
    unchanged: int = entry("t", "of these, frames that repeated the last payload", 0)
    drops: int = entry("t", "frames that the kernel dropped because we read too late", 0)
    error_frames: int = entry("t", "error messages from the controller", 0)
    bus_off: int = entry("t", "times that the controller went bus-off", 0)
    restarts: int = entry("t", "times that the interface came back", 0)
    rx_errors: int = entry("t", "last known receive error counter of the controller", 0)
    tx_errors: int = entry("t", "last known transmit error counter of the controller", 0)
    unknown_id: int = entry("t", "frames with an identifier that no DBC message has", 0)
    short_frame: int = entry("t", "frames shorter than their message", 0)
    unknown_mux: int = entry("t", "frames with an unknown multiplexer value", 0)
    checksum_errors: int = entry("t", "frames with a wrong checksum", 0)
    counter_errors: int = entry("t", "frames whose rolling counter did not advance by one", 0)
    out_of_range: int = entry("t", "signal values outside their physical limits", 0)
    first_frame: int = entry(
        "t", "when the first mapped frame came, µs since the kernel started; 0: none yet", 0
    )


@interface("org.smartcockpit.CanBridge1", path="/org/smartcockpit/CanBridge1")
class CanBridge1(ABC):
    """State of the CAN buses and of their decoding; the signals themselves are org.smartcockpit.Signals1.

    Dictionaries are keyed by the bus' name in vehicle.toml. Keys may be added in later versions: skip
    unknown ones.
    """

    @property
    @prop("s", emits=Emits.CONST)
    @abstractmethod
    def version(self) -> str:
        """Version of the SmartCockpit release that this daemon belongs to."""

    @property
    @prop("s", emits=Emits.CONST)
    @abstractmethod
    def vehicle(self) -> str:
        """Name of the vehicle folder in use."""

    @property
    @prop("s", emits=Emits.CONST)
    @abstractmethod
    def decoder(self) -> str:
        """What receives and decodes: native (the C library) or python."""

    @property
    @prop("a{sa{sv}}")
    @abstractmethod
    def buses(self) -> dict[str, BusStatus]:
        """State of each bus. Keys: Interface, State, Since, Reason, Bitrate, DataBitrate.

        State is unavailable (no interface, link down), error-active, error-warning, error-passive or bus-off.
        """

    @property
    @prop("a{sa{st}}", emits=Emits.FALSE)
    @abstractmethod
    def counters(self) -> dict[str, BusCounters]:
        """Frames, drops and errors by kind of each bus, since the start of the daemon. Read it when
        needed."""

    @property
    @prop("a{sd}", emits=Emits.FALSE)
    @abstractmethod
    def load(self) -> dict[str, float]:
        """Load of each bus in % of its bit rate over the last second. Read it when needed."""
