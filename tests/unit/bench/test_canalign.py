# SPDX-License-Identifier: Apache-2.0
"""The emulated controller that is put in step: a model of QEMU's in BasicCAN mode, its place in the ring lost."""

from __future__ import annotations

import re

import pytest
from smartcockpit_bench.guest import canalign
from smartcockpit_bench.guest.canalign import CLOCK_DIVIDER, COMMAND, CONTROL, RING, RX, TX, align

PELICAN = 0x80


class PaperController:
    """Registers of one controller; `peer` hears what it sends. `writes_at` is what a reset leaves alone."""

    def __init__(self, writes_at: int = 0, stale: bytes = bytes(RING)) -> None:
        self.peer: PaperController | None = None
        self.ring, self.writes_at, self.reads_at, self.waiting = bytearray(stale), writes_at, 0, 0
        self.registers = {CONTROL: 1, CLOCK_DIVIDER: PELICAN}

    def __getitem__(self, register: int) -> int:
        if RX <= register < RX + 10:
            return self.ring[(self.reads_at + register - RX) % RING]
        return self.registers[register]

    def __setitem__(self, register: int, value: int) -> None:
        if self.registers[CLOCK_DIVIDER] & PELICAN and register != CLOCK_DIVIDER:
            return  # another set of registers
        if register == CONTROL and not value & 1:
            self.reads_at = 0 if not self.registers[CONTROL] & 1 else self.reads_at
            self.waiting = 0
        if register == COMMAND and value & 1 and self.peer:
            length = 2 + (self.registers[TX + 1] & 0x0F)
            self.peer.receive(bytes(self.registers[TX + i] for i in range(length)))
        self.registers[register] = value

    def receive(self, stored: bytes) -> None:
        if self.registers[CONTROL] & 1 or self.waiting + len(stored) > RING:
            return
        for byte in stored:
            self.ring[self.writes_at] = byte
            self.writes_at = (self.writes_at + 1) % RING
        self.waiting += len(stored)


@pytest.mark.parametrize("stale", [bytes(RING), bytes((1, 2, 3, 0) * 16), bytes((0xFF,) * RING)])
@pytest.mark.parametrize("writes_at", range(RING))
def test_it_writes_at_the_beginning_of_its_ring_afterwards(writes_at: int, stale: bytes) -> None:
    receiver, sender = PaperController(writes_at, stale), PaperController()
    sender.peer = receiver
    align(receiver, sender)
    assert receiver.writes_at == 0
    for controller in (receiver, sender):
        assert controller.registers[CONTROL] & 1, "in reset mode, as the driver expects it"
        assert controller.registers[CLOCK_DIVIDER] == PELICAN


def test_interfaces_of_another_kind_stay_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert canalign.main(["lo", "lo"]) == 1
    assert re.match("canalign: lo (or|and) lo (is up already|stay as they are)", capsys.readouterr().err)


def test_a_wire_that_carries_nothing_is_told() -> None:
    receiver, sender = PaperController(7), PaperController()
    with pytest.raises(RuntimeError, match="no frame reaches"):
        align(receiver, sender)
    assert receiver.registers[CLOCK_DIVIDER] == PELICAN
