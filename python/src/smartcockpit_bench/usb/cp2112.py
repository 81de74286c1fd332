# SPDX-License-Identifier: Apache-2.0
"""A Silicon Labs CP2112, the USB adapter with eight GPIO lines that the stock kernel drives (hid-cp2112).

Pure: USB requests in, answers out, and two sides of a pin: what the board around the chip drives, and what
the chip drives. Sources: Silicon Labs AN495 "CP2112 interface specification" (reports) and the CP2112
data sheet (pins). The SMBus master is there and nothing is connected to it: each transfer ends with
"address not acknowledged". Programming the chip's one-time memory is refused by its lock byte, as in a
programmed part.
"""

from __future__ import annotations

from smartcockpit_bench.usb.device import Stall, string_descriptor
from smartcockpit_bench.usb.redir import Control, Endpoint, Identity

LINES = 8
VENDOR, PRODUCT, RELEASE = 0x10C4, 0xEA90, 0x0100
GET_REPORT, SET_REPORT, SET_IDLE, SET_PROTOCOL = 0x01, 0x09, 0x0A, 0x0B
FEATURE = 3

RESET, GPIO_CONFIG, GPIO_GET, GPIO_SET, VERSION, SMBUS_CONFIG = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
READ_REQUEST, STATUS_REQUEST, STATUS_RESPONSE = 0x10, 0x15, 0x16
LOCK, USB_CONFIG, MANUFACTURER, PRODUCT_STRING, SERIAL = 0x20, 0x21, 0x22, 0x23, 0x24
IN, OUT = 0x81, 0x01
NOT_ACKNOWLEDGED = bytes([STATUS_RESPONSE, 0x03, 0x00, 0, 1, 0, 0])
"""Transfer status response: error, address not acknowledged, one try, nothing read (AN495, "Transfer status
response")."""
_POWER_ON_SMBUS = bytes([SMBUS_CONFIG]) + (100_000).to_bytes(4, "big") + bytes([0x02, 0, 0, 0, 0, 0, 0, 0, 0])
_FEATURES = {
    RESET: 1, GPIO_CONFIG: 4, GPIO_GET: 1, GPIO_SET: 2, VERSION: 2, SMBUS_CONFIG: 13, LOCK: 1, USB_CONFIG: 9,
    MANUFACTURER: 63, PRODUCT_STRING: 63, SERIAL: 63,
}  # fmt: skip
"""Feature reports and their lengths without the number, bytes."""


