# SPDX-License-Identifier: Apache-2.0
"""What a simulated USB device is to the port that it is plugged into, and the requests that all devices
share.

Owns the standard requests of USB 2.0 §9.4 that a host sends by control transfer. A device brings
descriptors and answers the requests of its class. SET_ADDRESS is QEMU's, SET_CONFIGURATION and
SET_INTERFACE have packets of their own and are `port`'s.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from smartcockpit_bench.usb.redir import Control, Identity

GET_STATUS, CLEAR_FEATURE, SET_FEATURE, GET_DESCRIPTOR = 0x00, 0x01, 0x03, 0x06
STRING = 0x03


class Stall(Exception):
    """The request is none that the device knows (USB 2.0 §8.5.3.4)."""


class Device(Protocol):
    """A device as `port` needs it."""

    identity: Identity
    descriptors: dict[int, bytes]
    """By type and index, as in wValue of GET_DESCRIPTOR: 0x0100 device, 0x0200 configuration, 0x2200 report
    …"""
    strings: tuple[str, ...]
    """Numbered from 1."""

    def read(self, control: Control) -> bytes:
        """Answer a class request with data; raises `Stall`."""

    def write(self, control: Control, data: bytes) -> None:
        """Carry out a class request; raises `Stall`."""

    def interrupt(self, endpoint: int, data: bytes) -> list[bytes]:
        """Take what was sent to an interrupt endpoint; return what the device sends back by its own."""

    def reset(self) -> None:
        """Go back to the state after power-on."""


class Answer(NamedTuple):
    """What a control transfer gives: data (cut to what was asked for), or a stall."""

    data: bytes
    stalled: bool = False


def answer(device: Device, control: Control, data: bytes) -> Answer:
    """Carry out one control transfer."""
    try:
        if control.request_type & 0x60:  # class or vendor
            if not control.is_in:
                device.write(control, data)
                return Answer(b"")
            return Answer(device.read(control)[: control.length])
        return Answer(_standard(device, control)[: control.length])
    except Stall:
        return Answer(b"", stalled=True)


def _standard(device: Device, control: Control) -> bytes:
    match control.request:
        case _ if control.request == GET_DESCRIPTOR and control.is_in:
            return _descriptor(device, control.value)
        case _ if control.request == GET_STATUS and control.is_in:
            return b"\0\0"
        case _ if control.request in (CLEAR_FEATURE, SET_FEATURE):
            return b""
    raise Stall


def _descriptor(device: Device, value: int) -> bytes:
    kind, index = value >> 8, value & 0xFF
    if kind == STRING:
        if index == 0:
            return bytes([4, STRING]) + (0x0409).to_bytes(2, "little")  # English (United States)
        if index <= len(device.strings):
            return string_descriptor(device.strings[index - 1])
    elif value in device.descriptors:
        return device.descriptors[value]
    raise Stall


def string_descriptor(text: str) -> bytes:
    """Return a string descriptor (USB 2.0 §9.6.7)."""
    encoded = text.encode("utf-16-le")[:252]
    return bytes([len(encoded) + 2, STRING]) + encoded
