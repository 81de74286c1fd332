# SPDX-License-Identifier: Apache-2.0
"""`NamedTuple` as in `typing`, at half the price.

`typing.NamedTuple` parses and compiles every annotation that is text, as `from __future__ import annotations`
makes them: 0.12 ms a class with Python 3.11, 0.21 with 3.13, and a daemon has some thirty on its way to
ready. Nobody asks our tuples for resolved types at run time, so here the annotations stay as they are
written (and must be text). For the type checker, and in everything else, the classes are the same.
"""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING

__all__ = ["NamedTuple"]

if TYPE_CHECKING:
    from typing import NamedTuple
else:
    _MADE_ELSEWHERE = frozenset({"__annotations__", "__module__", "__qualname__"})

    class _Maker(type):
        def __new__(cls, name, bases, namespace):
            if not bases:
                return super().__new__(cls, name, bases, namespace)
            annotations = namespace["__annotations__"]
            defaults = [namespace.pop(field) for field in annotations if field in namespace]
            made = namedtuple(name, annotations, defaults=defaults, module=namespace["__module__"])
            made.__annotations__, made.__qualname__ = annotations, namespace["__qualname__"]
            for key, value in namespace.items():
                if key not in _MADE_ELSEWHERE:
                    setattr(made, key, value)
            return made

    class NamedTuple(metaclass=_Maker):
        """Base of a class whose annotated names are the fields of a tuple."""
