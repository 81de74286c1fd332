# SPDX-License-Identifier: Apache-2.0
"""Signals that smartcockpit-power publishes. Generated from dbc/vss by `make generate`."""

from __future__ import annotations

from smartcockpit.core.signals import Datatype, SignalKind, SignalSpec

SPECS: tuple[SignalSpec, ...] = (
    SignalSpec(
        "Vehicle.LowVoltageSystemState",
        Datatype.STRING,
        "",
        SignalKind.SENSOR,
        "Supply state of the control units, which is what people call ignition (no voltage).",
        None,
        None,
        ("UNDEFINED", "LOCK", "OFF", "ACC", "ON", "START"),
    ),
    SignalSpec(
        "Vehicle.SmartCockpit.IsReverseGearEngaged",
        Datatype.BOOLEAN,
        "",
        SignalKind.SENSOR,
        "True while the line of the reversing lamps is live.",
        None,
        None,
        (),
    ),
    SignalSpec(
        "Vehicle.SmartCockpit.PressedKeys",
        Datatype.STRING_ARRAY,
        "",
        SignalKind.SENSOR,
        "Keys (steering wheel, console) that are held down at the moment, by their names in the settings.",
        None,
        None,
        (),
    ),
)
