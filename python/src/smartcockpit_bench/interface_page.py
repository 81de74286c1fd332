# SPDX-License-Identifier: Apache-2.0
"""Prints the reference page of our D-Bus interfaces, from the interface classes.

    python -m smartcockpit_bench.interface_page > docs/reference/dbus.md

The classes in `smartcockpit.bus.interfaces` are the one truth; a test compares the committed page with this.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from smartcockpit.bus.declare import Arg, InterfaceSpec, spec_of
from smartcockpit.bus.interfaces.canbridge1 import CanBridge1
from smartcockpit.bus.interfaces.ota1 import Ota1
from smartcockpit.bus.interfaces.signals1 import Signals1

INTERFACES = (Signals1, CanBridge1, Ota1)

_HEAD = """# D-Bus interfaces

Generated from the interface classes by `make generate`; the image installs the same text as XML in
`/usr/share/dbus-1/interfaces`. Errors of ours are named `org.smartcockpit.Error.*` and end with a hint."""


def page() -> Iterator[str]:
    """Yield the lines of the page."""
    yield from _HEAD.splitlines()
    for cls in INTERFACES:
        yield from _interface(spec_of(cls))


def _interface(spec: InterfaceSpec) -> Iterator[str]:
    yield from ("", f"## {spec.name}", "", f"Object `{spec.path}`.", "", inspect.cleandoc(spec.doc))
    for method in spec.methods.values():
        yield from ("", f"### {method.name}({_args(method.inputs)}) → ({_args(method.outputs)})", "")
        yield inspect.cleandoc(method.doc)
    for event in spec.events.values():
        yield from ("", f"### signal {event.name}({_args(event.args)})", "", inspect.cleandoc(event.doc))
    for prop in spec.properties.values():
        yield from ("", f"### property {prop.name} `{prop.signature}`", "", inspect.cleandoc(prop.doc))
        yield from ("", f"EmitsChangedSignal: {prop.emits}.")


def _args(args: tuple[Arg, ...]) -> str:
    return ", ".join(f"`{arg.signature}` {arg.name}" for arg in args)


if __name__ == "__main__":
    print("\n".join(page()))
