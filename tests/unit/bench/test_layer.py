# SPDX-License-Identifier: Apache-2.0
"""Disk layers that are kept, and what killed runs leave behind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from smartcockpit.core.errors import UsageError
from smartcockpit_bench.qemu import layer


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    if shutil.which("qemu-img") is None:
        pytest.skip("qemu-img is missing: apt install qemu-utils")
    made = tmp_path / "disk.img"
    made.write_bytes(bytes(1 << 20))
    return made


def test_a_layer_may_be_used_again(disk: Path) -> None:
    kept = disk.with_name("kept.qcow2")
    layer.make(kept, disk)
    layer.check_kept(kept, disk)


def test_a_layer_over_a_disk_that_was_built_anew_is_refused(disk: Path) -> None:
    kept = disk.with_name("kept.qcow2")
    layer.make(kept, disk)
    later_ns = kept.stat().st_mtime_ns + 1
    os.utime(disk, ns=(later_ns, later_ns))
    with pytest.raises(UsageError, match=r"kept\.qcow2 belongs to an image .*built anew.*new file"):
        layer.check_kept(kept, disk)


@pytest.mark.parametrize("content", [b"", b"my thesis", bytes(4096)])
def test_a_file_that_is_no_disk_is_left_alone_and_named(tmp_path: Path, content: bytes) -> None:
    other = tmp_path / "other.txt"
    other.write_bytes(content)
    with pytest.raises(UsageError, match=r"other\.txt is no qcow2 disk"):
        layer.check_kept(other, tmp_path / "disk.img")
    assert other.read_bytes() == content


def test_a_folder_is_no_disk(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Is a directory"):
        layer.check_kept(tmp_path, tmp_path / "disk.img")


def test_what_a_killed_run_left_behind_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    dead, alive = tmp_path / f"{layer.PREFIX}4194999-x", tmp_path / f"{layer.PREFIX}{os.getpid()}-x"
    others = [tmp_path / f"{layer.PREFIX}mine", tmp_path / "smartcockpit-run-1"]
    for folder in (dead, alive, *others):
        folder.mkdir()
    layer.sweep(tmp_path)
    assert not dead.exists()
    assert all(folder.exists() for folder in (alive, *others))
