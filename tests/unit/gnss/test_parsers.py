# SPDX-License-Identifier: Apache-2.0
"""NMEA and UBX mean to us what they mean to pynmeagps and pyubx2, and nothing that can be sent breaks us."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pynmeagps import NMEAReader
from pyubx2 import UBXMessage, UBXReader
from smartcockpit.core.gnss import nmea, ubx
from smartcockpit.core.gnss.fix import Augmentation, Constellation, Dimension, fix_type
from smartcockpit.core.gnss.framing import Framer, Tally
from smartcockpit.core.gnss.nmea_sky import satellite
from smartcockpit_bench.car.state import CarState
from smartcockpit_bench.gnss.receiver import SimulatedReceiver
from support.nmea import sentence

FLOOR_US = 1_750_000_000_000_000


def body(whole: bytes) -> bytes:
    (found,) = Framer(Tally()).feed(whole, 0)
    return found


def read(text: str) -> Any:
    return nmea.read(text.encode())


@settings(deadline=None)
@given(
    st.floats(-90, 90), st.floats(-180, 180), st.floats(0, 200), st.floats(0, 359.99),
    st.integers(0, 86_399), st.sampled_from(["GP", "GN", "GL", "GA", "GB", "BD", "GQ", "QZ"]),
)  # fmt: skip
def test_rmc_says_what_pynmeagps_reads(
    lat: float, lon: float, knots: float, course: float, second: int, talker: str
) -> None:
    hms = f"{second // 3600:02}{second // 60 % 60:02}{second % 60:02}.25"
    north = f"{int(abs(lat)):02}{abs(lat) % 1 * 59.99:08.5f},{'N' if lat >= 0 else 'S'}"
    east = f"{int(abs(lon)):03}{abs(lon) % 1 * 59.99:08.5f},{'E' if lon >= 0 else 'W'}"
    text = f"{talker}RMC,{hms},A,{north},{east},{knots:.3f},{course:.2f},010326,,,A,V"
    ours, theirs = read(text), NMEAReader.parse(sentence(text), validate=1)
    assert ours.latitude_deg == pytest.approx(theirs.lat, abs=1e-8)
    assert ours.longitude_deg == pytest.approx(theirs.lon, abs=1e-8)
    assert ours.speed_mps == pytest.approx(theirs.spd * 1852 / 3600)
    assert ours.course_deg == theirs.cog
    assert ours.time_ms == second * 1000 + 250
    assert (theirs.time.hour * 60 + theirs.time.minute) * 60 + theirs.time.second == second


@settings(deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=90))
def test_any_fields_are_read_or_refused(text: str) -> None:
    for kind in ("GGA", "RMC", "GSA", "GSV", "VTG", "GLL", "GNS", "ZDA", "GST", "XYZ"):
        for talker in ("GN", "GP"):
            try:
                nmea.read(f"{talker}{kind},{text}".encode())
            except ValueError:
                continue


FIELDS = st.lists(
    st.sampled_from(["", "A", "V", "1", "12", "-5", "4823.904", "00959.5", "N", "E", "120000", "010326", "inf",
                     "nan", "1e9", "9999", "12000000", "M", "99.99", "٣", "0x1F", "1_0"]),
    max_size=22,
)  # fmt: skip


@settings(deadline=None)
@given(st.sampled_from(["GGA", "RMC", "GSA", "GSV", "VTG", "GLL", "GNS", "ZDA", "GST"]), FIELDS)
def test_plausible_looking_fields_in_the_wrong_places_are_read_or_refused(
    kind: str, fields: list[str]
) -> None:
    try:
        record = nmea.read(",".join([f"GN{kind}", *fields]).encode())
    except ValueError:
        return
    numbers = [v for v in record or () if isinstance(v, float)]
    assert all(v == v and abs(v) < 1e12 for v in numbers), record


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GPGGA,120000,4823.904,N,00959.496,E,0,00,99.99,,,,,,", Dimension.NONE),
        ("GPGGA,120000,4823.904,N,00959.496,E,8,10,0.9,478,M,47,M,,", Dimension.NONE),
        ("GPRMC,120000,V,,,,,,,010326,,,N", Dimension.NONE),
        ("GPRMC,120000,A,4823.904,N,00959.496,E,1,2,010326,,", Dimension.TWO_D),
        ("GNGNS,120000,4823.904,N,00959.496,E,NA,10,0.9,478,47,,,V", Dimension.TWO_D),
        ("GPGLL,4823.904,N,00959.496,E,120000,A", Dimension.TWO_D),
        ("GPGLL,4823.904,N,00959.496,E,120000,V,N", Dimension.NONE),
    ],
)  # fmt: skip
def test_whether_there_is_a_fix(text: str, expected: Dimension) -> None:
    assert read(text).dimension is expected


@pytest.mark.parametrize(
    ("quality", "station", "expected"),
    [("1", "", ""), ("2", "", "SATELLITE_BASED_AUGMENTATION"), ("2", "0131", "SATELLITE_BASED_AUGMENTATION"),
     ("2", "0007", "GROUND_BASED_AUGMENTATION"), ("4", "", "GROUND_BASED_AUGMENTATION")],
)  # fmt: skip
def test_corrections_are_told_apart(quality: str, station: str, expected: str) -> None:
    record = read(f"GPGGA,120000,4823.904,N,00959.496,E,{quality},10,0.9,478,M,47,M,,{station}")
    assert record.augmentation == Augmentation(expected)


def test_the_receivers_own_dead_reckoning_is_told() -> None:
    assert read("GPGGA,120000,4823.904,N,00959.496,E,6,00,,478,M,47,M,,").by_motion
    assert read("GPRMC,120000,V,4823.904,N,00959.496,E,1,2,010326,,,E").by_motion


@pytest.mark.parametrize(
    ("system", "number", "expected"),
    [
        (None, 7, (Constellation.GPS, 7)), (None, 40, (Constellation.SBAS, 127)),
        (None, 70, (Constellation.GLONASS, 6)), (Constellation.GLONASS, 70, (Constellation.GLONASS, 6)),
        (Constellation.GLONASS, 6, (Constellation.GLONASS, 6)), (Constellation.GALILEO, 12, (Constellation.GALILEO, 12)),
        (None, 311, (Constellation.GALILEO, 11)), (Constellation.BEIDOU, 214, (Constellation.BEIDOU, 14)),
        (None, 414, (Constellation.BEIDOU, 14)), (None, 194, (Constellation.QZSS, 2)),
        (Constellation.QZSS, 2, (Constellation.QZSS, 2)), (Constellation.GPS, 131, (Constellation.SBAS, 131)),
    ],
)  # fmt: skip
def test_satellites_have_one_name_in_every_numbering(
    system: Constellation | None, number: int, expected: tuple[Constellation, int]
) -> None:
    assert satellite(system, number) == expected


PVT_FIELDS = {
    "year": 2026, "month": 3, "day": 1, "hour": 12, "min": 0, "second": 30, "nano": 250_000_000, "fixType": 3,
    "validDate": 1, "validTime": 1, "fullyResolved": 1, "gnssFixOk": 1, "numSV": 17,
}  # fmt: skip


@settings(deadline=None)
@given(st.floats(-90, 90), st.floats(-180, 180), st.integers(-500_000, 9_000_000), st.integers(1, 60_000),
       st.integers(0, 60_000), st.floats(0, 359.9))  # fmt: skip
def test_nav_pvt_says_what_pyubx2_writes(
    lat: float, lon: float, height: int, accuracy: int, speed: int, course: float
) -> None:
    message = UBXMessage(
        "NAV", "NAV-PVT", 0, **PVT_FIELDS, lat=lat, lon=lon, height=height, hAcc=accuracy, vAcc=accuracy,
        gSpeed=speed, headMot=course,
    )  # fmt: skip
    theirs = UBXReader.parse(message.serialize())
    fix = ubx.nav_pvt(body(message.serialize()), 7, 8, FLOOR_US)
    assert (fix.latitude_deg, fix.longitude_deg) == (
        pytest.approx(theirs.lat, abs=2e-7),
        pytest.approx(theirs.lon, abs=2e-7),
    )
    assert fix.altitude_m == height / 1000
    assert fix.horizontal_error_m == accuracy / 1000
    assert fix.speed_mps == speed / 1000
    assert fix.course_deg == pytest.approx(theirs.headMot)
    assert fix.utc_us == 1_772_366_430_250_000
    assert fix_type(fix) == "THREE_D"
    assert (fix.satellites_used, fix.at_ns, fix.received_us) == (17, 7, 8)


def test_nav_sat_says_what_pyubx2_reads() -> None:
    receiver = SimulatedReceiver(first_fix_s=0)
    receiver.take(ubx.valset({ubx.OUT_SAT["USB"]: 1, ubx.OUT_NMEA["USB"]: 0, ubx.OUT_NMEA["UART1"]: 0}))
    whole = receiver.epoch(CarState(), 1_772_366_430.0)
    theirs = UBXReader.parse(whole)
    found = ubx.nav_sat(body(whole))
    assert len(found) == theirs.numSvs > 10
    for i, ours in enumerate(found, 1):
        row = {name: getattr(theirs, f"{name}_{i:02}") for name in ("svId", "cno", "elev", "azim", "svUsed")}
        assert (ours.number, ours.cn0_dbhz, ours.elevation_deg) == (row["svId"], row["cno"], row["elev"])
        assert (ours.azimuth_deg, ours.used) == (row["azim"], bool(row["svUsed"]))


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_payload_is_read_or_refused(payload: bytes) -> None:
    whole = body(ubx.frame(b"\x01\x07", payload))
    for reader in (ubx.nav_sat, ubx.mon_ver, ubx.values_of, lambda b: ubx.nav_pvt(b, 0, 0, FLOOR_US)):
        try:
            reader(whole)
        except ValueError:
            continue


def test_settings_are_written_as_pyubx2_writes_them() -> None:
    values = {ubx.RATE_MEAS_MS: 200, ubx.OUT_PVT["UART1"]: 1, ubx.OUT_UBX["USB"]: 1}
    theirs = UBXMessage.config_set(
        1, 0, [("CFG_RATE_MEAS", 200), ("CFG_MSGOUT_UBX_NAV_PVT_UART1", 1), ("CFG_USBOUTPROT_UBX", 1)]
    )
    assert ubx.valset(values) == theirs.serialize()
    assert ubx.values_of(body(ubx.valset(values))) == values
    assert ubx.valget(ubx.RATE_MEAS_MS) == UBXMessage.config_poll(0, 0, ["CFG_RATE_MEAS"]).serialize()


def test_version_names_model_and_protocol() -> None:
    version = ubx.mon_ver(body(SimulatedReceiver().take(ubx.frame(ubx.MON_VER))))
    assert (version.model, version.protocol, version.software) == ("NEO-M9N", 32.01, "EXT CORE 4.04 (7f89f7)")


def test_a_version_of_garbage_is_plain_text() -> None:
    version = ubx.mon_ver(b"\x0a\x04\0\0" + b"\x1b[2J\xff" * 12 + b"PROTVER=x".ljust(30, b"\0"))
    assert version.protocol == 0.0
    assert version.software.isprintable()


def test_dates_that_do_not_exist_are_refused() -> None:
    frame = bytearray(UBXMessage("NAV", "NAV-PVT", 0, **PVT_FIELDS | {"month": 13}).serialize()[2:-2])
    with pytest.raises(ValueError, match="2026-13"):
        ubx.nav_pvt(bytes(frame), 0, 0, FLOOR_US)
    with pytest.raises(ValueError, match="310226"):
        read("GPRMC,120000,A,4823.904,N,00959.496,E,1,2,310226,,,A")
