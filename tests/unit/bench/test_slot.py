# SPDX-License-Identifier: Apache-2.0
"""The root file system image: equal folders give equal images, and one can be altered without mounting it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from smartcockpit.core.errors import UsageError
from smartcockpit_bench.image import slot
from smartcockpit_bench.image.identity import Identity, os_release, rauc_conf

EPOCH = 1_700_000_000
IDENTITY = Identity("amd64", "dev", "1.0.0", EPOCH, b"")


def tree(folder: Path, names: list[str]) -> Path:
    folder.mkdir()
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {name}\n" * 3000)
    (folder / "link").symlink_to("a/file")
    IDENTITY.settle(folder)
    return folder


@pytest.fixture
def image(tmp_path: Path) -> Path:
    slot.make(tree(tmp_path / "root", ["a/file", "etc/version", "z"]), tmp_path / "slot.ext4", 64, EPOCH)
    return tmp_path / "slot.ext4"


def test_image_depends_on_content_alone(tmp_path: Path) -> None:
    names = [f"d{n % 7}/file{n}" for n in range(60)]
    for folder, order in (("one", names), ("two", names[::-1])):
        slot.make(tree(tmp_path / folder, order), tmp_path / f"{folder}.ext4", 64, EPOCH)
        os.utime(tmp_path / folder / names[0])
    assert (tmp_path / "one.ext4").read_bytes() == (tmp_path / "two.ext4").read_bytes()


def test_a_root_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a slot has 4"):
        slot.make(tree(tmp_path / "root", ["a/file"]), tmp_path / "slot.ext4", 4, EPOCH)


def test_altered_files_belong_to_root_and_the_file_system_stays_sound(image: Path) -> None:
    slot.alter(image, {"etc/version": "2\n", "z": None, "a/new": "new\n"}, EPOCH)
    assert [slot.read(image, path) for path in ("etc/version", "a/new")] == ["2\n", "new\n"]
    assert "User:     0   Group:     0" in subprocess.run(
        ["debugfs", "-R", "stat /a/new", image], capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    with pytest.raises(UsageError, match="no z"):
        slot.read(image, "z")
    assert slot.modified(image, "a/new") == EPOCH
    subprocess.run(["e2fsck", "-fn", image], check=True, capture_output=True)


def test_a_slot_is_taken_out_of_a_disk_as_it_was_put_in(tmp_path: Path, image: Path) -> None:
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(1 << 20) + image.read_bytes() + b"\xff" * 4096)
    slot.extract(disk, 1 << 20, tmp_path / "again.ext4")
    assert (tmp_path / "again.ext4").read_bytes() == image.read_bytes()


def test_version_is_replaced_and_nothing_else() -> None:
    conf = "[system]\ncompatible=a\nmin-bundle-version=0.0.0\n[keyring]\n"
    assert rauc_conf(conf, "1.2.3", "b") == "[system]\ncompatible=b\nmin-bundle-version=1.2.3\n[keyring]\n"
    assert os_release("ID=debian\nIMAGE_VERSION=1\n", "2") == "ID=debian\nIMAGE_VERSION=2\n"
