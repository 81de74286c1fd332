# SPDX-License-Identifier: Apache-2.0
"""The usbredir protocol, 0.7: bytes to packets and back, as far as control and interrupt endpoints need it.

Pure. Source: "USB Network Redirection protocol description" (docs/usb-redirection-protocol.md of
spice/usbredir) and its usbredirproto.h. All numbers are little-endian. Each packet is a header (type,
length of what follows, id), a header of its type, and data. The id counts 64 bits once both sides have said
that they can, which the hello itself never does.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from struct import Struct
from typing import NamedTuple

VERSION = b"smartcockpit bench"
PACKET_LIMIT = 1 << 20
"""No device of ours takes or gives that much at once; a longer packet means that the stream is broken."""

_SHORT = Struct("<III")
_LONG = Struct("<IIQ")
_HELLO = Struct("<64sI")
_CONNECT = Struct("<BBBBHHH")
_INTERFACES = Struct("<I32s32s32s32s")
_ENDPOINTS = Struct("<32s32s32s32H")
_CONTROL = Struct("<BBBBHHH")
_INTERRUPT = Struct("<BBH")


class Kind(IntEnum):
    """Packet types (usbredirproto.h); those of iso and bulk endpoints have no name here."""

    HELLO = 0
    DEVICE_CONNECT = 1
    RESET = 3
    INTERFACE_INFO = 4
    EP_INFO = 5
    SET_CONFIGURATION = 6
    GET_CONFIGURATION = 7
    CONFIGURATION_STATUS = 8
    SET_ALT_SETTING = 9
    GET_ALT_SETTING = 10
    ALT_SETTING_STATUS = 11
    START_INTERRUPT_RECEIVING = 15
    STOP_INTERRUPT_RECEIVING = 16
    INTERRUPT_RECEIVING_STATUS = 17
    CANCEL_DATA_PACKET = 21
    CONTROL_PACKET = 100
    INTERRUPT_PACKET = 103


class Status(IntEnum):
    """How a transfer ended."""

    SUCCESS = 0
    CANCELLED = 1
    INVALID = 2
    STALL = 4


class Capability(IntEnum):
    """Bits of the hello; QEMU's xHCI wants the last three."""

    CONNECT_DEVICE_VERSION = 1
    EP_INFO_MAX_PACKET_SIZE = 4
    IDS_64_BITS = 5
    BULK_LENGTH_32_BITS = 6


OURS = sum(1 << capability for capability in Capability)


class ProtocolError(ValueError):
    """What came in cannot be usbredir: the stream cannot be continued."""


class Packet(NamedTuple):
    """One packet; `body` is the header of its type and the data behind it."""

    kind: int
    id: int
    body: bytes


class Control(NamedTuple):
    """A control transfer: the setup packet of USB 2.0 §9.3, and the status that goes back."""

    endpoint: int
    request: int
    request_type: int
    status: int
    value: int
    w_index: int
    length: int

    @property
    def is_in(self) -> bool:
        """True when the device answers with data."""
        return bool(self.endpoint & 0x80)


class Parser:
    """Cuts the stream into packets; ids are short until the hello of the other side says otherwise."""

    def __init__(self) -> None:
        self._buffer = b""
        self._head = _SHORT
        self.peer_capabilities: int | None = None

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Yield the packets that `data` completes; raises `ProtocolError`."""
        self._buffer += data
        while len(self._buffer) >= self._head.size:
            kind, length, number = self._head.unpack_from(self._buffer)
            if length > PACKET_LIMIT:
                raise ProtocolError(f"a packet of {length} bytes")
            end = self._head.size + length
            if len(self._buffer) < end:
                return
            body, self._buffer = self._buffer[self._head.size : end], self._buffer[end:]
            if kind == Kind.HELLO:
                self._take_hello(body)
            yield Packet(kind, number, body)

    def _take_hello(self, body: bytes) -> None:
        """Note what the other side can; from here on its ids may be long."""
        if len(body) < 64:
            raise ProtocolError("a hello that is too short")
        self.peer_capabilities = int.from_bytes(body[64:68], "little")
        if self.peer_capabilities & 1 << Capability.IDS_64_BITS:
            self._head = _LONG


def pack(kind: int, number: int = 0, body: bytes = b"", *, long_id: bool = True) -> bytes:
    """Return a packet on the wire."""
    return (_LONG if long_id else _SHORT).pack(kind, len(body), number) + body


def hello(capabilities: int = OURS) -> bytes:
    """Return the first packet of either side."""
    return pack(Kind.HELLO, 0, _HELLO.pack(VERSION, capabilities), long_id=False)


class Endpoint(NamedTuple):
    """An interrupt endpoint of interface 0 (USB 2.0 §9.6.6): address, largest packet in bytes, interval in
    ms."""

    address: int
    max_packet: int
    interval_ms: int


class Identity(NamedTuple):
    """What is told of a full-speed device before it is plugged in; one interface of one class."""

    vendor: int
    product: int
    release: int
    interface_class: int
    endpoints: tuple[Endpoint, ...]


def plug_in(identity: Identity, *, long_id: bool = True) -> bytes:
    """Return the packets that plug the device in: its interface, its endpoints, the device."""
    first = bytes(32)
    interfaces = _INTERFACES.pack(1, first, bytes([identity.interface_class]) + first[1:], first, first)
    kinds, intervals, sizes = bytearray([255] * 32), bytearray(32), [0] * 32
    kinds[0] = kinds[16] = 0  # the control endpoint, both ways
    sizes[0] = sizes[16] = 64
    for address, max_packet, interval_ms in identity.endpoints:
        at = (address & 0x0F) + (16 if address & 0x80 else 0)
        kinds[at], intervals[at], sizes[at] = 3, interval_ms, max_packet
    endpoints = _ENDPOINTS.pack(bytes(kinds), bytes(intervals), first, *sizes)
    device = _CONNECT.pack(1, 0, 0, 0, identity.vendor, identity.product, identity.release)
    told = ((Kind.INTERFACE_INFO, interfaces), (Kind.EP_INFO, endpoints), (Kind.DEVICE_CONNECT, device))
    return b"".join(pack(kind, 0, body, long_id=long_id) for kind, body in told)


def read_control(body: bytes) -> tuple[Control, bytes]:
    """Take a control packet apart; raises `ProtocolError`."""
    if len(body) < _CONTROL.size:
        raise ProtocolError("a control packet that is too short")
    return Control(*_CONTROL.unpack_from(body)), body[_CONTROL.size :]


def write_control(control: Control, data: bytes) -> bytes:
    """Return the body of a control packet."""
    return _CONTROL.pack(*control) + data


def read_interrupt(body: bytes) -> tuple[int, bytes]:
    """Return endpoint and data of an interrupt packet; raises `ProtocolError`."""
    if len(body) < _INTERRUPT.size:
        raise ProtocolError("an interrupt packet that is too short")
    endpoint, _, _ = _INTERRUPT.unpack_from(body)
    return endpoint, body[_INTERRUPT.size :]


def write_interrupt(endpoint: int, status: int, data: bytes = b"", length: int | None = None) -> bytes:
    """Return the body of an interrupt packet; `length` differs from the data's in an acknowledgement."""
    return _INTERRUPT.pack(endpoint, status, len(data) if length is None else length) + data
