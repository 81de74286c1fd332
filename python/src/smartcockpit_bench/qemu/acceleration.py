# SPDX-License-Identifier: Apache-2.0
"""Decides between KVM and emulation by a trial boot: /dev/kvm may exist and still not run a stock guest.

The verdict is kept in `build/` until the machine is started anew.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

from smartcockpit_bench.places import CACHE
from smartcockpit_bench.qemu.machine import PROGRAMS

TRIAL_S = 8.0
_PROOF = b"smartcockpit: the kernel line has no root"
_HOST = {"x86_64": "amd64", "aarch64": "arm64"}


def accelerator(arch: str, image: Path) -> str:
    """Return "kvm" when a trial boot of `image` under KVM got as far as our initramfs, else "tcg"."""
    if _HOST.get(platform.machine()) != arch or not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    verdict = CACHE / f"accelerator-{arch}-{boot}"
    if not verdict.is_file():
        for old in CACHE.glob(f"accelerator-{arch}-*"):
            old.unlink(missing_ok=True)
        print("  KVM: trial boot …", file=sys.stderr, flush=True)
        works = trial(arch, image)
        print(f"  KVM: {'works' if works else 'does not run the kernel; emulating (TCG)'}", file=sys.stderr)
        CACHE.mkdir(parents=True, exist_ok=True)
        verdict.write_text("kvm" if works else "tcg")
    return verdict.read_text()


def trial(arch: str, image: Path) -> bool:
    """Boot kernel and initramfs under KVM without a disk; true when the initramfs complains about that."""
    console = {"amd64": "ttyS0", "arm64": "ttyAMA0"}[arch]
    command = [
        PROGRAMS[arch],
        *("-machine", {"amd64": "pc", "arm64": "virt"}[arch], "-accel", "kvm", "-cpu", "host", "-m", "512"),
        *("-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio"),
        *("-kernel", str(image / "vmlinuz"), "-initrd", str(image / "initrd.img")),
        *("-append", f"console={console} panic=-1 quiet"),
    ]
    try:
        said = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TRIAL_S, check=False
        ).stdout
    except subprocess.TimeoutExpired as slow:
        said = slow.stdout or b""
    except OSError:
        return False
    return _PROOF in said
