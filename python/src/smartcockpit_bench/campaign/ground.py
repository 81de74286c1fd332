# SPDX-License-Identifier: Apache-2.0
"""What the cases of a campaign start from: a unit that has been in use, and the updates that it is offered.

Made once per image. A case writes to a layer of its own over the unit's disk: cases do not know each other.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from smartcockpit.core.errors import SmartCockpitError

from smartcockpit_bench.bundle.build import Order, restamp
from smartcockpit_bench.bundle.samples import development, disk_of, tiny, whole
from smartcockpit_bench.image import disk, slot
from smartcockpit_bench.image.identity import CLOCK_EPOCH
from smartcockpit_bench.image.workspace import appearing
from smartcockpit_bench.places import BUILD, image_dir
from smartcockpit_bench.progress import run, step
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.unit import BOOT_S, is_up, judged

FOLDER = BUILD / "campaign"
NEW_VERSION = "8.0.0"
SETTINGS = "/etc/smartcockpit/canbridge.d/50-mine.toml"
SETTINGS_TEXT = "gather_ms = 4.0"


@dataclass(frozen=True, slots=True)
class Ground:
    """The unit's disk, the disk with the bundles, and the hashes of the systems that may ever run."""

    unit: Path
    bundles: Path
    old_hash: str
    new_hash: str

    def box(self, layer: Path) -> Box:
        """Return the unit on a layer of its own, made if it is not there; what it flushed survives a cut."""
        if not layer.exists():
            backing = ["-b", self.unit, "-F", "qcow2"]
            run(["qemu-img", "create", "-q", "-f", "qcow2", *backing, layer], doing="making the disk layer")
        return Box(keep=layer, disks=(self.bundles,), cache="writeback")


def prepare() -> Ground:
    """Return the ground for the dev image as it is now."""
    image = image_dir("amd64", "dev")
    folder = FOLDER / (image / "stamp").read_text()[:12]
    if not folder.is_dir():
        with step("preparing the unit and its updates"), appearing(folder) as partial:
            partial.mkdir(parents=True)
            _bundles(partial)
            _unit(partial / "unit.qcow2")
    old, new = (folder / "hashes").read_text().split()
    return Ground(folder / "unit.qcow2", folder / "bundles.ext4", old, new)


def _bundles(folder: Path) -> None:
    with_bundles = folder / "bundles"
    with_bundles.mkdir()
    whole(with_bundles / "new.raucb", NEW_VERSION)
    tiny(with_bundles / "tiny.raucb")
    disk_of(with_bundles, folder / "bundles.ext4")
    shutil.rmtree(with_bundles)
    old = folder / "old.ext4"
    slot.extract(image_dir("amd64", "dev") / "disk.img", disk.partitions()["rootfs-a"].start_mib << 20, old)
    hashes = [digest(old)]
    slot_of_new(old)
    hashes.append(digest(old))
    old.unlink()
    (folder / "hashes").write_text(" ".join(hashes))


def slot_of_new(root: Path) -> None:
    """Turn the image's slot into that of the new version, as the bundle has it."""
    restamp(root, NEW_VERSION, Order("amd64", "dev", development(), {}), slot.modified(root, CLOCK_EPOCH))


def _unit(layer: Path) -> None:
    """Use a new unit once: its data partition is made, its owner changes a setting, it is switched off."""
    with Box(keep=layer) as box:
        is_up(box)
        judged(box)  # an update is measured by what worked before it
        box.agent.run(
            "/bin/sh", "-c", f"mkdir -p $(dirname {SETTINGS}); cat > {SETTINGS}", stdin=SETTINGS_TEXT
        )
        if not box.power_off(BOOT_S):
            raise SmartCockpitError("the unit did not switch off")


def digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
