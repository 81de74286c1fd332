# SPDX-License-Identifier: Apache-2.0
"""Modules that load on first use: for imports on the way of a daemon that most daemons never look into.

`import x` and `x.y` inside a function stay as they are written; the module's own code runs when the first
attribute is read that is not there yet. What such a module holds afterwards is exactly what it would have
held. Who defers what, and why, is the caller's business. For the time before there are threads.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from types import ModuleType


def defer_module(name: str, package: ModuleSpec | None = None, **known: object) -> bool:
    """Make module `name` load on first use; says whether it could be found.

    `known` are names whose values are given at once, because an importer reads them while it loads itself.
    A module that is loaded already stays as it is. Names such as `__file__` do not load it, but
    `__all__` does: the import system and tools ask any module for such names.

    The package of a module is imported first, unless its spec is given as `package`. Then the caller imports
    it, and makes the module its attribute.
    """
    if name in sys.modules:
        return True
    spec = find_spec(name) if package is None else _find_in(package, name)
    if spec is None or spec.loader is None:
        return False
    module, loader = module_from_spec(spec), spec.loader

    def load(attribute: str) -> object:
        if attribute.startswith("__") and attribute != "__all__":
            raise AttributeError(f"module {name!r} has no attribute {attribute!r}", name=attribute)
        del module.__dict__["__getattr__"]
        try:
            loader.exec_module(module)
        except BaseException:
            module.__dict__["__getattr__"] = load  # the next user is told the same
            raise
        return getattr(module, attribute)

    module.__dict__.update(known, __getattr__=load)  # PEP 562
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent and package is None:
        setattr(sys.modules[parent], child, module)
    return True


def _find_in(package: ModuleSpec, name: str) -> ModuleSpec | None:
    places = package.submodule_search_locations
    return next((spec for finder in sys.meta_path if (spec := finder.find_spec(name, places))), None)


def is_waiting(module: ModuleType) -> bool:
    """True while `module` was deferred and nobody has used it."""
    return getattr(module.__dict__.get("__getattr__"), "__module__", "") == __name__
