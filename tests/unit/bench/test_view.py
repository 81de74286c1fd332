# SPDX-License-Identifier: Apache-2.0
"""The live view at every size, with every state, and with whatever comes over the port."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from smartcockpit_bench.car.model import Car
from smartcockpit_bench.car.values import VALUES
from smartcockpit_bench.view import groups, words
from smartcockpit_bench.view.cockpit import Cockpit
from smartcockpit_bench.view.picture import picture
from smartcockpit_bench.view.show import Style, choose, plain_line, show

T = 1_700_000_000.0
DAEMON = {
    "daemon": "canbridge",
    "state": "active",
    "bus_name": "org.smartcockpit.CanBridge1",
    "memory_bytes": 23 << 20,
}


def signals_line(rows: list[list[Any]], t: float = T) -> str:
    return json.dumps({"v": 1, "type": "signals", "t": t, "full": True, "rows": rows})


def demo(at_s: float = 70.0) -> Cockpit:
    """Return a view of the demo car at a moment of its drive."""
    car, cockpit = Car().advance(at_s), Cockpit()
    rows = [[path, value(car), "", "valid", int((T - 0.12) * 1e6)] for path, value in VALUES.items()]
    cockpit.feed(signals_line(rows), 0.0)
    cockpit.feed(json.dumps({"v": 1, "type": "daemons", "t": T, "slot": "A", "rows": [DAEMON]}), 0.0)
    for second in (0, 1):
        bus = {
            "name": "powertrain",
            "state": "error-active",
            "load_percent": 31.0,
            "frames": 280 * second,
            "drops": 0,
        }
        cockpit.feed(
            json.dumps({"v": 1, "type": "buses", "t": T + second, "vehicle": "demo", "rows": [bus]}), second
        )
    return cockpit


def drawn(cockpit: Cockpit, width: int, height: int, now_s: float = 1.0) -> list[str]:
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=False)
    console.print(picture(cockpit, now_s, width, height, "344 frames/s"))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.mark.parametrize(
    ("width", "height"), [(80, 24), (100, 30), (132, 43), (60, 20), (40, 12), (200, 60), (20, 8)]
)
def test_picture_fits_the_terminal(width: int, height: int) -> None:
    lines = drawn(demo(), width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


def test_80_by_24_shows_what_the_issue_asks_for() -> None:
    text = "\n".join(drawn(demo(), 80, 24))
    for word in (
        "Drive",
        "Engine",
        "Coolant",
        "Car",
        "low",
        "handbrake",
        "canbridge",
        "active",
        "powertrain",
        "280 frames/s",
    ):
        assert word in text
    assert "…" not in text.split("╯")[0].replace("0.1s … ", "").replace("1.1s … ", "")


def test_quality_and_age_stand_beside_each_value() -> None:
    cockpit = demo()
    cockpit.feed(signals_line([[groups.RPM.path, 2400.0, "rpm", "stale", int((T - 7) * 1e6)]]), 0.0)
    line = next(line for line in drawn(cockpit, 80, 24) if "2400" in line)
    assert "◐" in line
    assert line.split("◐")[1].startswith(" 8.0s")


def test_power_and_the_time_that_is_left_stand_beside_its_daemon() -> None:
    cockpit = demo()
    rows = [DAEMON, {"daemon": "power", "state": "active", "bus_name": "org.smartcockpit.Power1"}]
    cockpit.feed(json.dumps({"v": 1, "type": "daemons", "t": T, "slot": "A", "rows": rows}), 1.0)
    for left_s, expected in ((None, "running"), (54, "accessory, off in 54 s")):
        line = {
            "v": 1,
            "type": "power",
            "t": T,
            "state": expected.split(",")[0],
            "time_to_shutdown_s": left_s,
        }
        cockpit.feed(json.dumps(line), 1.0)
        (shown,) = [row for row in drawn(cockpit, 100, 30) if "Power1" in row]
        assert shown.rstrip().endswith(f"org.smartcockpit.Power1  {expected}")
    assert not cockpit.feed(
        json.dumps({"v": 1, "type": "power", "t": T, "state": "x", "time_to_shutdown_s": []}), 1.0
    )


def test_unknown_vehicle_gets_a_table_of_its_signals() -> None:
    cockpit = Cockpit()
    rows = [[f"Vehicle.Private.Thing{n}", n * 1.5, "V", "valid", int(T * 1e6)] for n in range(100)]
    cockpit.feed(signals_line(rows), 0.0)
    lines = drawn(cockpit, 80, 24)
    assert "Private.Thing0" in "".join(lines)
    assert "more: cockpitctl signals list" in "".join(lines)
    assert len(lines) <= 24


def test_before_the_first_line_the_view_waits_and_says_why() -> None:
    cockpit = Cockpit()
    assert "waiting" in "".join(drawn(cockpit, 80, 24))
    cockpit.feed(json.dumps({"v": 1, "type": "trouble", "t": T, "text": "no bus"}), 0.0)
    assert "no bus" in "".join(drawn(cockpit, 80, 24))


def test_silent_box_is_called_silent() -> None:
    assert "silent for 9 s" in "".join(drawn(demo(), 80, 24, now_s=10.0))


@pytest.mark.parametrize(
    "line",
    [
        "", "{}", "[]", "null", "\x00\xff", '{"v":2,"type":"signals","t":1,"rows":[]}',
        '{"v":1,"type":"signals","t":1}',
        '{"v":1,"type":"signals","t":"x","rows":[]}', '{"v":1,"type":"signals","t":1,"rows":[[1]]}',
        '{"v":1,"type":"signals","t":1,"rows":[["a",{},"",  "valid",0]]}', "[" * 100_000,
        '{"v":1,"type":"signals","t":1,"rows":[["a",1,"","good",0]]}',
        '{"v":1,"type":"buses","t":1,"rows":[1]}',
        '{"v":1,"type":"daemons","t":1,"rows":["x"]}', '{"v":1,"type":["x"],"t":1}',
        '{"v":1,"type":"buses","t":1,"rows":[{}]}',
    ],
)  # fmt: skip
def test_garbage_is_counted_and_leaves_the_picture_alone(line: str) -> None:
    cockpit = demo()
    before = dict(cockpit.signals)
    assert cockpit.feed(line, 1.0) == ""
    assert cockpit.garbage == 1
    assert cockpit.signals == before
    drawn(cockpit, 80, 24)


def test_unknown_type_is_skipped_but_no_garbage() -> None:
    cockpit = Cockpit()
    assert cockpit.feed('{"v":1,"type":"weather","t":1}', 0.0) == "weather"
    assert cockpit.garbage == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*list(VALUES)[:40], "Vehicle.X", "\x1b[2J", "a" * 300]),
            st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(), st.lists(st.text())),
            st.text(max_size=8), st.sampled_from(["valid", "stale", "invalid", "unavailable"]),
            st.integers(-(2**63), 2**64),
        ),
        max_size=12,
    ),
    st.sampled_from([(80, 24), (40, 10), (140, 40)]),
)  # fmt: skip
def test_whatever_values_come_the_view_can_draw_them(
    rows: list[tuple[Any, ...]], size: tuple[int, int]
) -> None:
    cockpit = Cockpit()
    cockpit.feed(signals_line([list(row) for row in rows]), 0.0)
    lines = drawn(cockpit, *size)
    assert "\x1b" not in "".join(lines)
    assert "\x1b" not in plain_line(cockpit, 1.0)
    assert len(lines) <= size[1]


def test_gear_letters() -> None:
    shown = [
        words.gear(*pair)
        for pair in ((126, 0), (127, 4), (0, 0), (-1, -1), (127, None), (None, 3), (None, None))
    ]
    assert shown == ["P", "D4", "N", "R", "D", "3", "–"]


def test_without_a_terminal_lines_are_plain() -> None:
    assert choose(Style.AUTO, io.StringIO()) is Style.PLAIN
    line = plain_line(demo(), 1.0)
    assert "speed" in line
    assert "(valid, 1.1s)" in line
    assert "canbridge active" in line


@pytest.mark.parametrize("style", [Style.PLAIN, Style.JSON, Style.PICTURE])
async def test_show_follows_a_port_that_closes_and_ends_by_itself(
    tmp_path: Path, style: Style, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smartcockpit_bench.view.show.PLAIN_EVERY_S", 0.02)
    connections = 0

    async def box(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        rest = b'e","half a line\n' if connections > 1 else b""
        writer.write(
            rest + signals_line([["Vehicle.Speed", 10.0 * connections, "km/h", "valid", 1]]).encode() + b"\n"
        )
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_unix_server(box, str(tmp_path / "view"))
    out = io.StringIO()
    cockpit = await asyncio.wait_for(show(tmp_path / "view", style=style, duration_s=0.6, stream=out), 10)
    server.close()
    assert connections >= 2
    assert cockpit.garbage >= 1
    assert cockpit.signals["Vehicle.Speed"].value >= 20.0
    if style is Style.JSON:
        assert all(json.loads(line)["v"] == 1 for line in out.getvalue().splitlines())
    assert "Speed" in out.getvalue() or "speed" in out.getvalue()
