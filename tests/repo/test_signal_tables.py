# SPDX-License-Identifier: Apache-2.0
"""The tables of signals that daemons own are what the catalogue generates, and no signal has two owners."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from smartcockpit.core.errors import ConfigError
from smartcockpit.vehicle.vspec import read_catalogue
from smartcockpit_bench.signal_tables import VSS, owned, owners, tables


def test_committed_tables_are_generated() -> None:
    for path, text in tables().items():
        assert path.read_text() == text, f"{path.name} of {path.parent.name}: run make generate"


def test_no_signal_has_two_owners() -> None:
    catalogue = read_catalogue(VSS)
    paths = [spec.path for d, names in owners().items() for spec in owned(catalogue, names, d)]
    assert [path for path, same in itertools.groupby(sorted(paths)) if len(list(same)) > 1] == []


def test_a_name_that_is_not_in_the_catalogue_is_named_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"CurrentLocation\.Latitud.*not in the VSS catalogue"):
        owned(read_catalogue(VSS), ["Vehicle.CurrentLocation.Latitud"], "owners.toml")


def test_a_broken_owner_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "owners.toml").write_text('[gnss]\nsignal = ["Vehicle.CurrentLocation"]\n')
    with pytest.raises(ConfigError, match=r"owners\.toml.*signals"):
        owners(tmp_path)
