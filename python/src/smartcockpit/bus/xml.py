# SPDX-License-Identifier: Apache-2.0
"""Introspection XML from the declared interfaces (D-Bus specification, "Introspection Data Format").

Documentation stands in annotations `org.gtk.GDBus.DocString`, the form that gdbus-codegen(1) documents and
reads; the specification itself names none. Run as a program it writes the files that are installed in
/usr/share/dbus-1/interfaces:

    python3 -m smartcockpit.bus.xml systemd/dbus-1/interfaces
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from smartcockpit.bus.declare import Arg, Emits, InterfaceSpec, spec_of

_DOCTYPE = (
    '<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"\n'
    ' "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">\n'
)
_DOC = "org.gtk.GDBus.DocString"
_EMITS = "org.freedesktop.DBus.Property.EmitsChangedSignal"
_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;"}


def _quote(text: str) -> str:
    return '"' + "".join(_ESCAPES.get(c, c) for c in text) + '"'


def _element(indent: int, tag: str, attributes: dict[str, str], children: Sequence[str] = ()) -> str:
    pad = "  " * indent
    start = pad + "<" + tag + "".join(f" {k}={_quote(v)}" for k, v in attributes.items())
    if not children:
        return start + "/>\n"
    return f"{start}>\n{''.join(children)}{pad}</{tag}>\n"


def _annotation(indent: int, name: str, value: str) -> list[str]:
    return [_element(indent, "annotation", {"name": name, "value": value})] if value else []


def _arguments(args: Iterable[Arg], direction: str = "") -> list[str]:
    extra = {"direction": direction} if direction else {}
    return [_element(3, "arg", {"name": a.name, "type": a.signature, **extra}) for a in args]


def interface_element(spec: InterfaceSpec) -> str:
    """Return the <interface> element, indented for a place in a <node>."""
    children = _annotation(2, _DOC, spec.doc)
    for method in spec.methods.values():
        inner = _annotation(3, _DOC, method.doc)
        inner += _arguments(method.inputs, "in") + _arguments(method.outputs, "out")
        children.append(_element(2, "method", {"name": method.name}, inner))
    for event in spec.events.values():
        inner = _annotation(3, _DOC, event.doc) + _arguments(event.args)
        children.append(_element(2, "signal", {"name": event.name}, inner))
    for prop in spec.properties.values():
        inner = _annotation(3, _DOC, prop.doc)
        if prop.emits is not Emits.TRUE:
            inner += _annotation(3, _EMITS, prop.emits)
        attributes = {
            "name": prop.name,
            "type": prop.signature,
            "access": "readwrite" if prop.writable else "read",
        }
        children.append(_element(2, "property", attributes, inner))
    return _element(1, "interface", {"name": spec.name}, children)


def node(specs: Iterable[InterfaceSpec], children: Iterable[str] = ()) -> str:
    """Return what `Introspect` answers: interfaces and the names of child nodes."""
    inner = [interface_element(spec) for spec in specs]
    inner += [_element(1, "node", {"name": name}) for name in children]
    return _DOCTYPE + _element(0, "node", {}, inner)


def own_interfaces() -> list[InterfaceSpec]:
    """Return the interfaces that SmartCockpit defines."""
    from smartcockpit.bus.interfaces.audio1 import Audio1
    from smartcockpit.bus.interfaces.canbridge1 import CanBridge1
    from smartcockpit.bus.interfaces.gnss1 import Gnss1
    from smartcockpit.bus.interfaces.ota1 import Ota1
    from smartcockpit.bus.interfaces.power1 import Power1
    from smartcockpit.bus.interfaces.signals1 import Signals1

    return [spec_of(cls) for cls in (Signals1, CanBridge1, Gnss1, Audio1, Power1, Ota1)]


def files() -> dict[str, str]:
    """Return the content of each XML file by file name."""
    head = (
        "<!-- SPDX-License-Identifier: Apache-2.0 -->\n<!-- Generated: python3 -m smartcockpit.bus.xml -->\n"
    )
    return {f"{spec.name}.xml": head + node([spec]) for spec in own_interfaces()}


def main(arguments: list[str]) -> int:
    """Write the files into the folder that is the only argument."""
    from pathlib import Path

    if len(arguments) != 1 or arguments[0].startswith("-"):
        sys.stderr.write("usage: python3 -m smartcockpit.bus.xml FOLDER\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
