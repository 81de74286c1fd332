# SPDX-License-Identifier: Apache-2.0
"""The decoder of one bus in C (libcanreceive): implements `smartcockpit.core.decode.DecoderBackend`.

Owns handing frames over and turning what comes back into updates. Frames of messages that the table's maker
left to Python (formulas) go to a `Decoder` inside. Of several readings of a signal within one `feed` only the
newest of each quality comes back, which is all that a publisher would have kept.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import islice

from smartcockpit.adapters.canreceive import Library, Memory
from smartcockpit.adapters.native_receiver import RECORD, NativeReceiver
from smartcockpit.core.decode import Decoder, FrameBatch
from smartcockpit.core.signals import Update
from smartcockpit.core.table import Tally, VehicleTable

RESULTS = struct.Struct("=6I10Q6Q")
"""struct results: found by kind, handed, messages; tally; places of found by kind, of handed, of seen."""
FOUND = struct.Struct("=5I")
TALLY = struct.Struct("=24x10Q")
DOUBLE, INTEGER, BOOLEAN, TEXT = (struct.Struct(f"=I{value}Bq") for value in ("d", "q", "?7x", "q"))
"""struct reading, by kind."""
PORTION = 64
"""Frames of a source that is not the library's are packed in portions of this size."""
LONGEST = 68
"""Bytes of a body that can matter; what is longer is cut."""


class NativeDecoder:
    """Decodes the messages of bus number `bus_index`; raises `NoLibraryError` when the library cannot."""

    def __init__(self, table: VehicleTable, bus_index: int, library: Library) -> None:
        data, self._texts, self._left = table.native[bus_index]
        self.messages = tuple(m for m in table.messages if m.bus == bus_index)
        self.ids = tuple(m.can_id for m in self.messages)
        left = tuple(self.messages[k] for k in self._left)
        self._rest = Decoder(table._replace(messages=left), bus_index)
        self._holds_back = any(m.holds_back for m in self.messages)
        self._library = library
        self._memory = library.open_decoder(data)
        self._address, view = self._memory.address, self._memory.view
        *found_at, handed_at, seen_at = RESULTS.unpack_from(view)[16:]
        self._found = [view[at:] for at in found_at]
        self._handed = view[handed_at:]
        self._seen = view[seen_at : seen_at + 8 * len(self.messages)].cast("q")
        self._packed: Memory | None = None

    @property
    def last_seen_ns(self) -> Sequence[int]:
        """Return the monotonic time of each message's last frame, 0 for never."""
        seen = self._seen.tolist()
        for k, time_ns in zip(self._left, self._rest.last_seen_ns, strict=True):
            seen[k] = time_ns
        return seen

    @property
    def tally(self) -> Tally:
        """Return the counts as they are now."""
        tally = Tally()
        for name, count in zip(Tally.__slots__, TALLY.unpack_from(self._memory.view), strict=True):
            setattr(tally, name, count + getattr(self._rest.tally, name))
        return tally

    def feed(self, batch: FrameBatch, now_ns: int) -> list[Update]:
        """Return the readings that are new in `batch`. Contract: `DecoderBackend.feed`."""
        if isinstance(batch, NativeReceiver):
            return self._feed(batch.address, batch.count, batch.record, batch.time_us, now_ns)
        updates: list[Update] = []
        records, start = iter(batch.records), 0
        while portion := list(islice(records, PORTION)):
            times = [batch.time_us(start + i) for i in range(len(portion))]
            address = self._pack(portion, times)
            updates += self._feed(address, len(portion), portion.__getitem__, times.__getitem__, now_ns)
            start += len(portion)
        return updates

    def _feed(
        self,
        address: int,
        count: int,
        record: Callable[[int], tuple[int, bytes]],
        time_us: Callable[[int], int],
        now_ns: int,
    ) -> list[Update]:
        """Feed `count` records at `address` to the library, and to Python what it leaves."""
        updates: list[Update] = []
        left: list[int] = []
        done = 0
        while done < count:
            taken = self._library.feed(self._address, address + done * RECORD.size, count - done, now_ns)
            if handed := self._collect(updates):
                left += [done + number for number in self._handed[: 4 * handed].cast("I").tolist()]
            done += taken
        if left:
            updates += self._rest.feed(_Picked(list(map(record, left)), list(map(time_us, left))), now_ns)
        return updates

    def _collect(self, updates: list[Update]) -> int:
        """Append what the last call found; return how many frames it handed back."""
        doubles, integers, booleans, texts, handed = FOUND.unpack_from(self._memory.view)
        found = self._found
        if doubles:
            updates += DOUBLE.iter_unpack(found[0][: doubles * DOUBLE.size])
        if integers:
            updates += INTEGER.iter_unpack(found[1][: integers * INTEGER.size])
        if booleans:
            updates += BOOLEAN.iter_unpack(found[2][: booleans * BOOLEAN.size])
        if texts:
            rows = TEXT.iter_unpack(found[3][: texts * TEXT.size])
            updates += [(i, self._texts[code], quality, time_us) for i, code, quality, time_us in rows]
        return int(handed)

    def _pack(self, records: Sequence[tuple[int, bytes]], times: Sequence[int]) -> int:
        """Put frames of another source where the library can read them; return that address."""
        if self._packed is None:
            self._packed = Memory(PORTION * RECORD.size)
        for i, ((can_id, body), time_us) in enumerate(zip(records, times, strict=True)):
            length = 4 + min(len(body), LONGEST)
            RECORD.pack_into(self._packed.view, i * RECORD.size, time_us, length, can_id, body)
        return self._packed.address

    def flush(self, now_ns: int) -> list[Update]:
        """Return what intervals held back. Contract: `DecoderBackend.flush`."""
        updates = self._rest.flush(now_ns)
        first = 0 if self._holds_back else len(self.messages)
        while first < len(self.messages):
            first = self._library.flush(self._address, first, now_ns)
            self._collect(updates)
        return updates

    def forget(self, message: int) -> None:
        """Contract: `DecoderBackend.forget`."""
        if message in self._left:
            self._rest.forget(self._left.index(message))
        else:
            self._library.forget(self._address, message)

    def start_over(self) -> None:
        """Contract: `DecoderBackend.start_over`."""
        self._rest.start_over()
        for k in range(len(self.messages)):
            self._library.forget(self._address, k)
            self._seen[k] = 0


class _Picked:
    """Some frames of a batch, as a batch."""

    def __init__(self, records: list[tuple[int, bytes]], times: list[int]) -> None:
        self.records, self._times = records, times

    def time_us(self, i: int) -> int:
        return self._times[i]
