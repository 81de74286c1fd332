# SPDX-License-Identifier: Apache-2.0
"""The decoder of one bus: frames in batches in, changed signal values out.

Owns skipping of unchanged frames, the last-seen time of each message and all counting. Works on a compiled
table (`smartcockpit.core.table`) and is a seam: `DecoderBackend` says what a back-end must offer, and
tests/unit/decode holds for each of them. The one in C is `smartcockpit.adapters.native_decoder`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from smartcockpit.core.signals import Update
from smartcockpit.core.table import NEVER, REPEATED, Message, Tally, UpdateFrame, VehicleTable

CAN_EFF_FLAG = 0x8000_0000
CAN_RTR_FLAG = 0x4000_0000
CAN_ERR_FLAG = 0x2000_0000
"""Flags in a SocketCAN id (linux/can.h)."""

HEADER_BYTES = 4
"""A body starts with len, flags and two reserved bytes; the data follow (linux/can.h after can_id)."""


class FrameBatch(Protocol):
    """What a bus adapter hands over per wake-up.

    `records` are (can_id with its flags, body): the kernel's frame after the id, 12 bytes classic or 68
    bytes FD.
    """

    @property
    def records(self) -> Iterable[tuple[int, bytes]]:
        """Return the frames, oldest first."""

    def time_us(self, i: int) -> int:
        """Return the receive time of record i in µs CLOCK_REALTIME."""


class DecoderBackend(Protocol):
    """The contract of a decoder; `Decoder` is the one in Python.

    `last_seen_ns[k]` belongs to `messages[k]`: monotonic time of its last frame, 0 for never. A frame that
    repeats its rolling counter is no sign of life and leaves it alone.
    """

    ids: tuple[int, ...]
    messages: tuple[Message, ...]

    @property
    def last_seen_ns(self) -> Sequence[int]:
        """Return when each message was last seen."""

    @property
    def tally(self) -> Tally:
        """Return the counts so far."""

    def feed(self, batch: FrameBatch, now_ns: int) -> list[Update]:
        """Return the readings that are new in `batch`; never raises, whatever the bytes.

        Readings of one signal are in order. Of several of equal quality only the newest must be there.
        """

    def flush(self, now_ns: int) -> list[Update]:
        """Return changed values that their interval held back and whose time has come."""

    def forget(self, message: int) -> None:
        """Let the next frame of this message count as new, so that it publishes all its signals."""

    def start_over(self) -> None:
        """Forget all messages and that they were ever seen; counts go on."""


class _Slot:
    """State of one message on the bus."""

    __slots__ = (
        "body",
        "due",
        "end",
        "ends",
        "filled",
        "forget",
        "index",
        "time_us",
        "update",
        "update_whole",
    )

    def __init__(self, index: int, message: Message, tally: Tally) -> None:
        self.index = index
        self.body = b""
        self.filled = b""
        """The last short frame, filled up: the stand-in for `body` while short frames come."""
        self.due = NEVER
        self.time_us = 0
        self.end = message.length
        self.ends = dict(zip(message.signals, message.ends, strict=True))
        self.update_whole, self.forget = message.make_updater(tally)
        self.update: UpdateFrame = self.update_whole

    def update_after_short(
        self, body: bytes, now_ns: int, time_us: int, emit: Callable[[Update], None]
    ) -> int:
        """Take the first whole frame after a short one: what was filled up then counts as never seen."""
        self.filled, self.update = b"", self.update_whole
        self.forget()
        return self.update_whole(body, now_ns, time_us, emit)


class Decoder:
    """Pure-Python back-end: generated updaters behind a comparison with the last body of the same id.

    `table` and `bus_index` say what to decode. Bodies are trusted to have 12 or 68 bytes as the kernel
    delivers them; others are counted as short.
    """

    def __init__(self, table: VehicleTable, bus_index: int) -> None:
        self.messages = tuple(m for m in table.messages if m.bus == bus_index)
        self.ids = tuple(m.can_id for m in self.messages)
        self.tally = Tally()
        self.last_seen_ns = [0] * len(self.messages)
        self._all = [_Slot(k, m, self.tally) for k, m in enumerate(self.messages)]
        self._held = [slot for slot in self._all if self.messages[slot.index].holds_back]
        self._slots = {m.can_id: slot for m, slot in zip(self.messages, self._all, strict=True)}

    def feed(self, batch: FrameBatch, now_ns: int) -> list[Update]:
        """Return the readings that are new in `batch`. Contract: `DecoderBackend.feed`."""
        out: list[Update] = []
        emit, find, seen, tally = out.append, self._slots.get, self.last_seen_ns, self.tally
        i, unchanged = -1, 0
        for i, (can_id, body) in enumerate(batch.records):
            slot = find(can_id)
            if slot is None:
                self._count_stranger(can_id)
            elif body == slot.body and now_ns < slot.due:
                unchanged += 1
                seen[slot.index] = now_ns
            elif len(body) < HEADER_BYTES + slot.end or body[0] < slot.end:
                self._feed_short(slot, body, now_ns, batch.time_us(i), out)
            else:
                slot.time_us = time_us = batch.time_us(i)
                due = slot.update(body, now_ns, time_us, emit)
                if due != REPEATED:
                    slot.body, slot.due = body, due
                    seen[slot.index] = now_ns
        tally.frames += i + 1
        tally.unchanged += unchanged
        return out

    def flush(self, now_ns: int) -> list[Update]:
        """Return what intervals held back. Contract: `DecoderBackend.flush`. Call it some times a second."""
        out: list[Update] = []
        for slot in self._held:
            if slot.due <= now_ns and slot.body:
                slot.due = slot.update(slot.body, now_ns, slot.time_us, out.append)
        return out

    def forget(self, message: int) -> None:
        """Contract: `DecoderBackend.forget`."""
        slot = self._all[message]
        slot.body, slot.filled, slot.due, slot.update = b"", b"", NEVER, slot.update_whole
        slot.forget()

    def start_over(self) -> None:
        """Contract: `DecoderBackend.start_over`."""
        for k in range(len(self._all)):
            self.forget(k)
            self.last_seen_ns[k] = 0

    def _count_stranger(self, can_id: int) -> None:
        if can_id & CAN_ERR_FLAG:
            self.tally.error_frames += 1
        elif can_id & CAN_RTR_FLAG:
            self.tally.remote_frames += 1
        else:
            self.tally.unknown_id += 1

    def _feed_short(self, slot: _Slot, body: bytes, now_ns: int, time_us: int, out: list[Update]) -> None:
        """Take what a frame shorter than its message carries; the rest keeps its last reading."""
        self.tally.short_frame += 1
        have = max(0, min(body[0], len(body) - HEADER_BYTES)) if len(body) >= HEADER_BYTES else 0
        if not have:
            return
        known = slot.body or slot.filled or bytes(HEADER_BYTES + slot.end)
        filled = body[: HEADER_BYTES + have] + known[HEADER_BYTES + have :]
        found: list[Update] = []
        if slot.update_whole(filled, now_ns, time_us, found.append) != REPEATED:
            self.last_seen_ns[slot.index] = now_ns
        slot.body, slot.filled, slot.due = b"", filled, NEVER
        slot.update = slot.update_after_short
        out.extend(update for update in found if slot.ends[update[0]] <= have)
