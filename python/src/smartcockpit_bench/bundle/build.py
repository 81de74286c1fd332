# SPDX-License-Identifier: Apache-2.0
"""One bundle: the root file system of an image, a manifest, a signature over both (RAUC's verity format)."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from smartcockpit.core.errors import UsageError

from smartcockpit_bench.bundle.rauc import pkcs11_environment, rauc
from smartcockpit_bench.image import disk, slot
from smartcockpit_bench.image.identity import (
    CLOCK_EPOCH,
    OS_RELEASE,
    SYSTEM_CONF,
    compatible,
    os_release,
    rauc_conf,
)
from smartcockpit_bench.places import image_dir

SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.]+)?")
"""Semantic Versioning 2.0 but for hyphens in the build part: RAUC looks for the last one."""
SQUASHFS = "-comp zstd -Xcompression-level 6 -no-progress"


@dataclass(frozen=True, slots=True)
class Signer:
    """Certificate and key that sign: PEM files or PKCS#11 addresses."""

    certificate: str
    key: str

    @classmethod
    def of_family(cls, folder: Path) -> Signer:
        """Return the signer that `keys.families` made."""
        return cls(str(folder / "signer.pem"), str(folder / "signer.key"))


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted. `version` "" takes the image's own."""

    arch: str
    flavour: str
    signer: Signer
    notes: Mapping[str, str | int]
    version: str = ""
    compatible: str = ""
    """Other hardware than that of the image: for tests."""
    files: Mapping[str, str | None] = field(default_factory=dict)
    """Files of the root that differ, by path; None removes one: for tests and demonstrations."""
    adaptive: bool = True


def build(order: Order, bundle: Path) -> str:
    """Write the bundle and return its version; an older file of that name is replaced.

    Raises `UsageError` for a version that is none, and `StepError` in RAUC's words.
    """
    image = image_dir(order.arch, order.flavour)
    version = order.version or (image / "version").read_text().strip()
    if not SEMVER.fullmatch(version):
        raise UsageError(f"{version!r} is no version", "MAJOR.MINOR.PATCH, such as 1.4.0 or 1.4.0-rc.1")
    bundle.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".bundle-", dir=bundle.parent) as name:
        content = Path(name, "content")
        content.mkdir()
        root = content / "rootfs.img"
        slot.extract(image / "disk.img", disk.partitions()["rootfs-a"].start_mib << 20, root)
        epoch = slot.modified(root, CLOCK_EPOCH)
        restamp(root, version, order, epoch)
        (content / "manifest.raucm").write_text(manifest(version, order, epoch))
        signed = Path(name, "signed.raucb")
        rauc(
            "bundle", f"--cert={order.signer.certificate}", f"--key={order.signer.key}",
            f"--mksquashfs-args={SQUASHFS}", content, signed,
            doing="making the bundle", env=pkcs11_environment(order.signer.key),
        )  # fmt: skip
        signed.replace(bundle)
    return version


def restamp(root: Path, version: str, order: Order, epoch: int) -> None:
    """Make the slot say that it is `version`, and carry the files that the order changes."""
    files = dict(order.files)
    said = slot.read(root, OS_RELEASE)
    if (wanted := os_release(said, version)) != said:
        conf = slot.read(root, SYSTEM_CONF)
        files[OS_RELEASE] = wanted
        files[SYSTEM_CONF] = rauc_conf(conf, version, compatible(order.arch))
    if files:
        slot.alter(root, files, epoch)


def manifest(version: str, order: Order, epoch: int) -> str:
    """Return RAUC's manifest."""
    notes = {key: value for key, value in order.notes.items() if key != "description"}
    # RAUC takes a key without a value for a mistake.
    meta = "\n".join(
        f"{key}={value}" for key, value in {**notes, "build-epoch": epoch}.items() if value != ""
    )
    return (
        f"[update]\ncompatible={order.compatible or compatible(order.arch)}\nversion={version}\n"
        f"description={order.notes['description']}\n\n"
        f"[bundle]\nformat=verity\n\n"
        f"[meta.smartcockpit]\n{meta}\n\n"
        f"[image.rootfs]\nfilename=rootfs.img\n{'adaptive=block-hash-index' if order.adaptive else ''}\n"
    )
