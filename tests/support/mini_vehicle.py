# SPDX-License-Identifier: Apache-2.0
"""A compiled vehicle made from a plan, without any file: what a daemon's test needs of a table.

Bus `chassis` (classic): 0x100 carries Vehicle.Speed (u16, 0.01 km/h) and Vehicle.Chassis.Brake.PedalPosition
(u8, %) every `cycle_ms`. Bus `cabin` (FD): 0x18FF0001 (29 bits) carries
Vehicle.Cabin.Infotainment.HMI.Brightness (u8, %).
"""

from __future__ import annotations

import socket
import struct
from fractions import Fraction
from pathlib import Path

from smartcockpit.core.layout import BitField
from smartcockpit.core.plan import BusPlan, FieldPlan, Linear, MappedSignal, MessagePlan, VehiclePlan
from smartcockpit.core.signals import Datatype, SignalKind, SignalSpec
from smartcockpit.core.table import FORMAT
from smartcockpit.vehicle import table_source

SPEED = "Vehicle.Speed"
PEDAL = "Vehicle.Chassis.Brake.PedalPosition"
BRIGHTNESS = "Vehicle.Cabin.Infotainment.HMI.Brightness"
BRAND = "Vehicle.VehicleIdentification.Brand"
SPECS = (
    SignalSpec(SPEED, Datatype.FLOAT, "km/h", description="Vehicle speed.", minimum=0.0, maximum=250.0),
    SignalSpec(PEDAL, Datatype.UINT8, "percent", description="Pedal.", minimum=0, maximum=100),
    SignalSpec(BRIGHTNESS, Datatype.UINT8, "percent", description="Light.", minimum=0, maximum=100),
    SignalSpec(BRAND, Datatype.STRING, kind=SignalKind.ATTRIBUTE, description="Maker."),
)
BUSES = (BusPlan("chassis", "can0", 500_000), BusPlan("cabin", "can1", 500_000, 2_000_000))


def plan(cycle_ms: int = 100) -> VehiclePlan:
    """Return the vehicle as the compiler plans it."""
    hundredths, whole = Linear(Fraction(1, 100), Fraction(0)), Linear(Fraction(1), Fraction(0))
    speed = FieldPlan("Speed", BitField(7, 16, big_endian=True), 0.01)
    pedal, light = FieldPlan("Pedal", BitField(16, 8)), FieldPlan("Light", BitField(0, 8))
    mapped = [
        MappedSignal(i, field, SPECS[i], line)
        for i, field, line in ((0, 0, hundredths), (1, 1, whole), (2, 0, whole))
    ]
    messages = (
        MessagePlan(0, 0x100, "Speed", 8, (speed, pedal), tuple(mapped[:2]), cycle_ms),
        MessagePlan(1, 0x98FF0001, "Light", 12, (light,), (mapped[2],)),
    )
    return VehiclePlan("mini", BUSES, SPECS, messages, "by hand", ((3, "Mini"),))


def write_table(path: Path, cycle_ms: int = 100, format_: int = FORMAT) -> Path:
    """Write the table to `path` as the compiler would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = table_source.write_table(plan(cycle_ms))
    path.write_text(text.replace(f"FORMAT = {FORMAT}", f"FORMAT = {format_}"))
    return path


def speed_frame(speed_kmh: float, pedal: int = 0) -> bytes:
    """Return a `struct can_frame` of message 0x100."""
    return struct.pack("=IB3x8s", 0x100, 8, struct.pack(">HB", round(speed_kmh * 100), pedal))


def light_frame(percent: int) -> bytes:
    """Return a `struct canfd_frame` of the FD message."""
    return struct.pack("=IBB2x64s", 0x98FF0001, 12, 5, bytes([percent]))


class DatagramBus:
    """The far side of a bus with `interface = "datagram"`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def send(self, *frames: bytes) -> None:
        """Put frames on the bus."""
        for frame in frames:
            self._socket.sendto(frame, str(self._path))

    def error(self, can_id: int, data: bytes = bytes(8)) -> None:
        """Report an error frame, as a controller's driver does."""
        self._socket.sendto(struct.pack("=IB3x8s", 0x2000_0000 | can_id, 8, data), f"{self._path}.errors")

    def close(self) -> None:
        """Leave the bus."""
        self._socket.close()
