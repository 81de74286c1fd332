# SPDX-License-Identifier: Apache-2.0
"""A compiled vehicle written by hand: what a daemon's test needs of a table, without the compiler.

Bus `chassis` (classic): 0x100 carries Vehicle.Speed (u16, 0.01 km/h) and Vehicle.Chassis.Brake.PedalPosition
(u8, %) every `cycle_ms`. Bus `cabin` (FD): 0x18FF0001 (29 bits) carries
Vehicle.Cabin.Infotainment.HMI.Brightness (u8, %).
"""

from __future__ import annotations

import socket
import struct
from pathlib import Path

from smartcockpit.core.table import FORMAT

SPEED = "Vehicle.Speed"
PEDAL = "Vehicle.Chassis.Brake.PedalPosition"
BRIGHTNESS = "Vehicle.Cabin.Infotainment.HMI.Brightness"
BRAND = "Vehicle.VehicleIdentification.Brand"

SOURCE = """# SPDX-License-Identifier: Apache-2.0
FORMAT = {format}
VEHICLE = "mini"
SOURCES = "by hand"
BUSES = (("chassis", "can0", 500000, 0), ("cabin", "can1", 500000, 2000000))
SIGNALS = (
    ("Vehicle.Speed", "float", "km/h", "sensor", "Vehicle speed.", 0.0, 250.0, ()),
    ("Vehicle.Chassis.Brake.PedalPosition", "uint8", "percent", "sensor", "Pedal.", 0, 100, ()),
    ("Vehicle.Cabin.Infotainment.HMI.Brightness", "uint8", "percent", "sensor", "Light.", 0, 100, ()),
    ("Vehicle.VehicleIdentification.Brand", "string", "", "attribute", "Maker.", None, None, ()),
)
ATTRIBUTES = ((3, "Mini"),)
VALID, FOREVER = 3, (1 << 63) - 1

def _decode_speed(data):
    return (data[0] * 256 + data[1]) / 100, data[2]

def _make_speed(tally):
    last = [None, None]
    def update(body, now_ns, time_us, emit):
        values = _decode_speed(body[4:])
        for i in (0, 1):
            if values[i] != last[i]:
                last[i] = values[i]
                emit((i, values[i], VALID, time_us))
        return FOREVER
    def forget():
        last[:] = [None, None]
    return update, forget

def _decode_light(data):
    return (data[0],)

def _make_light(tally):
    def update(body, now_ns, time_us, emit):
        emit((2, body[4], VALID, time_us))
        return FOREVER
    return update, lambda: None

MESSAGES = (
    (0, 0x100, "Speed", 8, {cycle_ms}, 0, (0, 1), _decode_speed, (_make_speed, (2, 3), ("Speed", "Pedal"), False)),
    (1, 0x98FF0001, "Light", 12, 0, 0, (2,), _decode_light, (_make_light, (1,), ("Light",), False)),
)
"""


def write_table(path: Path, cycle_ms: int = 100, format_: int = FORMAT) -> Path:
    """Write the table to `path` as the compiler would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SOURCE.format(format=format_, cycle_ms=cycle_ms))
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
