# SPDX-License-Identifier: Apache-2.0
"""The decoder in C gives bit by bit what the one in Python gives, whatever the vehicle and the frames."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterable
from fractions import Fraction
from itertools import groupby, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smartcockpit.adapters.socketcan import SocketCan
from smartcockpit.core.checksum import ALGORITHMS, WIDTH_BITS, Checksum, Counter
from smartcockpit.core.decode import Decoder
from smartcockpit.core.formula import parse_formula
from smartcockpit.core.layout import BitField
from smartcockpit.core.plan import (
    BusPlan,
    Computed,
    Conversion,
    FieldPlan,
    Linear,
    MappedSignal,
    MessagePlan,
    Table,
    VehiclePlan,
)
from smartcockpit.core.signals import Datatype, SignalSpec, Update
from smartcockpit.core.table import VehicleTable
from smartcockpit.vehicle.table_source import write_table
from support.native import library, native_decoder
from support.vehicles import DEMO, REAL_DBC, Batch, classic, compiled, fd, load, mapped_dbc

REAL_FILES = sorted(REAL_DBC.glob("*.dbc"))
MS = 1_000_000


def newest(updates: Iterable[Update]) -> dict[int, list[str]]:
    """Return what a publisher keeps: of each signal and each stretch of one quality the last reading."""
    readings: dict[int, list[Update]] = {}
    for update in updates:
        readings.setdefault(update[0], []).append(update)
    return {
        index: [repr(list(stretch)[-1]) for _, stretch in groupby(found, lambda update: update[2])]
        for index, found in readings.items()
    }


class Both:
    """Both decoders of one table, fed alike and compared at each step."""

    def __init__(self, table: VehicleTable) -> None:
        self.table = table
        self.pairs = [(Decoder(table, bus), native_decoder(table, bus)) for bus in range(len(table.buses))]

    def feed(self, records: list[tuple[int, bytes]], now_ns: int) -> None:
        for python, native in self.pairs:
            assert newest(native.feed(Batch(records), now_ns)) == newest(python.feed(Batch(records), now_ns))
        self.agree()

    def flush(self, now_ns: int) -> None:
        for python, native in self.pairs:
            assert newest(native.flush(now_ns)) == newest(python.flush(now_ns))

    def forget(self, number: int) -> None:
        for pair in self.pairs:
            for decoder in pair:
                if number < 0:
                    decoder.start_over()
                elif number < len(decoder.messages):
                    decoder.forget(number)
        self.agree()

    def agree(self) -> None:
        for python, native in self.pairs:
            assert native.tally.as_dict() == python.tally.as_dict()
            assert list(native.last_seen_ns) == list(python.last_seen_ns)


def stream(both: Both, rng: random.Random, steps: int, seal: dict[int, Checksum] | None = None) -> None:
    """Drive both with frames that repeat, change a little or wholly, are short, are foreign, come late."""
    last: dict[int, bytes] = {}
    now_ns = 0
    for _ in range(steps):
        records = []
        for _ in range(rng.choice((1, 3, 64, 70))):
            message = rng.choice(both.table.messages)
            data = last.get(message.can_id) or bytes(message.length)
            if rng.random() < 0.3:
                data = rng.randbytes(message.length)
            elif data and rng.random() < 0.7:
                at = rng.randrange(len(data))
                data = data[:at] + bytes((rng.choice((0, 1, 0xFF, rng.randrange(256))),)) + data[at + 1 :]
            if seal and message.can_id in seal and rng.random() < 0.8:
                data = seal[message.can_id].seal(data)
            last[message.can_id] = data
            cut = rng.randrange(len(data) + 1) if rng.random() < 0.05 else len(data)
            can_id = message.can_id ^ rng.choice((0, 0, 0, 0, 0, 0, 0, 1, 1 << 29, 1 << 30))
            records.append((fd if cut > 8 or rng.random() < 0.1 else classic)(can_id, data[:cut]))
        now_ns += rng.choice((0, 1, 10, 90, 200)) * MS
        both.feed(records, now_ns)
        if rng.random() < 0.3:
            both.flush(now_ns + 20 * MS)
        if rng.random() < 0.1:
            both.forget(rng.randrange(-1, 3))


def test_demo_car_is_decoded_in_c_alone() -> None:
    table = compiled(DEMO)
    assert [native.left for native in table.native] == [(), ()]
    guards = {0xA0: 7, 0xA4: 7, 0xB4: 7}
    seal = {can_id: Checksum("crc8-sae-j1850", at, 8, (can_id,)) for can_id, at in guards.items()}
    seal[0xC2] = Checksum("crc8-h2f", 7, 8, (0xC2, 1))
    stream(Both(table), random.Random(1), 300, seal)


@pytest.mark.skipif(not REAL_FILES, reason=f"the folder of real DBC files ({REAL_DBC}) is not there")
@pytest.mark.parametrize("path", REAL_FILES, ids=lambda path: path.stem)
def test_real_car(path: Path) -> None:
    table = mapped_dbc(path)
    assert table.native[0].left == ()
    stream(Both(table), random.Random(2), 60)


def test_any_place_of_bits() -> None:
    """Whole bytes, odd ones, and those that take nine bytes to read; the last byte that a frame can have."""
    line, plans = Linear(Fraction(1), Fraction(0)), []
    for length, shift, big, signed in product(
        (1, 8, 13, 57, 58, 63, 64), range(8), (False, True), (False, True)
    ):
        size = (shift + length + 7) // 8
        start = 8 * (64 - size) + (7 - shift if big else shift)
        place = BitField(start, length, big, signed)
        mapped = MappedSignal(len(plans), 0, SignalSpec(f"Vehicle.S{len(plans)}", Datatype.INT64), line)
        plans.append(MessagePlan(0, len(plans), f"M{len(plans)}", 64, (FieldPlan("F", place),), (mapped,)))
    specs = tuple(plan.mapped[0].spec for plan in plans)
    both = Both(load(write_table(VehiclePlan("any", (BusPlan("b", "can0", 1),), specs, tuple(plans)))))
    unsigned = {k for k, plan in enumerate(plans) if plan.fields[0].place.raw_limits[1] >= 1 << 63}
    assert set(both.table.native[0].left) == unsigned
    rng = random.Random(4)
    for now_ns in range(3):
        both.feed([fd(plan.can_id, rng.randbytes(64)) for plan in plans], now_ns)


def test_a_message_longer_than_any_frame_is_left_to_python_and_does_no_harm() -> None:
    line, specs = Linear(Fraction(1), Fraction(0)), (SignalSpec("Vehicle.A", Datatype.UINT8),)
    fields = (FieldPlan("F", BitField(8 * 290, 8)),)
    long = MessagePlan(0, 1, "Long", 300, fields, (MappedSignal(0, 0, specs[0], line),))
    table = load(write_table(VehiclePlan("any", (BusPlan("b", "can0", 1),), specs, (long,))))
    assert table.native[0].left == (0,)
    Both(table).feed([fd(1, bytes(64)), classic(2, b"")], 1)


# ---- any vehicle ------------------------------------------------------------------------------------------

FACTORS = [Fraction(n) for n in ("1", "2", "1/10", "1/4", "-1/2", "1/3", "-37/10", "1/1000", "1e12", "1e-20")]
OFFSETS = [Fraction(n) for n in ("0", "-40", "1/2", "1000000", "-1/3", "1e17")]
FORMULAS = ["abs(x) > 0.5", "sqrt(x-9)/(x-50)", "floor(abs(x))", "if(x > 3, x, -x)", "x % 7 == 2"]
NUMBERS = [Datatype.UINT8, Datatype.INT32, Datatype.INT64, Datatype.UINT64, Datatype.FLOAT, Datatype.DOUBLE]
DATATYPES = [*NUMBERS, Datatype.BOOLEAN, Datatype.STRING]


def places(length: int) -> st.SearchStrategy[BitField]:
    @st.composite
    def one(draw: st.DrawFn) -> BitField:
        is_float = length >= 8 and draw(st.integers(0, 5)) == 0
        sizes = st.sampled_from([16, 32, 64]) if is_float else st.integers(1, min(64, 8 * length))
        size, big = draw(sizes), draw(st.booleans())
        first = draw(st.integers(0, 8 * length - size))
        start = 8 * (first // 8) + 7 - first % 8 if big else first
        return BitField(start, size, big, not is_float and draw(st.booleans()), is_float)

    return one()


@st.composite
def conversions(draw: st.DrawFn, place: BitField, datatype: Datatype) -> Conversion:
    low, high = place.raw_limits if not place.is_float else (-1000, 1000)
    raws = st.integers(low, high)
    value: st.SearchStrategy[Any] = st.integers(0, 9) if datatype.is_integer else st.floats(-9, 9)
    if not datatype.is_number:
        value = st.booleans() if datatype is Datatype.BOOLEAN else st.sampled_from("abc")
    kind = draw(st.sampled_from(["line", "line", "line", "table", "formula"]))
    if not place.is_float and (kind == "table" or datatype is Datatype.STRING):
        return Table(tuple(draw(st.dictionaries(raws, value, max_size=6)).items()))
    if kind == "formula" and not place.is_float:
        limits = draw(st.sampled_from([(None, None), (0.0, 100.0)]))
        return Computed(
            parse_formula(draw(st.sampled_from(FORMULAS))), 1, draw(st.sampled_from([0, -9])), limits
        )
    least, most = sorted((draw(raws), draw(raws)))
    ends: tuple[float | None, float | None] = (float(least), float(most))
    invalid: tuple[int, ...] = ()
    if not place.is_float:
        ends = draw(st.sampled_from([(None, None), (least, None), (None, most), (least, most)]))
        invalid = tuple(draw(st.sets(raws, max_size=2)))
    return Linear(draw(st.sampled_from(FACTORS)), draw(st.sampled_from(OFFSETS)), *ends, invalid)


@st.composite
def messages(draw: st.DrawFn, number: int) -> MessagePlan:
    length = draw(st.sampled_from([1, 3, 8, 8, 8, 20, 64]))
    fields: list[FieldPlan] = []
    for place in draw(st.lists(places(length), min_size=1, max_size=6)):
        selectors = [i for i, field in enumerate(fields) if not field.place.is_float]
        conditions: list[tuple[int, tuple[tuple[int, int], ...]]] = []
        if selectors and draw(st.integers(0, 2)) == 0:
            selector = draw(st.sampled_from(selectors))
            low = draw(st.integers(0, 3))
            ranges = ((low, low + draw(st.integers(0, 2))), (9, 9))
            conditions = [*fields[selector].conditions, (selector, ranges)]
        fields.append(FieldPlan(f"F{len(fields)}", place, conditions=tuple(conditions)))
    mapped = []
    for i, field in enumerate(fields):
        if field.place.is_float:
            datatype = draw(st.sampled_from([*NUMBERS[:2], Datatype.DOUBLE, Datatype.BOOLEAN]))
        else:
            datatype = draw(st.sampled_from(DATATYPES))
        index = 10 * number + i
        conversion = draw(conversions(field.place, datatype))
        interval, on_change = draw(
            st.sampled_from([(0, True), (0, True), (100, True), (100, False), (0, False)])
        )
        spec = SignalSpec(f"Vehicle.S{index}", datatype)
        mapped.append(MappedSignal(index, i, spec, conversion, interval, on_change))
    checksum = counter = None
    if length >= 3 and draw(st.integers(0, 2)) == 0:
        name = draw(st.sampled_from(ALGORITHMS))
        at = draw(st.integers(0, length - WIDTH_BITS[name] // 8))
        checksum = Checksum(name, at, length, (number, 7), draw(st.booleans()))
    plain = [i for i, f in enumerate(fields) if not (f.place.is_float or f.place.signed or f.conditions)]
    if plain and draw(st.integers(0, 2)) == 0:
        step, modulus = draw(st.integers(1, 3)), draw(st.sampled_from([1, 2, 15, 16]))
        counter = (draw(st.sampled_from(plain)), Counter(modulus, step))
    can_id = number if number % 2 else number | 1 << 31
    return MessagePlan(0, can_id, f"M{number}", length, tuple(fields), tuple(mapped), 0, 0, checksum, counter)


@st.composite
def vehicles(draw: st.DrawFn) -> VehiclePlan:
    plans = tuple(draw(messages(number)) for number in range(draw(st.integers(1, 3))))
    specs = [SignalSpec(f"Vehicle.S{i}", Datatype.DOUBLE) for i in range(10 * len(plans))]
    for plan in plans:
        for signal in plan.mapped:
            specs[signal.index] = signal.spec
    return VehiclePlan("any", (BusPlan("b", "can0", 500_000),), tuple(specs), plans)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(vehicle=vehicles(), seed=st.integers(0, 2**32))
def test_any_vehicle(vehicle: VehiclePlan, seed: int) -> None:
    seal = {plan.can_id: plan.checksum for plan in vehicle.messages if plan.checksum is not None}
    stream(Both(load(write_table(vehicle))), random.Random(seed), 25, seal)


# ---- from the socket --------------------------------------------------------------------------------------


def test_frames_from_a_socket_are_read_in_place_and_carry_the_kernels_times() -> None:
    table = compiled(DEMO)
    python, native = Decoder(table, 1), native_decoder(table, 1)
    rng = random.Random(3)
    frames = []
    for _ in range(300):
        message = rng.choice(native.messages)
        frames.append(struct.pack("=IBB2x64s", message.can_id, message.length, 1, rng.randbytes(64)))
    found: list[list[Update]] = []
    for decoder, lib in ((python, None), (native, library())):
        far, near = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with far, near:
            source = SocketCan.from_socket(near, fd_frames=True, library=lib)
            updates = []
            for frame in frames:
                far.send(frame)
                batch = source.receive()
                assert batch is not None
                updates += decoder.feed(batch, 1)
            found.append(updates)
    values = [newest((i, v, q, 0) for i, v, q, _ in updates) for updates in found]
    assert values[0] == values[1]
    times = [time_us for *_, time_us in found[1]]
    assert times == sorted(times)
    assert len(set(times)) > 50
