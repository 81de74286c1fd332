# SPDX-License-Identifier: Apache-2.0
"""One CAN frame on its way to the box, and its text form.

The text is that of `candump -L` without time and is what `guest/canwire.py` reads; both must agree.
"""

from __future__ import annotations

from dataclasses import dataclass

FD_LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)


@dataclass(frozen=True, slots=True)
class Frame:
    """A data frame (or a remote frame of `length` bytes) for `bus`, named as in the vehicle folder."""

    bus: str
    can_id: int
    data: bytes = b""
    extended: bool = False
    fd: bool = False
    bit_rate_switch: bool = False
    remote_length: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.can_id <= (0x1FFF_FFFF if self.extended else 0x7FF):
            raise ValueError(f"CAN id {self.can_id:#x} does not fit {29 if self.extended else 11} bits")
        if self.fd and len(self.data) not in FD_LENGTHS:
            raise ValueError(f"a CAN FD frame cannot have {len(self.data)} bytes")
        if not self.fd and max(len(self.data), self.remote_length or 0) > 8:
            raise ValueError(f"a classic CAN frame cannot have {len(self.data)} bytes")

    def line(self, interface: str | None = None) -> str:
        """Return the text of the frame, without line end, for `interface` (default: its bus)."""
        can_id = f"{self.can_id:08X}" if self.extended else f"{self.can_id:03X}"
        if self.remote_length is not None:
            body = f"#R{self.remote_length}"
        elif self.fd:
            body = f"##{int(self.bit_rate_switch)}{self.data.hex().upper()}"
        else:
            body = f"#{self.data.hex().upper()}"
        return f"{interface or self.bus} {can_id}{body}"

    def log_line(self, time_s: float) -> str:
        """Return the line that `candump -L` would write for the frame at `time_s`."""
        return f"({time_s:017.6f}) {self.line()}"
