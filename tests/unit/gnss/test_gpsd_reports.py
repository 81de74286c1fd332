# SPDX-License-Identifier: Apache-2.0
"""gpsd's reports say what we know in its words, and nothing that we do not know."""

from __future__ import annotations

from smartcockpit.core.gnss import gpsd
from smartcockpit.core.gnss.fix import Augmentation, Constellation, Dimension, Fix, Satellite
from smartcockpit.core.gnss.navigator import Place, Source

FIX = Fix(
    0, 0, Dimension.THREE_D, Augmentation.SATELLITE, 1_772_366_400_250_000, latitude_deg=48.4, longitude_deg=10.0,
    altitude_m=525.0, sea_level_m=478.0, horizontal_error_m=2.0, vertical_error_m=3.0, speed_mps=10.0,
)  # fmt: skip
PLACE = Place(Source.SATELLITES, 48.4, 10.0, 2.0, 90.0, True)


def test_a_position_with_heights_and_errors_at_95_percent() -> None:
    report = gpsd.tpv("/dev/gnss0", FIX, PLACE, FIX.utc_us)
    assert report["time"] == "2026-03-01T12:00:00.250Z"
    assert (report["mode"], report["status"], report["lat"], report["lon"]) == (3, 2, 48.4, 10.0)
    assert (report["altHAE"], report["altMSL"], report["eph"], report["epv"]) == (525.0, 478.0, 4.0, 6.0)
    assert (report["track"], report["speed"]) == (90.0, 10.0)
    assert "climb" not in report


def test_an_estimate_is_two_dimensional_with_dead_reckonings_status() -> None:
    place = PLACE._replace(source=Source.ESTIMATED, error_m=30.0)
    report = gpsd.tpv("/dev/gnss0", FIX, place, 0)
    assert (report["mode"], report["status"], report["eph"]) == (2, 6, 30.0)
    assert "alt" not in report
    assert "time" not in report


def test_a_stale_position_is_none() -> None:
    report = gpsd.tpv("/dev/gnss0", FIX, PLACE._replace(source=Source.STALE), 0)
    assert report == {"class": "TPV", "device": "/dev/gnss0", "mode": 1}


def test_satellites_bear_gpsds_numbers() -> None:
    seen = (
        Satellite(Constellation.GPS, 7, 40.0, 90.0, 44.0, True),
        Satellite(Constellation.GLONASS, 6),
        Satellite(Constellation.BEIDOU, 14, used=True),
        Satellite(Constellation.UNKNOWN, 250),
    )
    report = gpsd.sky("/dev/gnss0", FIX, seen)
    assert [(row["PRN"], row["gnssid"], row["used"]) for row in report["satellites"]] == [
        (7, 0, True), (70, 6, False), (414, 3, True),
    ]  # fmt: skip
    assert (report["nSat"], report["uSat"]) == (3, 2)
    assert report["satellites"][0] | {} == {
        "PRN": 7,
        "gnssid": 0,
        "svid": 7,
        "el": 40.0,
        "az": 90.0,
        "ss": 44.0,
        "used": True,
    }


def test_a_receiver_without_a_line_has_a_path_alone() -> None:
    assert gpsd.device("/dev/gnss0", "", 0, 0.0, 0) == {"class": "DEVICE", "path": "/dev/gnss0"}
    open_one = gpsd.device("/dev/gnss0", "UBX", 38400, 5.0, 1_772_366_400_000_000)
    assert (open_one["driver"], open_one["bps"], open_one["cycle"]) == ("u-blox", 38400, 0.2)
