# SPDX-License-Identifier: Apache-2.0
"""The objects that a connection offers, and the interfaces that come with every object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smartcockpit.bus import xml
from smartcockpit.bus.codec import to_variant
from smartcockpit.bus.declare import InterfaceSpec, PropertySpec, spec_of
from smartcockpit.bus.errors import DBusFailure
from smartcockpit.bus.interfaces.standard import Introspectable, Peer, Properties
from smartcockpit.bus.names import ERROR
from smartcockpit.core.nearest import did_you_mean

if TYPE_CHECKING:
    from smartcockpit.bus.library import Variant


class Objects:
    """A tree of object paths, each with implementations by interface name."""

    def __init__(self) -> None:
        self._by_path: dict[str, dict[str, Any]] = {}

    def add(self, path: str, obj: Any) -> None:
        """Offer `obj` at `path`; raises `ValueError` when its interface is offered there already."""
        here = self._by_path.setdefault(path, {})
        name = spec_of(obj).name
        if name in here:
            raise ValueError(f"{name} is already exported at {path}")
        here[name] = obj

    def at(self, path: str) -> dict[str, Any]:
        """Return the implementations at `path` by interface, the standard ones last.

        Raises `DBusFailure` UnknownObject for a path that is neither exported nor above an exported one.
        """
        children = self._children(path)
        if path not in self._by_path and not children:
            raise DBusFailure(ERROR + "UnknownObject", self._no_object(path))
        found = dict(self._by_path.get(path, {}))
        own = [spec_of(obj) for obj in found.values()]
        for standard in (_Properties(found), _Introspectable(own, children), _Peer()):
            found[spec_of(standard).name] = standard
        return found

    def _children(self, path: str) -> list[str]:
        prefix = path.rstrip("/") + "/"
        below = (p.removeprefix(prefix) for p in self._by_path if p.startswith(prefix))
        return sorted({rest.partition("/")[0] for rest in below if rest})

    def _no_object(self, path: str) -> str:
        known = ", ".join(self._by_path)
        return f"no object {path[:256]!r}: {did_you_mean(path, self._by_path, f'there is {known}')}"


class _Peer(Peer):
    def ping(self) -> None:
        pass

    def get_machine_id(self) -> str:
        from pathlib import Path

        try:
            return Path("/etc/machine-id").read_text("ascii").strip()
        except OSError as error:
            raise DBusFailure(ERROR + "FileNotFound", str(error)) from error


class _Introspectable(Introspectable):
    def __init__(self, own: list[InterfaceSpec], children: list[str]) -> None:
        self._own, self._children = own, children

    def introspect(self) -> str:
        standard = [spec_of(Properties), spec_of(Introspectable), spec_of(Peer)]
        return xml.node([*self._own, *standard], self._children)


class _Properties(Properties):
    def __init__(self, objects: dict[str, Any]) -> None:
        self._objects = dict(objects)

    def get(self, interface_name: str, property_name: str) -> Variant:
        obj, spec = self._find(interface_name, property_name)
        return read_property(obj, spec)

    def get_all(self, interface_name: str) -> dict[str, Variant]:
        objects = [self._object(interface_name)] if interface_name else list(self._objects.values())
        return {
            name: read_property(obj, spec)
            for obj in objects
            if obj is not None
            for name, spec in spec_of(obj).properties.items()
        }

    def set(self, interface_name: str, property_name: str, value: Any) -> None:
        obj, spec = self._find(interface_name, property_name)
        if not spec.writable:
            raise DBusFailure(ERROR + "PropertyReadOnly", f"property {spec.name} is read-only")
        if not fits(spec.signature, value):
            raise DBusFailure(ERROR + "InvalidArgs", f"property {spec.name} is of type {spec.signature!r}")
        setattr(obj, spec.python_name, value)

    def _object(self, name: str) -> Any:
        if name in self._objects:
            return self._objects[name]
        if name in {spec_of(cls).name for cls in (Properties, Introspectable, Peer)}:
            return None
        hint = did_you_mean(name, self._objects, f"there is {', '.join(self._objects)}")
        raise DBusFailure(ERROR + "UnknownInterface", f"no interface {name[:256]!r} here: {hint}")

    def _find(self, interface: str, name: str) -> tuple[Any, PropertySpec]:
        obj = self._object(interface) if interface else None
        candidates = [obj] if obj is not None else [] if interface else list(self._objects.values())
        known: list[str] = []
        for candidate in candidates:
            properties = spec_of(candidate).properties
            if name in properties:
                return candidate, properties[name]
            known += properties
        hint = did_you_mean(name, known, f"there is {', '.join(known) or 'none'}")
        raise DBusFailure(ERROR + "UnknownProperty", f"no property {name[:256]!r}: {hint}")


def read_property(obj: Any, spec: PropertySpec) -> Variant:
    """Return the present value of a property of `obj`."""
    return to_variant(spec.signature, getattr(obj, spec.python_name))


def fits(signature: str, value: Any) -> bool:
    """Tell whether a received plain value can be one of `signature`; numbers are told from truth values."""
    if isinstance(value, bool) is not (signature == "b"):
        return False
    try:
        to_variant(signature, value)
    except (ValueError, TypeError, AttributeError):
        return False
    return True
