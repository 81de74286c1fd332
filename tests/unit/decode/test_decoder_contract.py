# SPDX-License-Identifier: Apache-2.0
"""What every decoder back-end must do; add a back-end to `BACKENDS` and it is held to the same."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartcockpit.core.checksum import Checksum
from smartcockpit.core.decode import Decoder, DecoderBackend
from smartcockpit.core.table import VehicleTable
from support.native import native_decoder
from support.vehicles import (
    DEMO,
    MOTION,
    SIGNALS,
    TYRES,
    Batch,
    classic,
    compiled,
    fd,
    write_folder,
)  # fmt: skip

BACKENDS: list[Callable[[VehicleTable, int], DecoderBackend]] = [Decoder, native_decoder]
SPEED, GEAR, TEMPERATURE, LEFT, RIGHT, PITCH = range(6)
INVALID, VALID = 1, 3
GUARDED = """
[[bus]]
name = "b"
channel = "can0"
dbc = ["car.dbc"]

[message.Motion]
cycle_ms = 20
checksum = { signal = "Crc", algorithm = "crc8-sae-j1850", data_id = 7 }
counter = { signal = "Count" }
"""
CRC = Checksum("crc8-sae-j1850", 7, 8, (7,))


@pytest.fixture(params=BACKENDS, ids=lambda backend: backend.__name__)
def backend(request: pytest.FixtureRequest) -> Callable[[VehicleTable, int], DecoderBackend]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def decoder(backend, tmp_path: Path) -> DecoderBackend:
    return backend(compiled(write_folder(tmp_path / "car")), 0)


@pytest.fixture
def guarded(backend, tmp_path: Path) -> DecoderBackend:
    return backend(compiled(write_folder(tmp_path / "car", toml=GUARDED)), 0)


def timed(backend, tmp_path: Path, keys: str) -> DecoderBackend:
    signals = f"Vehicle.Speed: {{dbc: {{signal: Speed, {keys}}}}}\n"
    return backend(compiled(write_folder(tmp_path / "timed", signals=signals)), 0)


def motion(speed: float = 0, gear: int = 0, temperature: int = 0, count: int = 0) -> bytes:
    return struct.pack("<HBBBBBx", round(speed * 10), gear, temperature + 40, 0, 0, count)


def feed(decoder: DecoderBackend, *records: tuple[int, bytes], now: int = 1) -> list:
    """Signals come in any order, the readings of each of them in the order of time."""
    return sorted(decoder.feed(Batch(records), now), key=lambda update: update[0])


def test_first_frame_gives_every_signal_with_the_time_of_its_frame(decoder):
    assert feed(decoder, classic(MOTION, motion(50, 3, 20))) == [
        (SPEED, 50.0, VALID, 1000), (GEAR, 127, VALID, 1000), (TEMPERATURE, 20.0, VALID, 1000),
    ]  # fmt: skip


def test_only_what_changed_is_given(decoder):
    feed(decoder, classic(MOTION, motion(50, 3, 20)))
    assert feed(decoder, classic(MOTION, motion(50, 3, 21))) == [(TEMPERATURE, 21.0, VALID, 1000)]


def test_equal_frame_gives_nothing_but_counts_as_a_sign_of_life(decoder):
    feed(decoder, classic(MOTION, motion(50)), now=10)
    assert feed(decoder, classic(MOTION, motion(50)), now=20) == []
    assert decoder.last_seen_ns[decoder.ids.index(MOTION)] == 20
    assert decoder.tally.unchanged == 1


def test_value_is_the_nearest_float_to_the_decimal_number(decoder):
    assert feed(decoder, classic(MOTION, motion(12.3)))[0][1] == 12.3


def test_beyond_its_limits_a_value_is_invalid_and_keeps_the_last_good_one(decoder):
    feed(decoder, classic(MOTION, motion(50)))
    assert feed(decoder, classic(MOTION, motion(301))) == [(SPEED, 50.0, INVALID, 1000)]
    assert feed(decoder, classic(MOTION, motion(302))) == []
    assert feed(decoder, classic(MOTION, motion(50))) == [(SPEED, 50.0, VALID, 1000)]
    assert decoder.tally.out_of_range == 1


def test_a_number_named_sna_is_invalid(decoder):
    feed(decoder, classic(MOTION, motion(temperature=20)))
    assert feed(decoder, classic(MOTION, motion(temperature=215))) == [(TEMPERATURE, 20.0, INVALID, 1000)]


def test_a_number_that_the_mapping_does_not_list_is_invalid(decoder):
    feed(decoder, classic(MOTION, motion(gear=3)))
    assert feed(decoder, classic(MOTION, motion(gear=2))) == [(GEAR, 127, INVALID, 1000)]


def test_multiplexer_value_chooses_the_signals(decoder):
    assert feed(decoder, classic(TYRES, struct.pack("<BHxf", 0, 250, 1.5))) == [
        (LEFT, 250, VALID, 1000), (PITCH, 1.5, VALID, 1000),
    ]  # fmt: skip
    assert feed(decoder, classic(TYRES, struct.pack("<BHxf", 1, 240, 1.5))) == [(RIGHT, 240, VALID, 1000)]


def test_unknown_multiplexer_value_is_counted_and_the_rest_is_decoded(decoder):
    assert feed(decoder, classic(TYRES, struct.pack("<BHxf", 9, 250, 2.5))) == [(PITCH, 2.5, VALID, 1000)]
    assert decoder.tally.unknown_mux == 1


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_float_that_is_no_number_is_invalid(decoder, number):
    updates = feed(decoder, classic(TYRES, struct.pack("<BHxf", 0, 250, number)))
    assert (PITCH, 0.0, INVALID, 1000) in updates
    assert feed(decoder, classic(TYRES, struct.pack("<BHxf", 0, 251, number))) == [(LEFT, 251, VALID, 1000)]


def test_short_frame_gives_what_it_carries(decoder):
    assert feed(decoder, classic(MOTION, motion(50, 3, 20)[:3])) == [
        (SPEED, 50.0, VALID, 1000), (GEAR, 127, VALID, 1000),
    ]  # fmt: skip
    assert decoder.tally.short_frame == 1
    assert (TEMPERATURE, -40.0, VALID, 1000) in feed(decoder, classic(MOTION, bytes(8)))


def test_a_car_that_always_sends_short_frames_is_read_without_repetition(decoder):
    feed(decoder, classic(MOTION, motion(50, 3, 20)[:3]))
    assert feed(decoder, classic(MOTION, motion(50, 3, 20)[:3])) == []
    assert feed(decoder, classic(MOTION, motion(51, 3, 20)[:3])) == [(SPEED, 51.0, VALID, 1000)]
    assert [u[0] for u in feed(decoder, classic(MOTION, motion(51, 3, 20)))] == [SPEED, GEAR, TEMPERATURE]


def test_empty_frame_is_counted_and_is_no_sign_of_life(decoder):
    assert feed(decoder, classic(MOTION, b"")) == []
    assert decoder.tally.short_frame == 1
    assert decoder.last_seen_ns[decoder.ids.index(MOTION)] == 0


def test_fd_frame_may_carry_a_classic_message(decoder):
    assert feed(decoder, fd(MOTION, motion(50)))[0] == (SPEED, 50.0, VALID, 1000)


def test_strangers_are_counted_by_kind(decoder):
    data = motion(50)
    records = [classic(i, data) for i in (0x101, 0x4000_0100, 0x2000_0004, 0x100 | 1 << 31 | 1)]
    assert feed(decoder, *records) == []
    tally = decoder.tally
    assert (tally.unknown_id, tally.remote_frames, tally.error_frames, tally.frames) == (2, 1, 1, 4)


def test_forget_makes_the_next_frame_give_everything_again(decoder):
    feed(decoder, classic(MOTION, motion(50)))
    decoder.forget(decoder.ids.index(MOTION))
    assert [u[0] for u in feed(decoder, classic(MOTION, motion(50)))] == [SPEED, GEAR, TEMPERATURE]


def test_wrong_checksum_makes_the_frames_signals_invalid_until_a_good_one_comes(guarded):
    good = [CRC.seal(motion(50, 3, 20, count)) for count in range(3)]
    feed(guarded, classic(MOTION, good[0]))
    bad = classic(MOTION, good[1][:7] + bytes((good[1][7] ^ 1,)))
    assert {(u[0], u[1], u[2]) for u in feed(guarded, bad)} == {
        (SPEED, 50.0, INVALID), (GEAR, 127, INVALID), (TEMPERATURE, 20.0, INVALID),
    }  # fmt: skip
    assert {u[2] for u in feed(guarded, classic(MOTION, good[2]))} == {VALID}
    assert guarded.tally.checksum_errors == 1


def test_frozen_counter_is_no_sign_of_life(guarded):
    frame = classic(MOTION, CRC.seal(motion(50, count=4)))
    feed(guarded, frame, now=10)
    assert feed(guarded, frame, now=20) == []
    assert guarded.last_seen_ns[guarded.ids.index(MOTION)] == 10
    assert guarded.tally.counter_errors == 1


def test_counter_may_wrap_but_not_jump(guarded):
    for count in (14, 15, 0, 1):
        feed(guarded, classic(MOTION, CRC.seal(motion(50, count=count))))
    assert guarded.tally.counter_errors == 0
    assert feed(guarded, classic(MOTION, CRC.seal(motion(51, count=5)))) == [(SPEED, 51.0, VALID, 1000)]
    assert guarded.tally.counter_errors == 1


MS = 1_000_000


def test_interval_holds_a_change_back_and_never_loses_the_newest(backend, tmp_path):
    decoder = timed(backend, tmp_path, "on_change: true, interval_ms: 100")
    assert feed(decoder, classic(MOTION, motion(50)), now=1000 * MS)[0][1] == 50
    assert feed(decoder, classic(MOTION, motion(51)), now=1020 * MS) == []
    assert feed(decoder, classic(MOTION, motion(51)), now=1099 * MS) == []
    assert feed(decoder, classic(MOTION, motion(51)), now=1100 * MS)[0][1] == 51


def test_held_back_value_comes_out_without_another_frame(backend, tmp_path):
    decoder = timed(backend, tmp_path, "on_change: true, interval_ms: 100")
    feed(decoder, classic(MOTION, motion(50)), now=1000 * MS)
    feed(decoder, classic(MOTION, motion(51)), now=1020 * MS)
    assert decoder.flush(1090 * MS) == []
    assert decoder.flush(1100 * MS) == [(0, 51.0, VALID, 1000)]
    assert decoder.flush(1300 * MS) == []


def test_a_lone_change_after_a_pause_leaves_at_once(backend, tmp_path):
    decoder = timed(backend, tmp_path, "on_change: true, interval_ms: 100")
    for now in range(0, 500, 50):
        feed(decoder, classic(MOTION, motion(50)), now=now * MS)
    assert feed(decoder, classic(MOTION, motion(51)), now=510 * MS)[0][1] == 51


def test_quality_is_never_held_back(backend, tmp_path):
    decoder = timed(backend, tmp_path, "on_change: true, interval_ms: 100")
    feed(decoder, classic(MOTION, motion(50)), now=1000 * MS)
    assert feed(decoder, classic(MOTION, motion(400)), now=1010 * MS)[0][2] == INVALID
    assert feed(decoder, classic(MOTION, motion(50)), now=1020 * MS)[0][2] == VALID


def test_without_on_change_the_same_value_is_given_again_each_interval(backend, tmp_path):
    decoder = timed(backend, tmp_path, "interval_ms: 100")
    given = [now for now in range(1000, 1500, 20) if feed(decoder, classic(MOTION, motion(5)), now=now * MS)]
    assert given == [1000, 1100, 1200, 1300, 1400]


records = st.lists(
    st.tuples(
        st.sampled_from([MOTION, TYRES, 0x1FFF_FFFF, 0x2000_0100]) | st.integers(0, 2**32 - 1),
        st.binary(max_size=80) | st.binary(min_size=12, max_size=12) | st.binary(min_size=68, max_size=68),
    ),
    max_size=20,
)


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> list[VehicleTable]:
    folder = tmp_path_factory.mktemp("fuzz")
    return [
        compiled(write_folder(folder / "plain")), compiled(write_folder(folder / "guarded", toml=GUARDED)),
        compiled(write_folder(folder / "formula", signals=SIGNALS.replace(
            "signal: Speed, on_change: true", "signal: Speed, transform: {math: 'sqrt(x-9)/(x-50)'}"))),
    ]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(records=records)
def test_no_bytes_make_feed_raise(tables, records):
    for make in BACKENDS:
        for table in tables:
            decoder = make(table, 0)
            for now in (1, 2):
                for index, value, quality, _ in decoder.feed(Batch(records), now * 10**9):
                    spec = table.signals[index]
                    assert quality in (INVALID, VALID)
                    assert spec.datatype.is_number == (type(value) in (int, float))
            assert decoder.tally.frames == 2 * len(records)


def test_demo_car_decodes_what_cantools_encodes(backend):
    import cantools

    table = compiled(DEMO)
    decoder = backend(table, 1)
    body = cantools.database.load_file(DEMO / "body.dbc")
    message = body.get_message_by_name("LampStatus")
    payload = message.encode(
        dict.fromkeys((s.name for s in message.signals), 0) | {"HighBeam": "ON", "BrakeLamp": 2}
    )
    updates = {
        table.signals[u[0]].path: u[1:3] for u in decoder.feed(Batch([fd(message.frame_id, payload)]), 1)
    }
    assert updates["Vehicle.Body.Lights.Beam.High.IsOn"] == (True, VALID)
    assert updates["Vehicle.Body.Lights.Beam.Low.IsOn"] == (False, VALID)
    assert updates["Vehicle.Body.Lights.Brake.IsActive"] == ("ADAPTIVE", VALID)
