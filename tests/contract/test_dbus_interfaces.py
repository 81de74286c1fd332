# SPDX-License-Identifier: Apache-2.0
"""The committed XML, the declared classes and what a running service says of itself are one."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from smartcockpit.bus import xml
from smartcockpit.bus.declare import Emits, spec_of
from smartcockpit.bus.interfaces.canbridge1 import BusStatus, CanBridge1
from smartcockpit.bus.interfaces.signals1 import DESCRIPTION, Description, Signals1

FOLDER = Path(__file__).parents[2] / "systemd/dbus-1/interfaces"
REGENERATE = "run: python3 -m smartcockpit.bus.xml systemd/dbus-1/interfaces"


def test_committed_xml_is_what_the_classes_say() -> None:
    committed = {path.name: path.read_text("utf-8") for path in FOLDER.glob("org.smartcockpit.*.xml")}
    assert committed == xml.files(), REGENERATE


@pytest.mark.parametrize("spec", xml.own_interfaces(), ids=lambda spec: spec.name)
def test_everything_is_documented_and_every_argument_named(spec: object) -> None:
    root = ET.fromstring(xml.node([spec]))  # type: ignore[list-item]
    for element in root.iter():
        if element.tag in ("interface", "method", "signal", "property"):
            annotations = [e.get("name") for e in element.findall("annotation")]
            assert "org.gtk.GDBus.DocString" in annotations, element.get("name")
        if element.tag == "arg":
            assert element.get("name")


def test_emits_changed_signal_is_annotated_where_it_is_not_the_default() -> None:
    root = ET.fromstring(xml.node([spec_of(CanBridge1)]))
    emits = {
        p.get("name"): a.get("value")
        for p in root.iter("property")
        for a in p.findall("annotation")
        if a.get("name", "").endswith("EmitsChangedSignal")
    }
    assert emits == {
        "Version": Emits.CONST,
        "Vehicle": Emits.CONST,
        "Decoder": Emits.CONST,
        "Counters": Emits.FALSE,
        "Load": Emits.FALSE,
    }


def test_the_interface_is_the_one_that_the_architecture_names() -> None:
    spec = spec_of(Signals1)
    assert (spec.methods["Get"].in_signature, spec.methods["Get"].out_signature) == ("as", "a(svyt)")
    assert (spec.methods["Set"].in_signature, spec.methods["Set"].out_signature) == ("a{sv}", "a{ss}")
    assert spec.methods["List"].in_signature == "s"
    assert spec.events["Changed"].signature == "sa(svyt)"
    assert len(Description._fields) == len(DESCRIPTION.replace("as", "a")) - 2


def test_documented_keys_of_buses_are_those_of_the_record() -> None:
    doc = spec_of(CanBridge1).properties["Buses"].doc
    keys = BusStatus(interface="", state="").to_plain()
    assert ", ".join(keys) in doc


def test_documentation_with_signs_of_markup_is_escaped() -> None:
    spec = spec_of(Signals1)
    text = xml.node([spec])
    assert ET.fromstring(text).find("./interface/method/annotation").get("value") == spec.methods["Get"].doc  # type: ignore[union-attr]
