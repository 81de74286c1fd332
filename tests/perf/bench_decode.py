# SPDX-License-Identifier: Apache-2.0
"""What decoding costs, beside cantools' `decode_message`, in one run.

Classic 8-byte and FD 64-byte frames with all signals to a tuple, then the pipeline of both decoders with all
frames changing and with 80 % unchanged (receiving, and so that target, belongs to bench_receive.py). CPU time,
medians. Besides a made-up database: the demo car and, where the folder exists, real cars.

    python tests/perf/bench_decode.py
"""

from __future__ import annotations

import random
import socket
import struct
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from perf.report import cpu_us_per_item, print_table
from smartcockpit.adapters.native_receiver import NativeReceiver
from smartcockpit.core.decode import Decoder, DecoderBackend, FrameBatch
from smartcockpit.core.plan import BusPlan, Linear, MappedSignal, MessagePlan, VehiclePlan
from smartcockpit.core.signals import Datatype, SignalSpec
from smartcockpit.core.table import VehicleTable
from smartcockpit.vehicle.database import load_cantools, read_dbc
from smartcockpit.vehicle.table_source import write_table
from support.native import library, native_decoder

REPO = Path(__file__).parents[2]
REAL = REPO.parent / "shared" / "data" / "dbc"
FRAMES = 6000
TARGETS = {"decode": 4.0}


@dataclass(frozen=True)
class Batch:
    records: Sequence[tuple[int, bytes]]

    def time_us(self, i: int) -> int:
        return i


def synthetic(folder: Path, fd: bool) -> Path:
    """Write a database like those of production cars: aligned and odd signals, both byte orders, floats."""
    rng, lines = random.Random(2), ['VERSION ""', "BU_: A", ""]
    kinds: list[str] = []
    for number in range(12 if fd else 40):
        can_id, length = 0x100 + number, 64 if fd else 8
        lines.append(f"BO_ {can_id} M{number}: {length} A")
        byte = index = 0
        while byte + 4 <= length:
            name = f"S{number}_{index}"
            kind = rng.choice(
                ("float", "16", "8", "odd", "16be", "12s") if fd else ("16", "8", "odd", "16be", "12s")
            )
            start, size, order, sign, scale = byte * 8, 16, 1, "+", rng.choice(("1", "0.1", "0.25", "0.01"))
            if kind == "float":
                size, sign, scale = 32, "-", "1"
                kinds.append(f"SIG_VALTYPE_ {can_id} {name} : 1;")
            elif kind == "8":
                size = 8
            elif kind == "odd":
                start, size = byte * 8 + 3, rng.choice((1, 3, 5, 10))
            elif kind == "16be":
                start, order = byte * 8 + 7, 0
            elif kind == "12s":
                size, sign = 12, "-"
            lines.append(f' SG_ {name} : {start}|{size}@{order}{sign} ({scale},0) [0|0] "" A')
            byte += 4 if kind == "float" else 1 if kind == "8" else 2
            index += 1
        lines.append("")
    path = folder / ("fd.dbc" if fd else "classic.dbc")
    path.write_text("\n".join([*lines, *kinds]) + "\n")
    return path


def table_of(path: Path, length: int) -> tuple[VehicleTable, list[Any]]:
    """Compile all messages of `length` bytes, every signal mapped; return cantools' messages beside."""
    database = load_cantools(path)
    specs, plans, peers = [], [], {m.name: m for m in database.messages}
    for message in read_dbc(path, []):
        peer = peers[message.name]
        complete = message.fields and len(message.fields) == len(peer.signals)
        complete = complete and database.get_message_by_frame_id(peer.frame_id) is peer and _decodes(peer)
        if message.length != length or any(f.conditions for f in message.fields) or not complete:
            continue
        mapped = []
        for i, field in enumerate(message.fields):
            spec = SignalSpec(f"Vehicle.S{len(specs)}", Datatype.DOUBLE)
            limits = (-1e30, 1e30) if field.place.is_float else (None, None)
            mapped.append(
                MappedSignal(
                    len(specs), i, spec, Linear(*(_fraction(v) for v in (field.scale, field.offset)), *limits)
                )
            )
            specs.append(spec)
        plan = MessagePlan(0, message.can_id, message.name, message.length, message.fields)
        plans.append(replace(plan, mapped=tuple(mapped)))
    names: dict[str, Any] = {}
    source = write_table(VehiclePlan("bench", (BusPlan("b", "can0", 500_000),), tuple(specs), tuple(plans)))
    exec(compile(source, "bench", "exec"), names)
    return VehicleTable.from_namespace(names), [peers[p.name] for p in plans]


def _decodes(peer: Any) -> bool:
    """cantools refuses every frame of a message whose signals do not fit into it."""
    try:
        peer.decode(bytes(peer.length))
    except Exception:
        return False
    return True


