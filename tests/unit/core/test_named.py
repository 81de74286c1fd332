# SPDX-License-Identifier: Apache-2.0
"""Our NamedTuple is typing's, but for annotations that nobody resolves."""

from __future__ import annotations

import copy
import pickle
import typing

import pytest
from smartcockpit.core import named

BODY = '''
class Point(NamedTuple):
    """Where."""
    x: int
    y: "int | None" = None
    label: str = "here"
    def far(self): return self.x > 9
    @property
    def name(self): return self.label.upper()
    @classmethod
    def origin(cls): return cls(0)
    @staticmethod
    def unit(): return "m"
'''


def build(base: object) -> typing.Any:
    namespace: dict[str, object] = {"NamedTuple": base, "__name__": __name__}
    exec(compile(BODY, "<body>", "exec", flags=annotations.compiler_flag, dont_inherit=True), namespace)
    return namespace["Point"]


OURS, THEIRS = build(named.NamedTuple), build(typing.NamedTuple)


def test_the_class_is_the_same() -> None:
    assert OURS.__mro__[1:] == THEIRS.__mro__[1:] == (tuple, object)
    # __orig_bases__ is how typing remembers its own name; resolved types are what we leave out.
    resolved = {
        "__orig_bases__",
        "__annotations__",
        "__annotate_func__",
        "__annotations_cache__",
        "__annotate__",
    }
    assert vars(OURS).keys() - resolved == vars(THEIRS).keys() - resolved
    for name in (
        "_fields",
        "_field_defaults",
        "__doc__",
        "__module__",
        "__qualname__",
        "__match_args__",
        "__slots__",
    ):
        assert getattr(OURS, name) == getattr(THEIRS, name), name
    assert OURS.__annotations__ == {"x": "int", "y": "'int | None'", "label": "str"}


@pytest.mark.parametrize("make", [OURS, THEIRS])
def test_its_objects_are_the_same(make: typing.Any) -> None:
    point = make(3, label="there")
    assert point == (3, None, "there")
    assert repr(point) == "Point(x=3, y=None, label='there')"
    assert (point.far(), point.name, make.origin(), make.unit()) == (False, "THERE", (0, None, "here"), "m")
    assert point._replace(x=10).far()
    match point:
        case make(x, _, label):
            assert (x, label) == (3, "there")
        case _:
            pytest.fail("does not match")
    with pytest.raises(AttributeError):
        point.x = 4
    with pytest.raises(TypeError):
        make()


def test_they_can_be_copied_and_pickled() -> None:
    from smartcockpit.bus.match import MatchRule

    rule = MatchRule(member="Changed")
    assert copy.deepcopy(rule) == pickle.loads(pickle.dumps(rule)) == rule
