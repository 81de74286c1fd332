# SPDX-License-Identifier: Apache-2.0
"""Records that travel as string-keyed dictionaries (`a{sv}`, `a{st}`).

A struct cannot grow a member without a new interface; a dictionary can, names its members to whoever looks
with busctl, and a reader skips what it does not know. In Python it is a frozen dataclass.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from smartcockpit.bus.library import Variant


def entry(signature: str, doc: str, default: Any = dataclasses.MISSING) -> Any:
    """Return a dataclass field that is sent with `signature` under its name in camel case."""
    metadata = {"signature": signature, "doc": doc}
    return dataclasses.field(default=default, metadata=metadata)


def _key(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


class VarDict:
    """Base of the records; subclasses are dataclasses whose fields are made by `entry`."""

    __slots__ = ()

    def to_plain(self) -> dict[str, Any]:
        """Return the D-Bus keys with plain values."""
        return {_key(f.name): getattr(self, f.name) for f in dataclasses.fields(self)}  # type: ignore[arg-type]

    def to_variants(self) -> dict[str, Variant]:
        """Return the D-Bus keys with their values as variants."""
        return {
            _key(f.name): Variant(f.metadata["signature"], getattr(self, f.name))
            for f in dataclasses.fields(self)  # type: ignore[arg-type]
        }

    @classmethod
    def from_plain(cls, entries: Mapping[str, Any]) -> Self:
        """Build from received entries: unknown keys are skipped, missing ones take the field's default."""
        known = {f.name: _key(f.name) for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        return cls(**{name: entries[key] for name, key in known.items() if key in entries})

    @classmethod
    def describe(cls) -> str:
        """Return one line per key: name, signature, meaning; for the documentation of a property."""
        rows = dataclasses.fields(cls)  # type: ignore[arg-type]
        return "\n".join(f"{_key(f.name)} ({f.metadata['signature']}): {f.metadata['doc']}" for f in rows)
