# SPDX-License-Identifier: Apache-2.0
"""How a Python class says what it is on D-Bus.

An interface is an ordinary typed class with docstrings, decorated with `interface`, `method`, `signal` and
`prop`. It is the one truth: dispatch, XML, typed clients and the reference page are derived from what is
collected here. A daemon subclasses it and fills in the methods, without further decorators:

    @interface("org.smartcockpit.Example1", path="/org/smartcockpit/Example1")
    class Example1(ABC):
        @method(in_={"paths": "as"}, out={"count": "u"})
        @abstractmethod
        async def count(self, paths: list[str]) -> int: ...

        @property
        @prop("s", emits=Emits.CONST)
        @abstractmethod
        def version(self) -> str: ...

        @signal({"branch": "s"})
        def changed(self, branch: str) -> None: ...

Calling `obj.changed("x")` emits the signal on every connection that exports `obj`. Signatures as in the D-Bus
specification, "Type system"; a struct is a tuple, a variant a `smartcockpit.bus.library.Variant`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import FunctionType
from typing import Any, Protocol, TypeVar

from smartcockpit.bus.signature import is_one_type
from smartcockpit.core.named import NamedTuple

F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)

_MARK = "__dbus_member__"
_INTERFACE = "__dbus_interface__"
_SINKS = "__dbus_sinks__"


class Emits(StrEnum):
    """Values of the annotation org.freedesktop.DBus.Property.EmitsChangedSignal."""

    TRUE = "true"
    """PropertiesChanged carries the new value."""
    INVALIDATES = "invalidates"
    """PropertiesChanged names the property, the reader asks for the value."""
    CONST = "const"
    """Never changes while the name has the same owner."""
    FALSE = "false"
    """Changes silently: for counters, to be read when needed."""


class Arg(NamedTuple):
    """One argument: its name and complete type."""

    name: str
    signature: str


class MethodSpec(NamedTuple):
    """A method; `python_name` is the attribute that implements it."""

    name: str
    python_name: str
    inputs: tuple[Arg, ...]
    outputs: tuple[Arg, ...]
    doc: str
    interface: str = ""
    wants_sender: bool = False

    @property
    def in_signature(self) -> str:
        """Return the signature of the call's body."""
        return "".join(a.signature for a in self.inputs)

    @property
    def out_signature(self) -> str:
        """Return the signature of the reply's body."""
        return "".join(a.signature for a in self.outputs)


class EventSpec(NamedTuple):
    """A D-Bus signal (called event here: `SignalSpec` is the vehicle's)."""

    name: str
    args: tuple[Arg, ...]
    doc: str
    interface: str = ""

    @property
    def signature(self) -> str:
        """Return the signature of the body."""
        return "".join(a.signature for a in self.args)


class PropertySpec(NamedTuple):
    """A property."""

    name: str
    python_name: str
    signature: str
    emits: Emits
    doc: str
    writable: bool = False
    """The implementing class gives it a setter, which gets a value that fits `signature`."""


class InterfaceSpec(NamedTuple):
    """Everything that D-Bus knows of one interface, members by D-Bus name in order of declaration."""

    name: str
    path: str
    doc: str
    methods: dict[str, MethodSpec]
    events: dict[str, EventSpec]
    properties: dict[str, PropertySpec]


class Sink(Protocol):
    """Where an exported object's signals go; a connection puts one into each object that it exports."""

    def emit(self, spec: EventSpec, args: tuple[Any, ...]) -> None:
        """Send the signal."""

    def properties_changed(self, interface: InterfaceSpec, names: tuple[str, ...]) -> None:
        """Announce that the properties `names` (D-Bus names) have new values."""


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


def _doc(thing: Any) -> str:
    """Return the docstring with each paragraph on one line."""
    paragraphs = (thing.__doc__ or "").strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _args(args: Mapping[str, str] | None) -> tuple[Arg, ...]:
    made = tuple(Arg(name, signature) for name, signature in (args or {}).items())
    for arg in made:
        if not is_one_type(arg.signature):
            raise TypeError(f"argument {arg.name!r}: {arg.signature!r} is not one complete type")
    return made


