# SPDX-License-Identifier: Apache-2.0
"""Who an image is: flavour, version, build time, what it is compatible with, whom it trusts.

Written into three places of the root file system: `os-release`, RAUC's `system.conf` and keyring, and the
clock floor, which systemd takes from the time stamp of `/usr/lib/clock-epoch` (systemd(1)).
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

OS_RELEASE = "usr/lib/os-release"
SYSTEM_CONF = "etc/rauc/system.conf"
KEYRING = "etc/rauc/keyring.pem"
CLOCK_EPOCH = "usr/lib/clock-epoch"


@dataclass(frozen=True, slots=True)
class Identity:
    """One image; `keyring` is PEM, `epoch` the build time in s since 1970."""

    arch: str
    flavour: str
    version: str
    epoch: int
    keyring: bytes

    @property
    def compatible(self) -> str:
        """What RAUC compares: a bundle of another architecture must not be installed."""
        return compatible(self.arch)

    def write(self, root: Path) -> None:
        """Write it into the root file system."""
        release = root / OS_RELEASE
        lines = f"IMAGE_ID={self.compatible}\nIMAGE_VERSION={self.version}\nVARIANT_ID={self.flavour}\n"
        release.write_text(release.read_text() + lines)
        conf = root / SYSTEM_CONF
        conf.write_text(rauc_conf(conf.read_text(), self.version, self.compatible))
        (root / KEYRING).write_bytes(self.keyring)
        (root / CLOCK_EPOCH).touch()

    def settle(self, root: Path) -> None:
        """Give everything that is newer than the build time that very time: equal trees, equal images."""
        floor = root / CLOCK_EPOCH
        for path in (root, *root.rglob("*")):
            if path.lstat().st_mtime > self.epoch or path == floor:
                os.utime(path, (self.epoch, self.epoch), follow_symlinks=False)


def compatible(arch: str) -> str:
    """Return the name of the box's hardware."""
    return "smartcockpit-qemu" if arch == "amd64" else f"smartcockpit-qemu-{arch}"


def rauc_conf(text: str, version: str, compatible: str) -> str:
    """Return RAUC's system.conf with its version floor (no downgrade) and its compatible set."""
    text = re.sub(r"^compatible=.*$", f"compatible={compatible}", text, flags=re.MULTILINE)
    return re.sub(r"^min-bundle-version=.*$", f"min-bundle-version={version}", text, flags=re.MULTILINE)


def os_release(text: str, version: str) -> str:
    """Return os-release with another IMAGE_VERSION."""
    return re.sub(r"^IMAGE_VERSION=.*$", f"IMAGE_VERSION={version}", text, flags=re.MULTILINE)
