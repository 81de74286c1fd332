# SPDX-License-Identifier: Apache-2.0
"""org.smartcockpit.Gnss1: the receiver, its satellites, and what is wrong with what it sends."""

from __future__ import annotations

from abc import ABC, abstractmethod

from smartcockpit.bus.declare import Emits, interface, prop
from smartcockpit.bus.vardict import VarDict, entry
from smartcockpit.core.named import NamedTuple

SATELLITE = "(sydddb)"
"""See `SatelliteRow`."""


class SatelliteRow(NamedTuple):
    """One satellite, in the order of the struct on the wire."""

    constellation: str
    """GPS, SBAS, Galileo, BeiDou, QZSS, GLONASS, NavIC or unknown."""
    number: int
    """Within its constellation."""
    elevation_deg: float
    """Not-a-number when not known, as azimuth and C/N0."""
    azimuth_deg: float
    cn0_dbhz: float
    used: bool


class ReceiverStatus(VarDict):
    """What changes seldom; a change is announced."""

    state: str = entry("s", "unavailable, searching, no-fix or fix", "unavailable")
    since: int = entry("t", "when it came into that state, µs since the Unix epoch", 0)
    reason: str = entry("s", "why it is unavailable or searched for, for people; empty otherwise", "")
    device: str = entry("s", "serial line or recording", "")
    baudrate: int = entry("u", "bit/s in use; 0 without a line", 0)
    protocol: str = entry("s", "UBX, NMEA, or empty before either was heard", "")
    model: str = entry("s", "what the receiver says it is; empty when it does not", "")
    firmware: str = entry("s", "its firmware; empty when it does not say", "")
    setup: str = entry(
        "s", "how far setting its rate is: off, asking, setting, checking, done, left as it is", ""
    )


class GnssCounters(VarDict):
    """Counts since the start of the daemon; they only grow."""

    bytes: int = entry("t", "bytes received", 0)
    sentences: int = entry("t", "NMEA sentences with the right checksum", 0)
    frames: int = entry("t", "UBX frames with the right checksum", 0)
    fixes: int = entry("t", "epochs with a position", 0)
    checksum: int = entry("t", "sentences and frames with a wrong checksum or none", 0)
    garbage_bytes: int = entry("t", "bytes that belong to no sentence or frame", 0)
    too_long: int = entry("t", "sentences without an end, frames with an impossible length", 0)
    malformed: int = entry("t", "sentences and frames whose fields cannot be read", 0)
    implausible: int = entry("t", "fixes that cannot be, such as latitude 91", 0)
    jumps: int = entry("t", "fixes that no car could have reached", 0)
    corrected_dates: int = entry("t", "fixes whose date was wrong by 1024 weeks or more", 0)
    unknown: int = entry("t", "sentences and frames of kinds that are not used", 0)
    opened: int = entry("t", "times that the line was opened", 0)


class Calibration(VarDict):
    """What dead reckoning has learned of the car's sensors."""

    ready: bool = entry("b", "whether the position would go on without satellites now", False)
    heading_error: float = entry("d", "standard deviation of the heading, degrees", 180.0)
    yaw_bias: float = entry("d", "what the yaw rate sensor shows at rest, degrees/s", 0.0)
    yaw_scale: float = entry("d", "factor from its yaw rate to the true one", 1.0)
    speed_scale: float = entry("d", "factor from the car's speed to the true one", 1.0)


@interface("org.smartcockpit.Gnss1", path="/org/smartcockpit/Gnss1")
class Gnss1(ABC):
    """State of the GNSS receiver; position, heading and accuracy are signals, see org.smartcockpit.Signals1.

    Keys of dictionaries may be added in later versions: skip unknown ones.
    """

    @property
    @prop("s", emits=Emits.CONST)
    @abstractmethod
    def version(self) -> str:
        """Version of the SmartCockpit release that this daemon belongs to."""

    @property
    @prop("a{sv}")
    @abstractmethod
    def receiver(self) -> ReceiverStatus:
        """The receiver. Keys: State, Since, Reason, Device, Baudrate, Protocol, Model, Firmware, Setup.

        State is unavailable (no line), searching (nothing that makes sense comes yet), no-fix or fix.
        """

    @property
    @prop("s")
    @abstractmethod
    def positioning(self) -> str:
        """What the position rests on: satellites, estimated (by the car's motion), stale, lost or none."""

    @property
    @prop("d")
    @abstractmethod
    def time_to_first_fix(self) -> float:
        """Seconds from opening the line to the first position; negative before it."""

    @property
    @prop("d", emits=Emits.FALSE)
    @abstractmethod
    def rate(self) -> float:
        """Epochs a second of late, 0 when there are none. Read it when needed."""

    @property
    @prop(f"a{SATELLITE}", emits=Emits.FALSE)
    @abstractmethod
    def satellites(self) -> list[SatelliteRow]:
        """Satellites in view: constellation, number, elevation and azimuth in degrees, C/N0 in dBHz, used.

        Not-a-number stands for what the receiver does not know. Read it when needed.
        """

    @property
    @prop("a{st}", emits=Emits.FALSE)
    @abstractmethod
    def counters(self) -> GnssCounters:
        """Counts of what came and of what was wrong with it. Read it when needed."""

    @property
    @prop("a{sv}", emits=Emits.FALSE)
    @abstractmethod
    def dead_reckoning(self) -> Calibration:
        """What dead reckoning knows of the car. Keys: Ready, HeadingError, YawBias, YawScale, SpeedScale."""
