# SPDX-License-Identifier: Apache-2.0
"""Takes kernel, modules, boot loader and busybox out of their Debian packages.

Modules are reduced to the lists in `bench/` with what they depend on, and stored uncompressed: under
emulation the guest's xz costs more than the disk space.
"""

from __future__ import annotations

import lzma
import re
from dataclasses import dataclass
from pathlib import Path

from smartcockpit.core.errors import ConfigError

from smartcockpit_bench.places import BENCH, read_list
from smartcockpit_bench.progress import run

FIRMWARE = {
    "amd64": "usr/lib/u-boot/qemu-x86/u-boot.rom",
    "arm64": "usr/lib/u-boot/qemu_arm64/u-boot.bin",
}


@dataclass(frozen=True, slots=True)
class Kernel:
    """One unpacked set of boot packages. `modules` maps a module's name to its (unpacked) file."""

    tree: Path
    release: str
    image: Path
    firmware: Path
    busybox: Path
    modules: dict[str, Path]
    needs: dict[str, list[str]]

    def closure(self, names: list[str]) -> list[str]:
        """Return `names` and all they depend on, each after what it needs."""
        ordered: list[str] = []

        def visit(name: str) -> None:
            if name not in ordered:
                for needed in self.needs[name]:
                    visit(needed)
                ordered.append(name)

        for name in names:
            plain = canonical(name)
            if plain in self.modules:
                visit(plain)
            elif not self._built_in(plain):
                raise ConfigError(f"kernel {self.release} has no module {name}", "see bench/*/modules.list")
        return ordered

    def _built_in(self, name: str) -> bool:
        listing = _module_dir(self.tree) / "modules.builtin"
        return any(canonical(Path(line).stem) == name for line in listing.read_text().splitlines())


def canonical(name: str) -> str:
    """The kernel's own spelling: `can-raw` is `can_raw`."""
    return name.replace("-", "_")


def _module_dir(tree: Path) -> Path:
    return next(path for path in tree.glob("usr/lib/modules/*") if path.is_dir())


def unpack(debs: Path, tree: Path, arch: str) -> Kernel:
    """Unpack the boot packages into `tree` and index them."""
    tree.mkdir(parents=True)
    for deb in sorted(debs.glob("*.deb")):
        run(["dpkg-deb", "-x", deb, tree], doing=f"unpacking {deb.name}")
    image = next(iter(tree.glob("boot/vmlinuz-*")))
    folder = _module_dir(tree)
    files = {canonical(path.name.partition(".ko")[0]): path for path in folder.rglob("*.ko*")}
    # modules.dep is only made at installation; the modules carry the same in their `depends=` field.
    return Kernel(
        tree=tree,
        release=folder.name,
        image=image,
        firmware=tree / FIRMWARE[arch],
        busybox=next(path for path in (tree / "usr/bin/busybox", tree / "bin/busybox") if path.exists()),
        modules=files,
        needs=_Needs(files),
    )


class _Needs(dict[str, list[str]]):
    """Reads what a module depends on when it is asked for: unpacking all 4,000 would take a minute."""

    def __init__(self, files: dict[str, Path]) -> None:
        self._files = files

    def __missing__(self, name: str) -> list[str]:
        info = content(self._files[name])
        found = re.search(rb"\0depends=([^\0]*)\0", info)
        softly = re.findall(rb"\0softdep=pre: ([^\0]*)\0", info)
        words = (found[1].decode().split(",") if found else []) + b" ".join(softly).decode().split()
        self[name] = [canonical(word) for word in words if canonical(word) in self._files]
        return self[name]


def content(module: Path) -> bytes:
    """Return a module's ELF file, uncompressed."""
    data = module.read_bytes()
    return lzma.decompress(data) if module.suffix == ".xz" else data


def install_modules(kernel: Kernel, root: Path) -> None:
    """Put the listed modules, uncompressed, and their index into the image's root."""
    target = root / "usr/lib/modules" / kernel.release
    source = _module_dir(kernel.tree)
    for name in kernel.closure(read_list(BENCH / "kernel" / "modules.list")):
        path = kernel.modules[name]
        goal = target / path.relative_to(source).with_suffix("" if path.suffix == ".xz" else path.suffix)
        goal.parent.mkdir(parents=True, exist_ok=True)
        goal.write_bytes(content(path))
    for index in ("modules.builtin", "modules.builtin.modinfo", "modules.order"):
        (target / index).write_bytes((source / index).read_bytes())
    run(["chroot", root, "depmod", kernel.release], doing="indexing the kernel modules")