def _check_parameters(fn: Callable[..., Any], args: tuple[Arg, ...]) -> None:
    assert isinstance(fn, FunctionType)
    have = fn.__code__.co_varnames[1 : fn.__code__.co_argcount]
    want = tuple(a.name for a in args)
    if have != want:
        raise TypeError(f"{fn.__qualname__}: parameters {have} differ from the declared arguments {want}")


def _has_sender(fn: Callable[..., Any]) -> bool:
    code = fn.__code__
    return "sender" in code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]


def method(
    *, in_: Mapping[str, str] | None = None, out: Mapping[str, str] | None = None, name: str = ""
) -> Callable[[F], F]:
    """Make the function (plain or `async`) a D-Bus method, named `name` or by its own name in camel case.

    `in_` and `out` map argument names to signatures; `in_` must repeat the parameters. No `out`: return
    None; one: return the value; several: return a tuple. A descriptor (`h`) that is returned belongs to the
    bus layer, which closes it when it is sent. A keyword-only parameter `sender` gets the caller's unique
    name.
    """

    def mark(fn: F) -> F:
        inputs = _args(in_)
        _check_parameters(fn, inputs)
        spec = MethodSpec(name or _camel(fn.__name__), fn.__name__, inputs, _args(out), _doc(fn))
        spec = spec._replace(wants_sender=_has_sender(fn))
        setattr(fn, _MARK, spec)
        return fn

    return mark


def signal(args: Mapping[str, str] | None = None, *, name: str = "") -> Callable[[F], F]:
    """Make the function a D-Bus signal: calling it emits, its body is never run."""

    def mark(fn: F) -> F:
        inputs = _args(args)
        _check_parameters(fn, inputs)
        spec = EventSpec(name or _camel(fn.__name__), inputs, _doc(fn))

        @functools.wraps(fn)
        def emit(self: Any, *values: Any) -> None:
            qualified = spec_of(self).events[spec.name]
            for sink in sinks_of(self):
                sink.emit(qualified, values)

        setattr(emit, _MARK, spec)
        return emit  # type: ignore[return-value]

    return mark


def prop(
    signature: str, *, emits: Emits = Emits.TRUE, name: str = "", writable: bool = False
) -> Callable[[F], F]:
    """Make the getter below `@property` a D-Bus property, that clients may set when `writable`."""
    _args({"value": signature})

    def mark(fn: F) -> F:
        spec = PropertySpec(name or _camel(fn.__name__), fn.__name__, signature, emits, _doc(fn), writable)
        setattr(fn, _MARK, spec)
        return fn

    return mark


def interface(name: str, *, path: str) -> Callable[[C], C]:
    """Make the class the D-Bus interface `name`, found at object `path` on every daemon that offers it."""

    def collect(cls: C) -> C:
        spec = InterfaceSpec(name, path, _doc(cls), {}, {}, {})
        for member in vars(cls).values():
            getter = member.fget if isinstance(member, property) else member
            match getattr(getter, _MARK, None):
                case MethodSpec() as m:
                    spec.methods[m.name] = m._replace(interface=name)
                case EventSpec() as e:
                    spec.events[e.name] = e._replace(interface=name)
                case PropertySpec() as p:
                    spec.properties[p.name] = p
        setattr(cls, _INTERFACE, spec)
        return cls

    return collect


def spec_of(thing: Any) -> InterfaceSpec:
    """Return the interface of a declared class or of an object of one; raises `TypeError` for anything
    else."""
    spec = getattr(thing, _INTERFACE, None)
    if not isinstance(spec, InterfaceSpec):
        raise TypeError(f"{thing!r} declares no D-Bus interface")
    return spec


def sinks_of(obj: Any) -> list[Sink]:
    """Return the (mutable) list of places that the signals of `obj` go to."""
    sinks: list[Sink] = vars(obj).setdefault(_SINKS, [])
    return sinks


def notify(obj: Any, *python_names: str) -> None:
    """Announce new values of properties of `obj`, by Python name.

    Cheap to call often: announcements are gathered until the loop turns, and while the bus daemon is stalled.
    """
    spec = spec_of(obj)
    by_python_name = {p.python_name: p.name for p in spec.properties.values()}
    names = tuple(by_python_name[n] for n in python_names)
    for sink in sinks_of(obj):
        sink.properties_changed(spec, names)
