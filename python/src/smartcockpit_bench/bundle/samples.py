# SPDX-License-Identifier: Apache-2.0
"""Bundles for tests and campaigns: whole systems, good and broken ones, and tiny ones of a megabyte.

A tiny bundle holds no system, only noise: what RAUC does with it before and while it writes a slot is the
same, in a second instead of fifteen.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from smartcockpit_bench.bundle.build import Order, Signer, build
from smartcockpit_bench.bundle.notes import read_notes
from smartcockpit_bench.bundle.rauc import pkcs11_environment, rauc
from smartcockpit_bench.image import slot
from smartcockpit_bench.keys import families
from smartcockpit_bench.places import image_dir
from smartcockpit_bench.progress import run

COMPATIBLE = "smartcockpit-qemu"
TINY_BYTES = 1 << 20
CRASHES: Mapping[str, str | None] = {"usr/bin/smartcockpit-canbridge": "#!/bin/sh\nexit 1\n"}
"""The CAN bridge ends at once, again and again."""


def development() -> Signer:
    """Return who signs what a development unit takes."""
    return Signer.of_family(families.family("development"))


def whole(bundle: Path, version: str, files: Mapping[str, str | None] | None = None) -> Path:
    """Build a bundle of the current dev image, with some files changed.

    Not adaptive: under emulation hashing the slots costs a minute.
    """
    build(
        Order("amd64", "dev", development(), read_notes(None), version, files=files or {}, adaptive=False),
        bundle,
    )
    return bundle


def stump(bundle: Path, version: str) -> Path:
    """Build a bundle with a kernel and nothing that it could start: it panics at each attempt."""
    content, root = bundle.with_suffix(".content"), bundle.with_suffix(".root")
    content.mkdir()
    (root / "boot").mkdir(parents=True)
    for name in ("vmlinuz", "initrd.img"):
        shutil.copyfile(image_dir("amd64", "dev") / name, root / "boot" / name)
    slot.make(root, content / "rootfs.img", 256, int(time.time()))
    shutil.rmtree(root)
    return _sign(content, bundle, development(), _manifest(COMPATIBLE, version, "verity"))


def tiny(
    bundle: Path,
    *,
    signer: Signer | None = None,
    compatible: str = COMPATIBLE,
    version: str = "9.0.0",
    form: str = "verity",
) -> Path:
    """Build a bundle of noise; `form` is RAUC's bundle format."""
    signer = signer or development()
    content = bundle.with_suffix(".content")
    content.mkdir()
    (content / "rootfs.img").write_bytes(random.Random(7).randbytes(TINY_BYTES))  # noqa: S311 - noise
    return _sign(content, bundle, signer, _manifest(compatible, version, form))


def _manifest(compatible: str, version: str, form: str) -> str:
    return (
        f"[update]\ncompatible={compatible}\nversion={version}\n\n[bundle]\nformat={form}\n\n"
        "[image.rootfs]\nfilename=rootfs.img\n"
    )


def _sign(content: Path, bundle: Path, signer: Signer, manifest: str) -> Path:
    """Make the bundle of a folder with a root file system, and remove the folder."""
    (content / "manifest.raucm").write_text(manifest)
    rauc(
        "bundle",
        f"--cert={signer.certificate}",
        f"--key={signer.key}",
        content,
        bundle,
        doing="making the bundle",
        env=pkcs11_environment(signer.key),
    )
    shutil.rmtree(content)
    return bundle


def disk_of(folder: Path, disk: Path) -> Path:
    """Return an ext4 disk with the files of a folder."""
    size_mib = sum(path.stat().st_size for path in folder.iterdir()) // (1 << 20) + 16
    options = ["-O", "^has_journal", "-m", "0", "-N", "64"]
    command = ["mke2fs", "-q", "-t", "ext4", *options, "-d", folder, disk, f"{size_mib}M"]
    run(command, doing="making the disk with the bundles")
    return disk
