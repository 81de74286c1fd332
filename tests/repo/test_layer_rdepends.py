# SPDX-License-Identifier: Apache-2.0
"""The recipe's RDEPENDS against what our modules import.

Yocto splits the standard library over some sixty packages and derives nothing from pyproject.toml: an import
that no RDEPENDS covers works on every desk and fails on the board. python_split.toml says which package holds
what.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from support.recipe import RECIPE, ROOT, variable

PACKAGE = ROOT / "python/src/smartcockpit"
THIRD_PARTY = {
    "can": "python3-can",
    "cantools": "python3-cantools",
    "dbus_next": "python3-dbus-next",
    "gpiozero": "python3-gpiozero",
    "lgpio": "python3-lgpio",
    "serial": "python3-pyserial",
    "gi": "python3-pygobject",
    "tinytag": "python3-tinytag",
    "yaml": "python3-pyyaml",
}
# Installed only where a board asks for it; the importing module says so in its error.
OPTIONAL = {"python3-can"}
SPLIT = tomllib.loads((Path(__file__).parent / "python_split.toml").read_text())
HOLDER = {module: f"python3-{name}" for name, modules in SPLIT["packages"].items() for module in modules}


def imported(node: ast.AST) -> Iterator[str]:
    """Yield the top-level modules that a tree imports at run time, in functions too."""
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        yield node.module.partition(".")[0]
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
        names = [str(arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant)]
        yield from (name.partition(".")[0] for name in names)
    type_checking = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    for child in node.orelse if isinstance(node, ast.If) and type_checking else ast.iter_child_nodes(node):
        yield from imported(child)


def packages_for(modules: Iterable[str]) -> set[str]:
    """Return the target packages that hold the modules."""
    needed = {"python3-core"}
    for module in set(modules) - {"smartcockpit"} - set(SPLIT["interpreter"]["builtin"]):
        if module in THIRD_PARTY:
            needed.add(THIRD_PARTY[module])
        else:
            assert module in sys.stdlib_module_names, f"{module}: add the recipe's name to THIRD_PARTY"
            needed.add(HOLDER.get(module, "python3-misc"))
    return needed


def imports_of(files: Iterable[Path]) -> set[str]:
    return {module for file in files for module in imported(ast.parse(file.read_text()))}


COMPILER = set((PACKAGE / "vehicle").rglob("*.py"))
PLAYER = set((PACKAGE / "player").rglob("*.py"))


@pytest.mark.parametrize(
    ("package", "files"),
    [
        ("${PN}", set(PACKAGE.rglob("*.py")) - COMPILER - PLAYER),
        ("${PN}-vehicle", COMPILER),
        ("${PN}-player", PLAYER),
    ],
    ids=["daemons", "vehicle compiler", "player"],
)
def test_rdepends_are_exactly_what_the_modules_import(package: str, files: set[Path]) -> None:
    needed = packages_for(imports_of(files)) - OPTIONAL
    rdepends = variable(RECIPE.read_text(), f"RDEPENDS:{package}")
    listed = {word for word in rdepends if word.startswith("python3-")}
    assert needed - listed == set(), "an import that would fail on the board"
    assert listed - needed == set(), "nothing imports these any more"


def test_optional_packages_are_suggested() -> None:
    needed = packages_for(imports_of(PACKAGE.rglob("*.py")))
    assert needed & OPTIONAL <= set(variable(RECIPE.read_text(), "RSUGGESTS:${PN}"))


def test_type_only_imports_do_not_count_and_late_imports_do() -> None:
    tree = ast.parse(
        "if TYPE_CHECKING:\n    import sqlite3\nelse:\n    import json\n"
        "def f():\n    import email.parser\n    importlib.import_module('dbus_next.auth')\n"
    )
    assert set(imported(tree)) == {"json", "email", "dbus_next"}
