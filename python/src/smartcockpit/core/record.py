# SPDX-License-Identifier: Apache-2.0
"""Frozen records whose fields carry a description: what settings and D-Bus dictionaries are made of.

To readers and type checkers they are frozen dataclasses with keyword arguments. A dataclass writes its
methods as text and compiles that at each start, 0.5 ms a class on a daemon's way to ready; a record takes
0.02, because all share the methods below. What a description means is the business of those who declare
fields (`smartcockpit.runtime.schema.setting`, `smartcockpit.bus.vardict.entry`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, dataclass_transform

MISSING: Any = object()
"""The default of a field that has none."""


class Field:
    """One field: its default, or what makes one (neither: a value must be given), and `about`, whatever
    describes it."""

    __slots__ = ("about", "default", "factory")
    __hash__ = None  # type: ignore[assignment]  # so that @dataclass refuses it as a default

    def __init__(
        self, default: Any = MISSING, factory: Callable[[], Any] | None = None, about: Any = None
    ) -> None:
        self.default, self.factory, self.about = default, factory, about

    def fresh(self) -> Any:
        """Return the default, `MISSING` without one."""
        return self.default if self.factory is None else self.factory()


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Record:
    """Base class; class attributes that are a `Field` are the fields, in order, inherited ones first."""

    _fields: ClassVar[Mapping[str, Field]] = {}

    def __init_subclass__(cls) -> None:
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Field)}
        cls._fields = {**cls._fields, **own}

    def __init__(self, **values: Any) -> None:
        state = vars(self)
        for name, field in self._fields.items():
            value = values.pop(name) if name in values else field.fresh()
            if value is MISSING:
                raise TypeError(f"{type(self).__name__} needs a value for {name}")
            state[name] = value
        if values:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(values)}")
        self.__post_init__()

    def __post_init__(self) -> None:
        """Check what the values must have in common; as a dataclass has it. Nothing, unless overridden."""

    def __setattr__(self, name: str, value: object = None) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen, {name} stays", name=name, obj=self)

    def __delattr__(self, name: str) -> None:
        self.__setattr__(name)

    def __eq__(self, other: object) -> bool:
        return vars(self) == vars(other) if type(other) is type(self) else NotImplemented

    def __hash__(self) -> int:
        return hash(tuple(vars(self).values()))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({values})"


def fields(record: Record | type[Record]) -> Mapping[str, Field]:
    """Return the fields of a record or of its class by name, in order."""
    return record._fields


def as_dict(record: Record) -> dict[str, Any]:
    """Return the values by name, in order."""
    return dict(vars(record))
