# SPDX-License-Identifier: Apache-2.0
"""Boards and box are one system: boot script, partitions, slots and counters agree wherever they are written down."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.recipe import LAYER, ROOT, recipe_file, variable

BOOT = ROOT / "bench/boot"
BOARDS_INC = (LAYER / "conf/distro/include/smartcockpit-boards.inc").read_text()
BOARDS = sorted(set(re.findall(r'^SMARTCOCKPIT_BOARD:\S+ = "(\S+)"', BOARDS_INC, re.MULTILINE)))
WKS = sorted((LAYER / "files/wic").glob("*.wks.in"))
SIZE = "0x4000"
"""Of uboot.env."""


@pytest.mark.parametrize("board", BOARDS)
def test_board_says_all_that_the_boot_script_leaves_to_it(board: str) -> None:
    logic, said = (BOOT / "boot.cmd").read_text(), (BOOT / f"board-{board}.cmd").read_text()
    set_by_it = set(re.findall(r"\bsetenv (sc_\w+)", said))
    logic = re.sub(r"^#.*", "", logic, flags=re.MULTILINE)
    wanted = set(re.findall(r"\$\{(sc_\w+)\}", logic)) | {"sc_start"}
    own = set(re.findall(r"\bsetenv (sc_\w+)", logic)) | set(re.findall(r"\bfor (sc_\w+) in", logic))
    assert wanted - own - {"sc_bootargs"} <= set_by_it
    assert set_by_it & own == set(), "boot.cmd sets these itself"


def test_there_is_no_board_that_no_machine_uses() -> None:
    assert sorted(path.stem.removeprefix("board-") for path in BOOT.glob("board-*.cmd")) == BOARDS


def partitions(wks: Path) -> dict[str, tuple[int, str]]:
    """Return name -> size in MiB and type of the partitions that are in the table."""
    lines = [
        line for line in wks.read_text().splitlines() if line.startswith("part") and "--no-table" not in line
    ]
    found = {}
    for line in lines:
        option = dict(re.findall(r"--(part-name|part-type|fixed-size)[ =](\S+)", line))
        found[option["part-name"]] = (int(option["fixed-size"].removesuffix("M")), option["part-type"])
    return found


@pytest.mark.parametrize("wks", WKS, ids=lambda path: path.name)
def test_boards_have_the_partitions_of_the_box(wks: Path) -> None:
    table = (ROOT / "bench/partitions.sfdisk").read_text()
    of_the_box = {
        name: (int(size), kind)
        for size, kind, name in re.findall(
            r"^start=.*size=(\d+)MiB, +type=([0-9A-F-]+), name=(\S+)", table, re.MULTILINE
        )
    }
    assert partitions(wks) == of_the_box
    assert list(partitions(wks)) == ["boot", "rootfs-a", "rootfs-b"], "boot.cmd goes by their numbers"
    assert "bootloader --ptable gpt" in wks.read_text()


def test_every_disk_layout_is_used_and_exists() -> None:
    used = {
        *variable(BOARDS_INC, "SMARTCOCKPIT_WKS"),
        *variable(BOARDS_INC, "SMARTCOCKPIT_WKS:mx8m-generic-bsp"),
    }
    assert used == {path.name for path in WKS}


def test_a_root_is_as_large_as_its_partition() -> None:
    image = (LAYER / "recipes-core/images/smartcockpit-image.inc").read_text()
    mib, _ = partitions(WKS[0])["rootfs-a"]
    for name in ("IMAGE_ROOTFS_SIZE", "IMAGE_ROOTFS_MAXSIZE"):
        assert variable(image, name) == [str(mib * 1024)]


def test_counters_have_one_size_wherever_they_are_read_and_written() -> None:
    script = recipe_file("smartcockpit-boot-script").read_text()
    assert f"mkenvimage -s {SIZE} -p 0x00" in script
    fw_env = (ROOT / "bench/rootfs/common/etc/fw_env.config").read_text()
    assert fw_env.split()[-1] == SIZE
    assert len(re.findall(rf"\b{SIZE}\b", (BOOT / "boot.cmd").read_text())) == 3


def test_slots_take_files_of_the_box_that_exist() -> None:
    named = variable(recipe_file("smartcockpit-slots").read_text(), "SLOT_FILES")
    assert named
    assert [path for path in named if not (ROOT / "bench/rootfs/common" / path).exists()] == []


# What of the box's root file system is about QEMU, Debian or the workbench, and has no place on a board.
BOX_ALONE = (
    "etc/chrony", "etc/default/locale", "etc/fstab", "etc/systemd/network", "etc/systemd/system-preset",
    "usr/lib/systemd/system/chrony.service.d", "usr/lib/systemd/system/smartcockpit-player.service.d",
    "usr/lib/systemd/system/smartcockpit-power.service.d", "usr/lib/systemd/system/systemd-logind.service.d",
    "usr/lib/systemd/system/systemd-networkd.service.d", "usr/lib/systemd/system/systemd-udev-trigger.service.d", "usr/lib/tmpfiles.d", "usr/lib/udev/rules.d",
    "usr/share/smartcockpit/power.d",
)  # fmt: skip


def test_nothing_of_the_boxs_root_is_left_out_by_oversight() -> None:
    """Emergency's restart was: a board without it waits for a key for ever instead of falling back."""
    common = ROOT / "bench/rootfs/common"
    known = (*variable(recipe_file("smartcockpit-slots").read_text(), "SLOT_FILES"), *BOX_ALONE)
    files = [path.relative_to(common) for path in common.rglob("*") if path.is_file()]
    assert [path for path in files if not any(path.is_relative_to(each) for each in known)] == []


