# SPDX-License-Identifier: Apache-2.0
"""What of a vehicle folder travels into the box, and which folders are refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from smartcockpit.core.errors import UsageError
from smartcockpit_bench import benchdisk


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / 'my "car" ü'
    (made / "more").mkdir(parents=True)
    (made / "vehicle.toml").write_text("")
    (made / "more/a.dbc").write_text("")
    return made


def copied(folder: Path, tmp_path: Path) -> list[str]:
    benchdisk.copy(folder, tmp_path / "to")
    return sorted(str(p.relative_to(tmp_path / "to")) for p in (tmp_path / "to").rglob("*") if p.is_file())


def test_vehicle_travels_and_what_is_none_stays_at_home(folder: Path, tmp_path: Path) -> None:
    (folder / "b.dbc").symlink_to("more/a.dbc")
    (folder / "nowhere").symlink_to("/no/such/file")
    (folder / "again").symlink_to(folder)
    os.mkfifo(folder / "pipe.dbc")
    (folder / "drive.blf").write_bytes(bytes(100))
    assert copied(folder, tmp_path) == ["b.dbc", "more/a.dbc", "vehicle.toml"]


def test_disk_grows_with_what_is_on_it(folder: Path, tmp_path: Path) -> None:
    (folder / "big.dbc").write_bytes(os.urandom(benchdisk.SIZE_MIB << 20))
    benchdisk.copy(folder, tmp_path / "tree/to")
    disk = benchdisk.make(tmp_path / "tree", tmp_path / "disk")
    assert disk.stat().st_size > benchdisk.SIZE_MIB << 20


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_unreadable_file_is_one_sentence(folder: Path, tmp_path: Path) -> None:
    (folder / "vehicle.toml").chmod(0)
    with pytest.raises(UsageError, match=r"cannot be copied: .*Permission denied"):
        copied(folder, tmp_path)
