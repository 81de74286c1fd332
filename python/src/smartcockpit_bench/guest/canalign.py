# SPDX-License-Identifier: Apache-2.0
"""Puts the emulated CAN controllers in step after a warm restart of the guest.

QEMU's SJA1000 (hw/net/can/can_sja1000.c, at least up to 10.0) forgets on reset where it reads in its ring of
64 received bytes, but not where it writes: after a restart the driver reads old bytes as frames, its count of
what is waiting drifts, and sooner or later every frame is an overrun. Nothing but reception moves the place
where it writes. So, before the interfaces are up, this program has one controller of the wire send to the
other until that place is the beginning of the ring again.

Runs in the guest under `python3 -I -S` with the standard library alone; works on the registers of both
controllers in BasicCAN mode (SJA1000 data sheet, §6.3), through the PCI resource of the interface:

    canalign.py RECEIVER SENDER
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import sys
import time
from typing import Protocol

CONTROL, COMMAND, TX, RX, CLOCK_DIVIDER = 0, 1, 10, 20, 31
RESET_REQUEST, TRANSMIT = 0x01, 0x01
RING = 64
PATIENCE_S = 30.0
SIOCGIFFLAGS, IFF_UP = 0x8913, 1


class Registers(Protocol):
    """Eight-bit registers by number."""

    def __getitem__(self, register: int) -> int: ...
    def __setitem__(self, register: int, value: int) -> None: ...


class PciRegisters:
    """Registers of the controller behind a network interface: BAR 1 of a Kvaser PCI card, ports."""

    def __init__(self, interface: str) -> None:
        self._ports = os.open(f"/sys/class/net/{interface}/device/resource1", os.O_RDWR)

    def __getitem__(self, register: int) -> int:
        return os.pread(self._ports, 1, register)[0]

    def __setitem__(self, register: int, value: int) -> None:
        os.pwrite(self._ports, bytes((value,)), register)


def align(receiver: Registers, sender: Registers) -> None:
    """Let the receiver write at the beginning of its ring next; raises `RuntimeError` if it cannot.

    Both are in reset mode afterwards, as a driver expects them.
    """
    dividers = receiver[CLOCK_DIVIDER], sender[CLOCK_DIVIDER]
    for controller in (receiver, sender):
        controller[CLOCK_DIVIDER] = 0
        controller[CONTROL] = RESET_REQUEST
        controller[CONTROL] = 0
    try:
        _to_the_beginning(receiver, sender)
    finally:
        for controller, divider in zip((receiver, sender), dividers, strict=True):
            controller[CONTROL] = RESET_REQUEST
            controller[CLOCK_DIVIDER] = divider


def _to_the_beginning(receiver: Registers, sender: Registers) -> None:
    written = _find(receiver, sender)
    if written % 2:
        written += _send(receiver, sender, 0, 1)
    while written < RING:
        written += _send(receiver, sender, 0)
    _send(receiver, sender, 0xFF)
    if receiver[RX] != 0xFF:
        raise RuntimeError("the controller does not write where it reads")
    for _ in range(2, RING, 2):
        _send(receiver, sender, 0)


def _find(receiver: Registers, sender: Registers) -> int:
    """Send until a frame is seen at the beginning of the ring; return how far behind that the next goes."""
    for _ in range(RING):
        before = receiver[RX], receiver[RX + 1]
        tag = next(tag for tag in range(1, 4) if tag not in before)
        _send(receiver, sender, tag)
        if receiver[RX] == tag:
            return 2
        if receiver[RX + 1] == tag:
            return 3
    raise RuntimeError("no frame reaches the controller")


def _send(receiver: Registers, sender: Registers, first: int, length: int = 0) -> int:
    """Send a frame with `length` zero bytes, `first` atop its identifier; return the bytes stored.

    Clearing the reset request once more makes the receiver forget what waits, and read from the beginning.
    """
    for offset, value in enumerate((first, length, *bytes(length))):
        sender[TX + offset] = value
    sender[COMMAND] = TRANSMIT
    receiver[CONTROL] = 0
    return 2 + length


def is_up(interface: str) -> bool | None:
    """Tell whether an interface is up; None when there is none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as any_socket:
        try:
            request = struct.pack("16sh14x", interface.encode(), 0)
            answer = fcntl.ioctl(any_socket, SIOCGIFFLAGS, request)
        except OSError:
            return None
    return bool(struct.unpack("16sh14x", answer)[1] & IFF_UP)


def main(names: list[str]) -> int:
    """Wait for both interfaces and align; 1 when one does not come, is in use or is of another kind."""
    end_s = time.monotonic() + PATIENCE_S
    while None in (states := [is_up(name) for name in names]):
        if time.monotonic() > end_s:
            print(f"canalign: {' or '.join(names)} did not come", file=sys.stderr)
            return 1
        time.sleep(0.05)
    if any(states):
        print(f"canalign: {' or '.join(names)} is up already", file=sys.stderr)
        return 1
    try:
        align(PciRegisters(names[0]), PciRegisters(names[1]))
    except (OSError, RuntimeError) as error:
        print(f"canalign: {' and '.join(names)} stay as they are: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
