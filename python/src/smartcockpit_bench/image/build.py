# SPDX-License-Identifier: Apache-2.0
"""Builds one image: base root (cached), ours on top, disk. Does nothing when nothing has changed."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path

from smartcockpit_bench.image import base, bootscript, disk, foreign, kernel, rootfs, slot
from smartcockpit_bench.image.identity import Identity
from smartcockpit_bench.image.version import build_epoch, version
from smartcockpit_bench.image.workspace import appearing, give_to_caller, only_builder, scratch
from smartcockpit_bench.keys import families
from smartcockpit_bench.places import BUILD, ROOT, image_dir
from smartcockpit_bench.progress import run, step

# Whatever can change the image. tests/ and docs/ cannot.
_INPUTS = (
    "Makefile", "bench", "dbc", "systemd", "docs/man", "docs/completion", "python/install_wheel.py",
    "python/native", "python/pyproject.toml", "python/requirements.lock", "python/src/smartcockpit",
    "python/src/smartcockpit_bench/guest", "python/src/smartcockpit_bench/image",
)  # fmt: skip
_IGNORED = {"__pycache__"}


def build(arch: str, flavour: str, wheel: Path) -> Path:
    """Make sure that the image is there and current; return its folder."""
    target = image_dir(arch, flavour)
    with only_builder():
        keyring = families.keyring(flavour)
        stamp = fingerprint(arch, flavour, keyring)
        if (target / "stamp").is_file() and (target / "stamp").read_text() == stamp:
            return target
        with (
            step(f"image {arch} {flavour}"),
            foreign.runnable(arch),
            scratch() as work,
            appearing(target) as partial,
        ):
            found = base.base_root(arch, flavour, work)
            partial.mkdir()
            identity = Identity(arch, flavour, version(flavour), build_epoch(), keyring)
            _assemble(work, partial, found, identity, wheel)
            (partial / "stamp").write_text(stamp)
        give_to_caller(BUILD)
    return target


def _assemble(work: Path, result: Path, found: Path, identity: Identity, wheel: Path) -> None:
    arch = identity.arch
    with step("unpacking kernel and boot loader"):
        boot = kernel.unpack(found / "debs", work / "boot", arch)
    root = work / "root"
    rootfs.populate(root, found, boot, identity, wheel)
    shutil.copyfile(root / "boot/vmlinuz", result / "vmlinuz")
    shutil.copyfile(root / "boot/initrd.img", result / "initrd.img")
    (result / "firmware.bin").write_bytes(bootscript.without_delay(boot.firmware.read_bytes()))
    with step("file system and disk"):
        root_image = work / "slot.ext4"
        slot.make(root, root_image, disk.partitions()["rootfs-a"].size_mib, identity.epoch)
        disk.assemble(result / "disk.img", root_image, arch, work)
    used = run(["du", "-sm", root], doing="measuring the root").split()[0]
    (result / "size-mib").write_text(f"{used}\n")
    (result / "version").write_text(f"{identity.version}\n")


def fingerprint(arch: str, flavour: str, keyring: bytes) -> str:
    """Hash everything that the image is made from; what only moves its version on is no reason to build."""
    digest = hashlib.sha256(f"{arch} {flavour}".encode() + keyring)
    for path in _files():
        digest.update(f"{path.relative_to(ROOT)} {path.stat().st_mode & 0o111} ".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files() -> Iterable[Path]:
    for name in _INPUTS:
        top = ROOT / name
        candidates = sorted(top.rglob("*")) if top.is_dir() else [top]
        yield from (p for p in candidates if p.is_file() and not _IGNORED & set(p.parts))