def _fraction(value: float) -> Any:
    from fractions import Fraction

    return Fraction(str(value))


def measure(name: str, path: Path, length: int) -> list[list[object]]:
    table, peers = table_of(path, length)
    rng = random.Random(1)
    database = load_cantools(path)
    picks = [rng.randrange(len(peers)) for _ in range(FRAMES)]
    data = [rng.randbytes(length) for _ in picks]
    jobs = [(peers[k].frame_id, d) for k, d in zip(picks, data, strict=True)]
    own = {m.can_id: m.decode for m in table.messages}
    own_jobs = [(table.messages[k].can_id, d) for k, d in zip(picks, data, strict=True)]

    def peer() -> int:
        decode = database.decode_message
        for can_id, payload in jobs:
            decode(can_id, payload)
        return len(jobs)

    def ours() -> int:
        for can_id, payload in own_jobs:
            own[can_id](payload)
        return len(own_jobs)

    peer_us, own_us = cpu_us_per_item(peer), cpu_us_per_item(ours)
    size = len(table.signals) / max(1, len(table.messages))
    rows: list[list[object]] = [row(f"{name}, decode ({size:.1f} signals)", "decode", own_us, peer_us)]
    for share in (0.0, 0.8):
        what = "80 % unchanged" if share else "all changing"
        records = stream(table, picks, data, share)
        for decoder, title in ((Decoder(table, 0), "Python"), (native_decoder(table, 0), "C")):
            batches = in_c(records, length) if title == "C" else in_python(records)
            own_us = cpu_us_per_item(feeder(decoder, batches, len(records)))
            rows.append(row(f"{name}, feed in {title}, {what}", what, own_us, peer_us))
    return rows


def stream(
    table: VehicleTable, picks: Sequence[int], data: Sequence[bytes], unchanged: float
) -> list[tuple[int, bytes]]:
    """Return records; with probability `unchanged` a frame repeats the last payload of its id."""
    rng, last, records = random.Random(5), dict[int, bytes](), list[tuple[int, bytes]]()
    for k, payload in zip(picks, data, strict=True):
        message = table.messages[k]
        header = bytes((len(payload), 0, 0, 0))
        body = last.get(k, b"") if k in last and rng.random() < unchanged else header + payload
        last[k] = body
        records.append((message.can_id, body))
    return [(can_id, bytes(bytearray(body))) for can_id, body in records]


def in_python(records: list[tuple[int, bytes]]) -> list[FrameBatch]:
    """Return batches as recvmmsg without the library makes them."""
    return [Batch(records[i : i + 64]) for i in range(0, len(records), 64)]


def in_c(records: list[tuple[int, bytes]], length: int) -> list[FrameBatch]:
    """Return batches that lie where the library has received them."""
    batches: list[FrameBatch] = []
    for start in range(0, len(records), 64):
        far, near = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with far, near:
            for can_id, body in records[start : start + 64]:
                far.send(struct.pack("=I", can_id) + body.ljust(68 if length > 8 else 12, b"\0"))
            batch = NativeReceiver(near, True, library()).receive()
        assert batch is not None
        batches.append(batch)
    return batches


def feeder(decoder: DecoderBackend, batches: Sequence[FrameBatch], count: int) -> Callable[[], int]:
    """Feed all batches, `count` frames."""

    def run() -> int:
        for now, batch in enumerate(batches, 1):
            decoder.feed(batch, now)
        return count

    return run


def row(name: str, kind: str, own_us: float, peer_us: float) -> list[object]:
    ratio, target = peer_us / own_us, TARGETS.get(kind)
    verdict = "" if target is None else f"≥ {target:g} {'ok' if ratio >= target else 'MISSED'}"
    return [name, f"{own_us:.2f}", f"{peer_us:.2f}", f"{ratio:.1f}", verdict]


def main() -> int:
    """Print the table; exit 1 when a target is missed."""
    rows: list[list[object]] = []
    with tempfile.TemporaryDirectory() as folder:
        rows += measure("synthetic classic 8 B", synthetic(Path(folder), False), 8)
        rows += measure("synthetic FD 64 B", synthetic(Path(folder), True), 64)
    rows += measure("demo classic 8 B", REPO / "dbc" / "demo" / "powertrain.dbc", 8)
    rows += measure("demo FD 64 B", REPO / "dbc" / "demo" / "body.dbc", 64)
    if REAL.is_dir():
        for name in ("bmw_e9x_e8x", "vw_mqb", "volvo_v60_2015_pt"):
            rows += measure(name, REAL / f"{name}.dbc", 8)
    print_table("Decoding, CPU time per frame", ("what", "ours µs", "cantools µs", "ratio", "target"), rows)
    return int(any("MISSED" in str(cells[-1]) for cells in rows))


if __name__ == "__main__":
    sys.exit(main())
