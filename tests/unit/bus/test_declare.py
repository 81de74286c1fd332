# SPDX-License-Identifier: Apache-2.0
"""Declaring interfaces, errors and match rules; what importing the bus layer costs."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.bus.declare import interface, method, signal, sinks_of, spec_of
from smartcockpit.bus.errors import AccessDeniedError, RemoteError, from_dbus, to_dbus
from smartcockpit.bus.match import MatchRule
from smartcockpit.core.errors import (
    ConfigError,
    LimitError,
    SmartCockpitError,
    UnavailableError,
    UnknownSignalError,
)


@interface("org.smartcockpit.Test1", path="/org/smartcockpit/Test1")
class Sample:
    """A sample."""

    @method(in_={"first_word": "s"}, out={"length": "u"})
    def measure_word(self, first_word: str) -> int:
        """Measure."""
        return len(first_word)

    @signal({"word": "s"})
    def spoken(self, word: str) -> None:
        """Somebody spoke."""


def test_names_and_signatures_come_from_the_class() -> None:
    spec = spec_of(Sample()).methods["MeasureWord"]
    assert (spec.in_signature, spec.out_signature, spec.inputs[0].name) == ("s", "u", "first_word")
    assert (spec.interface, spec.doc) == ("org.smartcockpit.Test1", "Measure.")
    assert Sample().measure_word("abc") == 3


def test_a_signal_goes_to_every_sink() -> None:
    heard: list[tuple[str, tuple[Any, ...]]] = []

    class Sink:
        def emit(self, spec: Any, args: tuple[Any, ...]) -> None:
            heard.append((f"{spec.interface}.{spec.name}", args))

        def properties_changed(self, interface: Any, names: tuple[str, ...]) -> None: ...

    sample = Sample()
    sinks_of(sample).append(Sink())
    sample.spoken("hello")
    assert heard == [("org.smartcockpit.Test1.Spoken", ("hello",))]


def test_arguments_that_differ_from_the_parameters_are_refused() -> None:
    with pytest.raises(TypeError, match="differ from the declared arguments"):

        @method(in_={"other": "s"})
        def speak(self: object, word: str) -> None: ...


@pytest.mark.parametrize("signature", ["ss", "", "z", "a", "(s"])
def test_a_signature_that_is_none_is_refused(signature: str) -> None:
    with pytest.raises((TypeError, ValueError)):
        method(out={"x": signature})(lambda self: None)


@pytest.mark.parametrize(
    "error",
    [
        UnknownSignalError("unknown signal 'X'", "did you mean 'Y'?"),
        LimitError("too much"),
        ConfigError("bad. Really: bad", "see x.toml. It is long"),
        UnavailableError("", "only a hint"),
        SmartCockpitError("root"),
    ],
)
def test_errors_survive_the_bus_with_kind_message_and_hint(error: SmartCockpitError) -> None:
    name, text = to_dbus(error)
    back = from_dbus(name, [text])
    assert (type(back), back.message, back.hint) == (type(error), error.message, error.hint)


def test_a_kind_without_a_name_of_its_own_travels_as_its_parent() -> None:
    class SpecialError(UnknownSignalError):
        pass

    assert to_dbus(SpecialError("x"))[0] == "org.smartcockpit.Error.UnknownSignal"


def test_a_bug_tells_the_caller_nothing_of_our_inside() -> None:
    name, text = to_dbus(KeyError("/secret/path"))
    assert name == "org.smartcockpit.Error.Internal"
    assert "secret" not in text


def test_foreign_errors_get_our_kinds_and_a_hint() -> None:
    denied = from_dbus("org.freedesktop.DBus.Error.AccessDenied", ["no"])
    assert isinstance(denied, AccessDeniedError)
    assert denied.hint
    other = from_dbus("org.example.Error.Odd", [])
    assert isinstance(other, RemoteError)
    assert other.name == "org.example.Error.Odd"


@given(st.text())
def test_error_text_always_fits_a_dbus_string(text: str) -> None:
    sent = to_dbus(SmartCockpitError(text, text))[1]
    assert "\0" not in sent
    sent.encode()


def test_match_rules_quote_and_match() -> None:
    rule = MatchRule("a.B", "M", arg0namespace="Vehicle.Cabin")
    assert str(rule) == "type='signal',interface='a.B',member='M',arg0namespace='Vehicle.Cabin'"
    assert rule.matches("a.B", "M", "/x", ":1.1", "Vehicle.Cabin.Door")
    assert not rule.matches("a.B", "M", "/x", ":1.1", "Vehicle.Cabinet")
    assert not rule.matches("a.B", "M", "/x", ":1.1", None)
    assert str(MatchRule(arg0="it's")) == "type='signal',arg0='it'\\''s'"


LEAN = """
import sys
sys.modules["ssl"] = None
import smartcockpit.bus.connection, smartcockpit.bus.publisher, smartcockpit.bus.signal_service
import smartcockpit.bus.client, smartcockpit.bus.watch, smartcockpit.bus.systemd1
heavy = {"dbus_next", "xml", "xml.etree.ElementTree", "urllib.parse", "dbus_next.aio", "dbus_next.glib",
    "dbus_next.service", "dbus_next.introspection", "http", "email", "cantools", "can"}
print(sorted(heavy & set(sys.modules)))
"""


def test_importing_the_bus_layer_pulls_in_nothing_heavy_and_needs_no_ssl() -> None:
    found = subprocess.run([sys.executable, "-c", LEAN], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_whole_library_can_still_be_used_in_the_same_process() -> None:
    code = "import smartcockpit.bus.library, dbus_next; print(dbus_next.BusType, dbus_next.aio.MessageBus)"
    subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