def test_rauc_and_the_partition_table_call_the_slots_the_same() -> None:
    conf = (ROOT / "bench/rootfs/common/etc/rauc/system.conf").read_text()
    devices = re.findall(r"^device=/dev/disk/by-partlabel/(\S+)$", conf, re.MULTILINE)
    assert devices == [name for name in partitions(WKS[0]) if name.startswith("rootfs-")]
    slots = recipe_file("smartcockpit-slots").read_text()
    for key in re.findall(r"s/\^([\w-]+)=", slots):
        assert re.search(rf"^{key}=", conf, re.MULTILINE) or key == "min-bundle-version", key


def test_image_slots_and_bundle_name_the_same_hardware() -> None:
    name = "smartcockpit-${MACHINE}"
    assert variable(recipe_file("smartcockpit-bundle").read_text(), "RAUC_BUNDLE_COMPATIBLE") == [name]
    assert variable(recipe_file("smartcockpit-slots").read_text(), "SMARTCOCKPIT_COMPATIBLE") == [name]
    assert f"IMAGE_ID={name}" in (LAYER / "recipes-core/images/smartcockpit-image.inc").read_text()


def test_lines_for_config_txt_are_no_longer_than_the_firmware_reads() -> None:
    hats = re.findall(r'^CAN_HATS\[(\S+)\] = "(.*)"$', BOARDS_INC, re.MULTILINE)
    assert len(hats) > 5
    assert [name for name, lines in hats if any(len(line) > 80 for line in lines.split("\\n"))] == []
    page = (ROOT / "docs/how-to/can-hat.md").read_text()
    assert [name for name, _ in hats if name != "none" and f"`{name}`" not in page] == []


def test_appends_for_boards_name_files_that_exist() -> None:
    for append in (LAYER / "dynamic-layers").rglob("*.bbappend"):
        text = append.read_text()
        [found] = re.findall(r'FILESEXTRAPATHS:prepend:smartcockpit-distro := "\$\{THISDIR\}/(.*):"', text)
        folder = (append.parent / found).resolve()
        for name in re.findall(r"file://(\S+?)[\" ]", text):
            assert (folder / name).is_file(), f"{append.name}: {name}"
