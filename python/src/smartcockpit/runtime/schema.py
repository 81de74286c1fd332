# SPDX-License-Identifier: Apache-2.0
"""What a table of settings allows: turns TOML values into a settings object or says why it cannot.

Settings are subclasses of `SettingsTable` whose fields are made with `setting()`. A field is a bool, int,
float, str, a tuple of one of these, another `SettingsTable` (a TOML table), or a dict from names to any of
them (a table of tables). Knows nothing of files: the caller adds the place to a `SettingError`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin

from smartcockpit.core.named import NamedTuple
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.record import Field, Record, fields

T = TypeVar("T")
Key = tuple[str, ...]
TYPE_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a string"}


class Doc(NamedTuple):
    """What people read about a setting, and the bounds of its value (inclusive, in the field's own unit)."""

    text: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    example: str = ""


class SettingError(ValueError):
    """A value that does not fit: `key` is its dotted name, `hint` says what would."""

    def __init__(self, key: str, message: str, hint: str = "") -> None:
        super().__init__(f"{key}: {message}")
        self.key = key
        self.message = message
        self.hint = hint


def setting(
    default: Any,
    text: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    example: str = "",
) -> Any:
    """Declare a field.

    default (a callable is a factory), a sentence for people, bounds or choices, an example.
    """
    doc = Doc(text, low, high, choices, example)
    return Field(factory=default, about=doc) if callable(default) else Field(default, about=doc)


class SettingsTable(Record):
    """Base of a daemon's settings and of the tables in them."""


def doc_of(field: Field) -> Doc:
    """Return what was declared for `field`."""
    doc: Doc = field.about
    return doc


def fields_of(settings_type: Any) -> dict[str, tuple[Any, Field]]:
    """Return name → (resolved type, field) of a table, in order."""
    kinds: dict[str, Any] = {}
    for base in (b for b in reversed(settings_type.__mro__) if is_table(b)):
        names = vars(sys.modules[base.__module__])
        for name, kind in base.__annotations__.items():
            # Not typing.get_type_hints: it makes a class of each kind of syntax node first, 1 ms.
            kinds[name] = eval(kind, names) if isinstance(kind, str) else kind  # noqa: S307 - our own text
    return {name: (kinds[name], field) for name, field in fields(settings_type).items()}


def is_table(kind: Any) -> bool:
    """True when `kind` is a class of settings."""
    return isinstance(kind, type) and issubclass(kind, SettingsTable)


def flatten(settings_type: type[Any], table: Mapping[str, object], at: Key = ()) -> dict[Key, object]:
    """Check `table` against `settings_type` and return its leaves by key; raises `SettingError`.

    A table without content leaves one leaf, an empty dict: `[buses.x]` alone creates the entry `x`.
    """
    known = fields_of(settings_type)
    leaves: dict[Key, object] = {}
    for name, value in table.items():
        if name not in known:
            hint = did_you_mean(name, known, "known are: " + ", ".join(known))
            raise SettingError(".".join((*at, name)), "unknown key", hint)
        kind, field = known[name]
        leaves.update(_flatten_value(kind, doc_of(field), value, (*at, name)))
    return leaves or {at: {}}


def _flatten_value(kind: Any, doc: Doc, value: object, key: Key) -> dict[Key, object]:
    if is_table(kind) or get_origin(kind) is dict:
        if not isinstance(value, dict):
            raise SettingError(
                ".".join(key), f"must be a table, is {value!r}", f"write it as [{'.'.join(key)}]"
            )
        if is_table(kind):
            return flatten(kind, value, key)
        entry = get_args(kind)[1]
        leaves: dict[Key, object] = {key: {}}
        for name, item in value.items():
            leaves.update(_flatten_value(entry, Doc(""), item, (*key, name)))
        return leaves
    return {key: _scalar(kind, doc, value, ".".join(key))}


def _scalar(kind: Any, doc: Doc, value: object, key: str) -> object:
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise SettingError(key, f"must be a list, is {value!r}")
        return tuple(_scalar(get_args(kind)[0], doc, item, key) for item in value)
    allowed = get_args(kind) or (kind,)
    if float in allowed and type(value) is int and int not in allowed:
        value = float(value)
    if type(value) not in allowed:
        words = " or ".join(TYPE_WORDS.get(a, str(a)) for a in allowed)
        raise SettingError(key, f"must be {words}, is {value!r}")
    if doc.choices and value not in doc.choices:
        hint = did_you_mean(str(value), doc.choices, "one of: " + ", ".join(doc.choices))
        raise SettingError(key, f"{value!r} is not possible", hint)
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = doc.low, doc.high
        if not ((low is None or value >= low) and (high is None or value <= high)):
            raise SettingError(key, f"{value!r} is out of range", f"from {low} to {high}")
    return value


def build(settings_type: type[T], leaves: Mapping[Key, object]) -> T:
    """Make the settings object from leaves that `flatten` has passed.

    The class' own checks may raise `SettingError`.
    """
    tree: dict[str, Any] = {}
    for key, value in leaves.items():
        at = tree
        for name in key[:-1]:
            at = at.setdefault(name, {})
        if key and not (value == {} and key[-1] in at):
            at[key[-1]] = dict(value) if isinstance(value, dict) else value
    made: T = _build_table(settings_type, tree)
    return made


def _build_table(settings_type: Any, tree: Mapping[str, Any]) -> Any:
    known = fields_of(settings_type) if tree else {}
    return settings_type(**{name: _build_value(known[name][0], value) for name, value in tree.items()})


def _build_value(kind: Any, value: Any) -> Any:
    if is_table(kind):
        return _build_table(kind, value)
    if get_origin(kind) is dict:
        entry = get_args(kind)[1]
        return {name: _build_value(entry, item) for name, item in value.items()}
    return value
