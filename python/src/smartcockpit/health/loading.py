# SPDX-License-Identifier: Apache-2.0
"""Finds the checks: ours in `checks/`, a product's in a folder of the read-only image.

A file that does not load is a check that fails: nobody shall believe that it was looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from smartcockpit.health.check import Check, CheckFailedError, Cockpit

OURS = Path(__file__).parent / "checks"


def checks(product: Path) -> list[Check]:
    """Return all checks, ours first, each folder in the order of file names."""
    return [_load(path) for folder in (OURS, product) for path in _files(folder)]


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))


def _load(path: Path) -> Check:
    try:
        module = _execute(path)
        name, look = module.NAME, module.check
        if not isinstance(name, str) or not callable(look):
            raise TypeError("NAME is no text or check no function")
        return Check(name, look, bool(getattr(module, "LAST_WORD", False)))
    except Exception as error:  # a product's file, which may contain anything
        reason = f"{path} does not load: {type(error).__name__}: {error}"

    async def broken(_: Cockpit) -> str:
        raise CheckFailedError(reason, final=True)

    return Check(path.stem, broken)


def _execute(path: Path) -> ModuleType:
    spec = spec_from_file_location(f"smartcockpit_health_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
