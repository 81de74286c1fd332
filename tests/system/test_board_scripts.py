# SPDX-License-Identifier: Apache-2.0
"""The boards' parts of the boot script, in front of boot.cmd, in a real boot loader.

QEMU has none of these boards. Its U-Boot reads the same language: what their firmware would have set is set before,
what is about their memory after, and the commands that would start a kernel are printed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from smartcockpit_bench.places import BENCH

from .test_boot_script import BOTH, boot, env, slot

__all__ = ["slot"]
pytestmark = pytest.mark.system

# board -> what its U-Boot has set by itself (include/configs, rpi.env), and the commands that start slot B.
BOARDS = {
    "raspberrypi": (
        {"devtype": "virtio", "devnum": "0", "fdt_addr": "0x2eff2e00"},
        ["booti 0x2000000 0x6000000:1388 0x2eff2e00"],
    ),
    "imx8mp": (
        {"devtype": "virtio", "devnum": "0"},
        [
            "load virtio 0:3 0x43000000 /boot/imx8mp-evk.dtb",
            "booti 0x2000000 0x6000000:1388 0x43000000",
        ],
    ),
    "imx8mm": (
        {"devtype": "virtio", "devnum": "0"},
        [
            "load virtio 0:3 0x43000000 /boot/imx8mm-evk.dtb",
            "booti 0x2000000 0x6000000:1388 0x43000000",
        ],
    ),
}
OF_THIS_MACHINE = """
setenv sc_env_addr 0x1000000
setenv sc_kernel_addr 0x2000000
setenv sc_initrd_addr 0x6000000
"""


@pytest.mark.parametrize("board", BOARDS)
def test_board_starts_the_slot_that_the_counters_choose(tmp_path: Path, slot: Path, board: str) -> None:
    firmware, started = BOARDS[board]
    said = (BENCH / f"boot/board-{board}.cmd").read_text()
    [start] = re.findall(r"^setenv sc_start '(.*)'$", said, re.MULTILINE)
    printed = "; ".join(f"echo RUN {command.strip()}" for command in start.split(";"))
    before = "".join(f"setenv {name} {value}\n" for name, value in firmware.items())
    after = OF_THIS_MACHINE + f"setenv sc_start 'echo LINE ${{bootargs}}; {printed}; reset'\n"
    output, _ = boot(tmp_path, dict.fromkeys(BOTH, slot), env("B A", 3, 3), before + said + after)
    assert "smartcockpit: slot B," in output, output[-800:]
    assert re.findall(r"^RUN (.*?)\r?$", output, re.MULTILINE) == started
    [line] = re.findall(r"^LINE (.*?)\r?$", output, re.MULTILINE)
    assert line.split()[:4] == ["root=PARTLABEL=rootfs-b", "ro", "rootfstype=ext4", "rauc.slot=B"]
    assert re.search(r"\bconsole=tty\w+,115200\b", line)
