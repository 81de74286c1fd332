# SPDX-License-Identifier: Apache-2.0
"""From the Debian root to the image's root file system: ours goes in, what is not needed goes out."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from smartcockpit_bench.image import foreign, initramfs, kernel, native, tune
from smartcockpit_bench.image.identity import Identity
from smartcockpit_bench.places import BENCH, BUILD, CACHE, ROOT, read_list
from smartcockpit_bench.progress import run, step

ROOTFS = BENCH / "rootfs"
SSH_KEY = BUILD / "ssh" / "id_ed25519"
SITE = "usr/lib/python3/dist-packages"
_MOUNT_POINTS = ("data", "boot/firmware", "etc/smartcockpit")


def populate(root: Path, base: Path, boot: kernel.Kernel, identity: Identity, wheel: Path) -> None:
    """Fill the empty folder `root` with the whole root file system."""
    arch, flavour = identity.arch, identity.flavour
    with step("unpacking the Debian root"):
        root.mkdir()
        run(
            ["tar", "-C", root, "--numeric-owner", "-xf", base / "root.tar"],
            doing="unpacking the Debian root",
        )
    with step("installing SmartCockpit"):
        _install_ours(root, arch, wheel)
        entries = _lock_entries()
        _install_wheels(root, entries)
        native.install_lgpio(root / SITE, boot.tree, arch, entries[native.NAME].replace("\0", "\n"))
        for layer in ("common", flavour):
            _overlay(ROOTFS / layer, root)
        _install_bench(root)
    with step(f"kernel {boot.release}, modules, initramfs"):
        kernel.install_modules(boot, root)
        shutil.copyfile(boot.image, root / "boot/vmlinuz")
        initramfs.write(boot, root / "boot/initrd.img")
    with step("presets, byte-code, catalogues"):
        _finish(root, identity)


def _install_ours(root: Path, arch: str, wheel: Path) -> None:
    make = ["make", "--no-print-directory", "-s", "-C", ROOT, "install", f"DESTDIR={root}", f"WHEEL={wheel}"]
    # The target's Python compiles below; this one may be another version.
    make += foreign.compiler(arch)
    run([*make, f"PYTHON={sys.executable}", f"SITE=/{SITE}", "BYTECODE=no"], doing="make install")


def _lock_entries() -> dict[str, str]:
    """Return the entries of the lock file by name, each on one line with NUL for its line feeds."""
    lock = (ROOT / "python" / "requirements.lock").read_text()
    # An entry: a line that starts in the first column, then its indented hashes and comments.
    return {e.split("==")[0]: e for e in lock.replace("\n    ", "\0    ").splitlines() if "==" in e}


def _install_wheels(root: Path, entries: dict[str, str]) -> None:
    """Add the Python packages that Debian lacks, verified against the lock file."""
    names = read_list(BENCH / "packages" / "wheels.list")
    wanted = "\n".join(entries[name].replace("\0", "\n") for name in names)
    folder = CACHE / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    requirements = folder / "requirements.txt"
    if not requirements.exists() or requirements.read_text() != wanted:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        pending = folder / "pending.txt"
        pending.write_text(wanted)
        run([*pip, "--only-binary=:all:", "-d", folder, "-r", pending], doing="downloading Python packages")
        pending.rename(requirements)
    for name in names:
        version = entries[name].split("==")[1].split()[0]
        wheel = next(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"))
        run(
            [
                sys.executable,
                ROOT / "python" / "install_wheel.py",
                wheel,
                f"--destdir={root}",
                f"--site=/{SITE}",
            ],
            doing=f"installing {name}",
        )


def _install_bench(root: Path) -> None:
    """The guest's side of the simulated car: one script each and their units."""
    programs = root / "usr/lib/smartcockpit-bench"
    programs.mkdir(parents=True, exist_ok=True)
    for script in (ROOT / "python/src/smartcockpit_bench/guest").glob("*.py"):
        shutil.copyfile(script, programs / script.name)
    tune.write(programs)
    for unit in (BENCH / "guest").iterdir():
        shutil.copyfile(unit, root / "usr/lib/systemd/system" / unit.name)


def _overlay(source: Path, root: Path) -> None:
    for path in sorted(source.rglob("*")):
        goal = root / path.relative_to(source)
        if path.is_dir() and not path.is_symlink():
            goal.mkdir(exist_ok=True)
        else:
            goal.parent.mkdir(parents=True, exist_ok=True)
            goal.unlink(missing_ok=True)
            shutil.copyfile(path, goal, follow_symlinks=False)
            if not path.is_symlink():
                goal.chmod(0o755 if os.access(path, os.X_OK) else 0o644)


def _finish(root: Path, identity: Identity) -> None:
    for point in _MOUNT_POINTS:
        (root / point).mkdir(parents=True, exist_ok=True)
    # Empty, not absent: systemd then makes an id up for this boot and does not take it for a first boot.
    (root / "etc/machine-id").write_text("")
    (root / "etc/hostname").write_text("smartcockpit\n")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    identity.write(root)
    if identity.flavour == "dev":
        _authorise(root)
    inside = ["chroot", root]
    run([*inside, "systemd-sysusers"], doing="adding the users")
    run([*inside, "systemctl", "preset-all"], doing="applying the presets")
    run([*inside, "systemctl", "set-default", "multi-user.target"], doing="choosing the target")
    run([*inside, "journalctl", "--update-catalog"], doing="indexing the journal catalogue")
    # /var/lib is the data partition's: a link of tmpfiles.d leads from there to the slot's own index.
    (root / "var/lib/systemd/catalog/database").rename(root / "usr/lib/systemd/catalog.database")
    # GStreamer's index of its plug-ins; without it the player loads each of them at every start.
    index = ["python3", "-c", "import gi; gi.require_version('Gst', '1.0'); "
             "from gi.repository import Gst; Gst.init(None)"]  # fmt: skip
    run(
        [*inside, *index],
        doing="indexing GStreamer",
        env={"GST_REGISTRY": "/usr/lib/smartcockpit/gstreamer.registry"},
    )
    python = ["python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    folders = [f"/{SITE}", "/usr/lib/smartcockpit", "/usr/lib/smartcockpit-bench"]
    present = [folder for folder in folders if (root / folder[1:]).is_dir()]
    run([*inside, *python, "-f", *present], doing="compiling byte-code")
    identity.settle(root)  # the pack knows each source by its time
    writer = f"/{SITE}/smartcockpit/runtime/module_pack_writer.py"
    pack = ["python3", "-SPE", writer, "--site", f"/{SITE}", "--strict"]
    run([*inside, *pack], doing="packing the modules of our programs")
    for unit in read_list(ROOTFS / "masked.list"):
        link = root / "etc/systemd/system" / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    for pattern in read_list(ROOTFS / "removed.list"):
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    identity.settle(root)


def _authorise(root: Path) -> None:
    """Let the key that belongs to this checkout in; it is made once."""
    if not SSH_KEY.exists():
        SSH_KEY.parent.mkdir(mode=0o700, exist_ok=True)
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "smartcockpit-dev", "-f", SSH_KEY]
        run(make, doing="making the SSH key")
    folder = root / "root/.ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    shutil.copyfile(SSH_KEY.with_suffix(".pub"), folder / "authorized_keys")
