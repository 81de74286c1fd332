# SPDX-License-Identifier: Apache-2.0
"""Writes the table of signals that a daemon owns, `daemons/<name>/signals.py`, from the VSS catalogue.

    python -m smartcockpit_bench.signal_tables

Names, datatypes, units and limits have their home in `dbc/vss/*.vspec`, who owns what in
`dbc/vss/owners.toml`. A test compares the committed tables with this.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

from smartcockpit.core.errors import ConfigError, SmartCockpitError
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.signals import SignalSpec
from smartcockpit.core.vss import Catalogue
from smartcockpit.vehicle.vspec import read_catalogue

from smartcockpit_bench.places import ROOT

VSS = ROOT / "dbc" / "vss"
DAEMONS = ROOT / "python/src/smartcockpit/daemons"

_HEAD = '''# SPDX-License-Identifier: Apache-2.0
"""Signals that smartcockpit-{daemon} publishes. Generated from dbc/vss by `make generate`."""

from __future__ import annotations

from smartcockpit.core.signals import Datatype, SignalKind, SignalSpec

SPECS: tuple[SignalSpec, ...] = ('''


def owners(vss: Path = VSS) -> dict[str, list[str]]:
    """Return the branches and leaves of each daemon, as written."""
    path = vss / "owners.toml"
    try:
        tables = tomllib.loads(path.read_text())
        return {daemon: [str(name) for name in table["signals"]] for daemon, table in tables.items()}
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: {error}", "each table is a daemon and has `signals`, a list") from error


def owned(catalogue: Catalogue, names: Sequence[str], where: str) -> list[SignalSpec]:
    """Return the specs of the leaves at or below `names`; raises `ConfigError` with the nearest name."""
    found: dict[str, SignalSpec] = {}
    for name in names:
        below = {path: spec for path, spec in catalogue.leaves.items() if f"{path}.".startswith(f"{name}.")}
        if not below:
            known = [*catalogue.leaves, *catalogue.branches]
            raise ConfigError(f"{where}: {name!r} is not in the VSS catalogue", did_you_mean(name, known))
        found.update(below)
    return list(found.values())


def source(daemon: str, specs: Sequence[SignalSpec]) -> str:
    """Return the module's text, formatted as the checks want it."""
    lines = [_HEAD.format(daemon=daemon)]
    for s in specs:
        words = [
            repr(s.path), f"Datatype.{s.datatype.name}", repr(s.unit), f"SignalKind.{s.kind.name}",
            repr(s.description), repr(s.minimum), repr(s.maximum), repr(s.allowed),
        ]  # fmt: skip
        lines.append(f"    SignalSpec({', '.join(words)}),")
    config = ["--config", str(ROOT / "python/pyproject.toml"), "--stdin-filename", "signals.py", "-"]
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "format", *config],
        input="\n".join([*lines, ")", ""]), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def tables() -> dict[Path, str]:
    """Return the text of each generated module by its path."""
    catalogue = read_catalogue(VSS)
    return {
        DAEMONS / daemon / "signals.py": source(daemon, owned(catalogue, names, f"owners.toml: [{daemon}]"))
        for daemon, names in owners().items()
    }


def main() -> int:
    """Write them."""
    try:
        for path, text in tables().items():
            path.write_text(text)
    except SmartCockpitError as error:
        print(f"signal_tables: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
