# SPDX-License-Identifier: Apache-2.0
"""The picture of the live view for the README: `python -m smartcockpit_bench.view.sample`.

Drawn by the view itself from the demo drive's own values; the figures of daemon and buses are examples.
Writes docs/images/live-view.svg.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from smartcockpit_bench.car.source import CarSource
from smartcockpit_bench.car.values import VALUES
from smartcockpit_bench.view.cockpit import Cockpit
from smartcockpit_bench.view.picture import picture
from smartcockpit_bench.view.svg import svg

ROOT = Path(__file__).resolve().parents[4]
SVG = ROOT / "docs" / "images" / "live-view.svg"
MOMENT_S = 131.4
"""On the motorway, in the rain."""
BOX_TIME_S = 1_700_000_000.0
UNITS = {
    "Speed": "km/h", "SpeedSet": "km/h", "Temperature": "Celsius", "AirTemperature": "Celsius",
    "Torque": "Nm", "Power": "kW", "RelativeLevel": "percent", "Level": "percent", "FanSpeed": "percent",
    "PedalPosition": "percent", "CurrentVoltage": "V", "CurrentCurrent": "A", "Longitudinal": "m/s^2",
    "Lateral": "m/s^2", "Yaw": "degrees/s", "Angle": "degrees", "InstantConsumption": "l/100km",
    "AmbientAirTemperature": "Celsius", "Pressure": "kPa",
}  # fmt: skip


def cockpit() -> Cockpit:
    """Return what the view knows at `MOMENT_S` of the demo drive."""
    source = CarSource.of(ROOT / "dbc" / "demo")
    source.car.advance(MOMENT_S)
    made, rows = Cockpit(), []
    for number, (path, value) in enumerate(VALUES.items()):
        unit = "rpm" if path.endswith("CombustionEngine.Speed") else UNITS.get(path.rpartition(".")[2], "")
        age_s = 0.02 + number * 37 % 11 / 40
        rows.append([path, value(source.car.state), unit, "valid", int((BOX_TIME_S - age_s) * 1e6)])
    _say(made, "signals", 0.0, {"full": True, "rows": rows})
    daemon = {"daemon": "canbridge", "state": "active", "bus_name": "org.smartcockpit.CanBridge1"}
    _say(made, "daemons", 0.0, {"slot": "A", "rows": [{**daemon, "memory_bytes": 22 << 20}]})
    for second in (-1.0, 0.0):
        buses = [
            {
                "name": name,
                "state": "error-active",
                "load_percent": load,
                "frames": int(rate * (133 + second)),
                "drops": 0,
            }
            for name, load, rate in (("powertrain", 6.9, 293), ("body", 2.4, 47))
        ]
        _say(made, "buses", second, {"vehicle": "demo", "rows": buses})
    return made


def _say(made: Cockpit, kind: str, second: float, body: dict[str, object]) -> None:
    made.feed(json.dumps({"v": 1, "type": kind, "t": BOX_TIME_S + second, **body}), second)


def drawing(width: int = 100, height: int = 30) -> str:
    """Return the drawing as SVG."""
    return svg(picture(cockpit(), 0.0, width, height), width, height)


def main() -> int:
    """Write the file."""
    SVG.parent.mkdir(parents=True, exist_ok=True)
    SVG.write_text(drawing())
    print(SVG.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
