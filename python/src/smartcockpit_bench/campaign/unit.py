# SPDX-License-Identifier: Apache-2.0
"""What must hold of a unit, whatever was done to it; installing by hand."""

from __future__ import annotations

from pathlib import Path

from smartcockpit_bench.campaign.ground import NEW_VERSION, SETTINGS, SETTINGS_TEXT, Ground, digest
from smartcockpit_bench.image import disk, slot
from smartcockpit_bench.progress import run
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.unit import BOOT_S, BUNDLES, BrokenError, judged


def install(box: Box, bundle: str) -> None:
    """Install a bundle to its end."""
    box.agent.run("rauc", "install", f"{BUNDLES}/{bundle}.raucb", timeout_s=BOOT_S)


def check(box: Box, ground: Ground, layer: Path, folder: Path) -> str:
    """Check the invariants on a unit that has come up again, switch it off, return which version runs.

    Raises `BrokenError`.
    """
    verdict = judged(box)
    if verdict["verdict"] != "good":
        raise BrokenError(f"the health gate says {verdict['verdict']}: {verdict['checks']}")
    if box.agent.sh(f"cat {SETTINGS}").strip() != SETTINGS_TEXT:
        raise BrokenError("the settings are not what they were")
    errors = box.agent.sh("dmesg | grep -E 'EXT4-fs.*(error|corrupt)|FAT-fs.*error'").strip()
    if errors:
        raise BrokenError(f"file system errors: {errors}")
    if box.agent.sh("systemctl --failed --no-legend --plain").strip():
        raise BrokenError("units have failed: " + box.agent.sh("systemctl --failed --no-legend --plain"))
    name, version = str(verdict["slot"]), str(verdict["version"])
    install(box, "tiny")  # whatever happened: the next update can be installed
    if not box.power_off(BOOT_S):
        raise BrokenError("the unit does not switch off")
    found = hash_of(layer, f"rootfs-{name.lower()}", folder)
    if found != (ground.new_hash if version == NEW_VERSION else ground.old_hash):
        raise BrokenError(f"slot {name} says it is {version} and holds something else")
    if name == "B" and hash_of(layer, "rootfs-a", folder) == ground.old_hash:
        raise BrokenError("the tiny update was not written into the other slot")
    return version


def hash_of(layer: Path, partition: str, folder: Path) -> str:
    """Return the SHA-256 of the file system in a slot of a unit that is off."""
    copy = folder / "slot.img"
    place = disk.partitions()[partition]
    part = ["bs=1M", f"skip={place.start_mib}", f"count={place.start_mib + 400}"]
    run(
        ["qemu-img", "dd", "-f", "qcow2", "-O", "raw", *part, f"if={layer}", f"of={copy}"],
        doing="reading a slot",
    )
    with copy.open("r+b") as file:
        file.truncate(slot.size(copy))
    try:
        return digest(copy)
    finally:
        copy.unlink()
