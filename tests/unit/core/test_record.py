# SPDX-License-Identifier: Apache-2.0
"""Records behave like frozen dataclasses with keyword arguments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from smartcockpit.core.record import Field, Record, as_dict, fields


def text(about: str, **default: Any) -> Any:
    return Field(about=about, **default)


class Lamp(Record):
    name: str = text("its name")
    lit: bool = text("whether it shines", default=False)
    marks: list[str] = text("notes", factory=list)


class Coloured(Lamp):
    colour: str = text("its colour", default="red")


def test_fields_come_in_order_with_what_is_said_of_them() -> None:
    assert [(name, field.about) for name, field in fields(Coloured).items()] == [
        ("name", "its name"), ("lit", "whether it shines"), ("marks", "notes"), ("colour", "its colour"),
    ]  # fmt: skip
    assert list(fields(Lamp)) == ["name", "lit", "marks"]


def test_values_are_given_or_defaults_made_anew() -> None:
    left, right = Lamp(name="left"), Lamp(name="right", lit=True)
    left.marks.append("x")
    assert as_dict(left) == {"name": "left", "lit": False, "marks": ["x"]}
    assert as_dict(right) == {"name": "right", "lit": True, "marks": []}


@pytest.mark.parametrize(
    ("values", "words"),
    [({}, "Lamp needs a value for name"), ({"name": "", "hue": 1}, "Lamp has no field hue")],
)
def test_what_does_not_fit_is_named(values: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        Lamp(**values)


def test_it_is_frozen_and_compares_by_class_and_value() -> None:
    lamp = Coloured(name="a", marks=())
    with pytest.raises(AttributeError, match="frozen"):
        lamp.name = "b"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del lamp.name
    assert lamp == Coloured(name="a", marks=())
    assert hash(lamp) == hash(Coloured(name="a", marks=()))
    assert lamp != Coloured(name="b", marks=())
    assert lamp != Lamp(name="a", marks=())
    assert repr(lamp) == "Coloured(name='a', lit=False, marks=(), colour='red')"


def test_a_dataclass_does_not_take_a_field_for_a_default() -> None:
    with pytest.raises(ValueError, match="mutable default"):

        @dataclass
        class Wrong:
            name: str = text("its name")
