# SPDX-License-Identifier: Apache-2.0
"""boot.cmd in the real boot loader, through its counter states, without booting a kernel.

A small disk with the real partitions carries fake kernels; the board part of the script starts "a kernel" by
a reset, at which QEMU ends. So each case takes about two seconds.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from smartcockpit_bench.image import bootscript, disk
from smartcockpit_bench.places import BENCH, image_dir

from .conftest import image

pytestmark = pytest.mark.system
LIMIT_S = 30
BOARD = (BENCH / "boot/board-amd64.cmd").read_text() + 'setenv sc_start "echo STARTED; reset"\n'


@pytest.fixture(scope="module")
def slot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root file system with nothing but a kernel and an initrd that are none."""
    image("dev")
    folder = tmp_path_factory.mktemp("slot")
    (folder / "root/boot").mkdir(parents=True)
    for name in ("vmlinuz", "initrd.img"):
        (folder / "root/boot" / name).write_bytes(b"x" * 5000)
    made = folder / "slot.ext4"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", folder / "root", made, "8M"], check=True)
    return made


def boot(
    folder: Path, slots: dict[str, Path], environment: bytes | None, board: str = BOARD
) -> tuple[str, dict[str, str]]:
    """Run the boot loader once; return what it said and the environment that it left."""
    target, layout = folder / "disk.img", disk.partitions()
    with target.open("wb") as file:
        file.truncate(2200 << 20)
    table = (BENCH / "partitions.sfdisk").read_bytes()
    subprocess.run(["sfdisk", "--quiet", target], input=table, check=True, capture_output=True)
    for name, content in slots.items():
        disk.copy_sparse(content, target, layout[name].start_mib << 20)
    fat = folder / "boot.vfat"
    disk.boot_partition(fat, "amd64", 64)
    script = board + (BENCH / "boot/boot.cmd").read_text()
    (folder / "boot.scr").write_bytes(bootscript.script_image(script.encode(), "amd64"))
    (folder / "uboot.env").write_bytes(environment or b"")
    for name in ("boot.scr", "uboot.env"):
        subprocess.run(["mdel", "-i", fat, f"::{name}"], check=True)
        if name == "boot.scr" or environment is not None:
            subprocess.run(["mcopy", "-i", fat, folder / name, f"::{name}"], check=True)
    disk.copy_sparse(fat, target, layout["boot"].start_mib << 20)
    said = subprocess.run(
        ["qemu-system-x86_64", "-M", "pc", "-m", "256", "-nodefaults", "-display", "none", "-no-reboot",
         "-serial", "stdio", "-bios", image_dir("amd64", "dev") / "firmware.bin",
         "-drive", f"file={target},if=none,id=d,format=raw", "-device", "virtio-blk-pci,drive=d"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    ).stdout  # fmt: skip
    subprocess.run(
        ["dd", f"if={target}", f"of={fat}", "bs=1M", "skip=1", "count=64", "status=none"], check=True
    )
    subprocess.run(["mcopy", "-n", "-o", "-i", fat, "::uboot.env", folder / "after"], check=True)
    return said, bootscript.parse_environment((folder / "after").read_bytes())


def env(order: str, a: object, b: object) -> bytes:
    values = {"BOOT_ORDER": order, "BOOT_A_LEFT": str(a), "BOOT_B_LEFT": str(b)}
    return bootscript.environment(values)


A, B, BOTH = ("rootfs-a",), ("rootfs-b",), ("rootfs-a", "rootfs-b")
TRIAL, PROVEN = True, False
CASES = {
    "a proven slot has many attempts": (BOTH, env("A B", "f", 3), "A B", "e", "3", PROVEN),
    "hexadecimal digits count down": (BOTH, env("A B", "a", 3), "A B", "9", "3", PROVEN),
    "the first of three is on trial": (BOTH, env("B A", "f", 3), "B A", "f", "2", TRIAL),
    "its last attempt is used": (BOTH, env("A B", 1, "f"), "A B", "0", "f", TRIAL),
    "given up, the other one is taken and preferred": (BOTH, env("A B", 0, "f"), "B A", "0", "e", PROVEN),
    "the order is kept": (BOTH, env("B A", 3, "f"), "B A", "3", "e", PROVEN),
    "both at zero never stops": (BOTH, env("A B", 0, 0), "A B", "2", "3", TRIAL),
    "both at zero keeps the order": (BOTH, env("B A", 0, 0), "B A", "3", "2", TRIAL),
    "a slot marked bad stays out": (BOTH, env("B", "f", 0), "B", "3", "2", TRIAL),
    "an empty slot is skipped": (A, env("B A", "f", 3), "A B", "e", "3", PROVEN),
    "only the empty slot has attempts": (B, env("A B", 3, 0), "B A", "3", "2", TRIAL),
    "only the empty slot is in the order": (B, env("A", "f", "f"), "B A", "3", "2", TRIAL),
    "an order of nonsense is replaced": (BOTH, env("C D", "f", "f"), "A B", "2", "3", TRIAL),
    "a broken environment counts as new": (BOTH, b"\1" * bootscript.ENV_SIZE, "A B", "2", "3", TRIAL),
    "no environment counts as new": (BOTH, None, "A B", "2", "3", TRIAL),
    "garbage in a counter is no attempt": (BOTH, env("A B", "g", 1), "B A", "g", "0", TRIAL),
    "a number of two digits is no attempt": (BOTH, env("A B", "10", 1), "B A", "10", "0", TRIAL),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_slot_is_chosen_by_attempts_left(
    tmp_path: Path, slot: Path, case: tuple[tuple[str, ...], bytes | None, str, str, str, bool]
) -> None:
    filled, environment, order, left_a, left_b, trial = case
    said, after = boot(tmp_path, dict.fromkeys(filled, slot), environment)
    assert f"smartcockpit: slot {order[0]}," in said, said[-800:]
    assert "STARTED" in said
    assert after == {"BOOT_ORDER": order, "BOOT_A_LEFT": left_a, "BOOT_B_LEFT": left_b}
    assert ("smartcockpit.trial" in said) == trial


def test_without_any_kernel_it_says_so_and_tries_again(tmp_path: Path) -> None:
    said, _ = boot(tmp_path, {}, env("A B", 3, 3))
    assert "neither slot holds a kernel" in said
