# SPDX-License-Identifier: Apache-2.0
"""Records that travel as string-keyed dictionaries (`a{sv}`, `a{st}`).

A struct cannot grow a member without a new interface; a dictionary can, names its members to whoever looks
with busctl, and a reader skips what it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from smartcockpit.core.named import NamedTuple
from smartcockpit.core.record import MISSING, Field, Record, fields

if TYPE_CHECKING:
    from smartcockpit.bus.library import Variant


class Entry(NamedTuple):
    """What is said of a field: its D-Bus type and its meaning."""

    signature: str
    doc: str


def entry(signature: str, doc: str, default: Any = MISSING) -> Any:
    """Declare a field that is sent with `signature` under its name in camel case."""
    return Field(default, about=Entry(signature, doc))


def _key(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


class VarDict(Record):
    """Base of the records whose fields are made by `entry`."""

    def to_plain(self) -> dict[str, Any]:
        """Return the D-Bus keys with plain values."""
        return {_key(name): value for name, value in vars(self).items()}

    def to_variants(self) -> dict[str, Variant]:
        """Return the D-Bus keys with their values as variants."""
        from smartcockpit.bus.library import Variant

        return {_key(name): Variant(about.signature, getattr(self, name)) for name, about in _entries(self)}

    @classmethod
    def from_plain(cls, entries: Mapping[str, Any]) -> Self:
        """Build from received entries: unknown keys are skipped, missing ones take the field's default."""
        known = {name: _key(name) for name in fields(cls)}
        return cls(**{name: entries[key] for name, key in known.items() if key in entries})

    @classmethod
    def describe(cls) -> str:
        """Return one line per key: name, signature, meaning; for the documentation of a property."""
        return "\n".join(f"{_key(name)} ({about.signature}): {about.doc}" for name, about in _entries(cls))


def _entries(record: VarDict | type[VarDict]) -> Iterator[tuple[str, Entry]]:
    return ((name, field.about) for name, field in fields(record).items())
