# SPDX-License-Identifier: Apache-2.0
"""Checksums and counters that guard a CAN payload: how to compute, how to verify.

A DBC cannot say how a message is guarded, so `vehicle.toml` does: the algorithm, the byte that carries the
result and the data id that is fed in first. Used when receiving (generated tables) and when sending (car
simulator).

Sources of the parameters: SAE J1850 CRC-8 and AUTOSAR "Specification of CRC Routines" (CRC8, CRC8H2F,
CRC16), with the check values for b"123456789" in the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from smartcockpit.core.named import NamedTuple

_CRC8 = {"crc8-sae-j1850": (0x1D, 0xFF, 0xFF), "crc8-h2f": (0x2F, 0xFF, 0xFF)}
_CRC16 = {"crc16-ccitt-false": (0x1021, 0xFFFF, 0x0000)}
ALGORITHMS = (*_CRC8, *_CRC16, "sum8", "xor8")
"""Names that `vehicle.toml` may use."""

WIDTH_BITS = {**dict.fromkeys(_CRC16, 16), **dict.fromkeys((*_CRC8, "sum8", "xor8"), 8)}
"""Width of each algorithm's result."""


@cache
def _table(polynomial: int, bits: int) -> tuple[int, ...]:
    top, mask, table, entry = 1 << (bits - 1), (1 << bits) - 1, [0], polynomial
    while len(table) < 256:  # a CRC is linear: the entry of a sum (by exclusive or) is the sum of the entries
        table += [entry ^ lower for lower in table]
        entry = ((entry << 1) ^ polynomial if entry & top else entry << 1) & mask
    return tuple(table)


def _crc8(polynomial: int, start: int, final: int) -> Callable[[bytes], int]:
    table = _table(polynomial, 8)

    def compute(data: bytes) -> int:
        crc = start
        for byte in data:
            crc = table[crc ^ byte]
        return crc ^ final

    return compute


def _crc16(polynomial: int, start: int, final: int) -> Callable[[bytes], int]:
    table = _table(polynomial, 16)

    def compute(data: bytes) -> int:
        crc = start
        for byte in data:
            crc = (crc << 8 & 0xFF00) ^ table[crc >> 8 ^ byte]
        return crc ^ final

    return compute


def _xor8(data: bytes) -> int:
    total = 0
    for byte in data:
        total ^= byte
    return total


@cache
def algorithm(name: str) -> Callable[[bytes], int]:
    """Return the function bytes -> checksum of algorithm `name` (one of `ALGORITHMS`, else KeyError)."""
    if name in _CRC8:
        return _crc8(*_CRC8[name])
    if name in _CRC16:
        return _crc16(*_CRC16[name])
    return {"sum8": lambda data: sum(data) & 0xFF, "xor8": _xor8}[name]


class Checksum(NamedTuple):
    """How one message is guarded: the result of `name` over `data_id` and the payload without the result's
    own bytes.

    `at` is the first byte of the result, which is stored with the least significant byte first when
    `WIDTH_BITS` says 16 and `big_endian` is false. `length` is the payload's length in bytes.
    """

    name: str
    at: int
    length: int
    data_id: tuple[int, ...] = ()
    big_endian: bool = False

    def compute(self, payload: bytes) -> int:
        """Return the checksum that `payload` ought to carry; what it carries now does not matter."""
        width = WIDTH_BITS[self.name] // 8
        guarded = bytes(self.data_id) + payload[: self.at] + payload[self.at + width : self.length]
        return algorithm(self.name)(guarded)

    def seal(self, payload: bytes) -> bytes:
        """Return `payload` with its checksum put in: for senders."""
        width = WIDTH_BITS[self.name] // 8
        stored = self.compute(payload).to_bytes(width, "big" if self.big_endian else "little")
        return payload[: self.at] + stored + payload[self.at + width :]

    def matches(self, payload: bytes) -> bool:
        """Tell whether `payload` carries the right checksum."""
        return len(payload) >= self.length and self.seal(payload) == payload


class Counter(NamedTuple):
    """A rolling counter: 0 … `modulus` - 1, one step of `step` per frame."""

    modulus: int
    step: int = 1

    def next(self, value: int) -> int:
        """Return the value after `value`: for senders and for the check of what is received."""
        return (value + self.step) % self.modulus