class Cp2112:
    """One chip. `drive` is the board's side of a line, `level` what a meter at the pin shows."""

    strings: tuple[str, ...] = ("Silicon Laboratories", "CP2112 HID USB-to-SMBus Bridge", "0000000A")
    identity = Identity(VENDOR, PRODUCT, RELEASE, 3, (Endpoint(IN, 64, 1), Endpoint(OUT, 64, 1)))

    def __init__(self) -> None:
        self.descriptors = _descriptors()
        self._driven = 0xFF
        """Levels that the board drives; the chip's pins have weak pull-ups."""
        self.reset()

    def reset(self) -> None:
        """All lines are inputs, latches high (data sheet, "Reset")."""
        self._outputs, self._push_pull, self._special, self._divider = 0, 0, 0, 0
        self._latch = 0xFF
        self._smbus = _POWER_ON_SMBUS

    # ---- the board around the chip -----------------------------------------------------------------------

    def drive(self, line: int, level: bool) -> None:
        """Pull a line from outside; a line that is an output ignores it."""
        self._driven = self._driven | 1 << line if level else self._driven & ~(1 << line)

    def is_output(self, line: int) -> bool:
        """True while the guest drives the line."""
        return bool(self._outputs >> line & 1)

    def level(self, line: int) -> bool:
        """Return what a meter at the pin shows."""
        return bool(self._levels() >> line & 1)

    def _levels(self) -> int:
        # An open-drain output that is high leaves the line to the board.
        pulled_low = self._outputs & ~self._latch
        pushed_high = self._outputs & self._latch & self._push_pull
        return (self._driven & ~pulled_low & 0xFF) | pushed_high

    # ---- the guest's driver ------------------------------------------------------------------------------

    def read(self, control: Control) -> bytes:
        """Answer GET_REPORT of a feature report."""
        if control.request != GET_REPORT or control.value >> 8 != FEATURE:
            raise Stall
        match control.value & 0xFF:
            case 0x02:
                return bytes([GPIO_CONFIG, self._outputs, self._push_pull, self._special, self._divider])
            case 0x03:
                return bytes([GPIO_GET, self._levels()])
            case 0x05:
                return bytes([VERSION, 0x0C, 0x03])  # part number, device version
            case 0x06:
                return self._smbus
            case 0x20:
                return bytes([LOCK, 0])  # nothing can be programmed any more
            case 0x21:
                ids = VENDOR.to_bytes(2, "little") + PRODUCT.to_bytes(2, "little")
                return bytes([USB_CONFIG]) + ids + bytes([50, 0, 1, 0, 0])
            case 0x22 | 0x23 | 0x24 as number:
                return bytes([number]) + string_descriptor(self.strings[number - MANUFACTURER])
        raise Stall

    def write(self, control: Control, data: bytes) -> None:
        """Carry out SET_REPORT of a feature report; idle rate and protocol mean nothing here."""
        if control.request in (SET_IDLE, SET_PROTOCOL):
            return
        if control.request != SET_REPORT or control.value >> 8 != FEATURE or not data:
            raise Stall
        number = data[0]
        if number != control.value & 0xFF or len(data) < _FEATURES.get(number, len(data)) + 1:
            raise Stall
        if number == RESET:
            self.reset()
        elif number == GPIO_CONFIG:
            _, self._outputs, self._push_pull, self._special, self._divider = data[:5]
        elif number == GPIO_SET:
            mask = data[2] & self._outputs
            self._latch = self._latch & ~mask | data[1] & mask
        elif number == SMBUS_CONFIG:
            self._smbus = data[:14]
        elif number not in (LOCK, USB_CONFIG, MANUFACTURER, PRODUCT_STRING, SERIAL):
            raise Stall

    def interrupt(self, endpoint: int, data: bytes) -> list[bytes]:
        """Take an SMBus request; only a question for the status has an answer."""
        asks = endpoint == OUT and data[:1] == bytes([STATUS_REQUEST])
        return [NOT_ACKNOWLEDGED.ljust(64, b"\0")] if asks else []


def _descriptors() -> dict[int, bytes]:
    """Return the descriptors (USB 2.0 §9.6, HID 1.11 §6.2.1), report descriptor included."""
    report = _report_descriptor()
    device = bytes([18, 1, 0x00, 0x02, 0, 0, 0, 64])
    device += b"".join(number.to_bytes(2, "little") for number in (VENDOR, PRODUCT, RELEASE))
    device += bytes([1, 2, 3, 1])
    hid = bytes([9, 0x21, 0x11, 0x01, 0, 1, 0x22]) + len(report).to_bytes(2, "little")
    interface = bytes([9, 4, 0, 0, 2, 3, 0, 0, 0])
    endpoints = b"".join(bytes([7, 5, address, 3, 64, 0, 1]) for address in (IN, OUT))
    rest = interface + hid + endpoints
    configuration = bytes([9, 2]) + (9 + len(rest)).to_bytes(2, "little") + bytes([1, 1, 0, 0x80, 50]) + rest
    return {0x0100: device, 0x0200: configuration, 0x2100: hid, 0x2200: report}


def _report_descriptor() -> bytes:
    """Return vendor-defined reports, a byte array each (HID 1.11 §6.2.2)."""
    items = bytes([0x06, 0x00, 0xFF, 0x09, 0x01, 0xA1, 0x01, 0x15, 0x00, 0x26, 0xFF, 0x00, 0x75, 0x08])
    for number, length in _FEATURES.items():
        items += bytes([0x85, number, 0x95, length, 0x09, 0x01, 0xB1, 0x02])
    for number in range(READ_REQUEST, 0x18):
        kind = 0x81 if number in (0x13, STATUS_RESPONSE) else 0x91
        items += bytes([0x85, number, 0x95, 63, 0x09, 0x01, kind, 0x02])
    return items + bytes([0xC0])
