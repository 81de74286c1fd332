# SPDX-License-Identifier: Apache-2.0
"""The interfaces that every object has (D-Bus specification, "Standard Interfaces"), declared like our
own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from smartcockpit.bus.declare import interface, method, signal
from smartcockpit.bus.names import INTROSPECTABLE, PEER, PROPERTIES

if TYPE_CHECKING:
    from smartcockpit.bus.library import Variant


@interface(PEER, path="/")
class Peer(ABC):
    """Is anybody there?"""

    @method()
    @abstractmethod
    def ping(self) -> None:
        """Do nothing, successfully."""

    @method(out={"machine_uuid": "s"})
    @abstractmethod
    def get_machine_id(self) -> str:
        """Return the content of /etc/machine-id."""


@interface(INTROSPECTABLE, path="/")
class Introspectable(ABC):
    """What an object offers."""

    @method(out={"xml_data": "s"})
    @abstractmethod
    def introspect(self) -> str:
        """Return interfaces and child nodes as XML."""


@interface(PROPERTIES, path="/")
class Properties(ABC):
    """Access to properties, and news of them."""

    @method(in_={"interface_name": "s", "property_name": "s"}, out={"value": "v"})
    @abstractmethod
    def get(self, interface_name: str, property_name: str) -> Variant:
        """Return one property."""

    @method(in_={"interface_name": "s"}, out={"properties": "a{sv}"})
    @abstractmethod
    def get_all(self, interface_name: str) -> dict[str, Variant]:
        """Return all readable properties of an interface ("": of all interfaces)."""

    @method(in_={"interface_name": "s", "property_name": "s", "value": "v"})
    @abstractmethod
    def set(self, interface_name: str, property_name: str, value: Any) -> None:
        """Set one property."""

    @signal(
        {
            "interface_name": "s",
            "changed_properties": "a{sv}",
            "invalidated_properties": "as",
        }
    )
    def properties_changed(
        self, interface_name: str, changed_properties: dict[str, Variant], invalidated_properties: list[str]
    ) -> None:
        """Properties have new values."""
        raise NotImplementedError
