# SPDX-License-Identifier: Apache-2.0
"""The recipes' own `do_install`, run into an empty root: what units, policies and recipes name is there afterwards.

The functions run as they stand, with the folders that the release gives them, over a tree that holds nothing but what
SRC_URI names.
"""

from __future__ import annotations

import configparser
import fnmatch
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.recipe import LAYER, RECIPE, ROOT, recipe_file, variable

SITE = "/usr/lib/python3.14/site-packages"
FOLDERS = {
    "base_bindir": "/usr/bin", "base_libdir": "/usr/lib", "bindir": "/usr/bin", "datadir": "/usr/share",
    "libdir": "/usr/lib", "nonarch_libdir": "/usr/lib", "prefix": "/usr", "sbindir": "/usr/sbin", "sysconfdir": "/etc",
    "systemd_system_unitdir": "/usr/lib/systemd/system", "systemd_unitdir": "/usr/lib/systemd",
    "PYTHON_SITEPACKAGES_DIR": SITE, "KERNEL_IMAGETYPE": "Image", "MACHINE": "raspberrypi5",
    "SMARTCOCKPIT_COMPATIBLE": "smartcockpit-raspberrypi5", "SMARTCOCKPIT_VERSION": "1.2.3",
}  # fmt: skip
# Programs of our units that other packages bring: program -> the package in RDEPENDS.
OTHERS = {
    "/bin/sh": "",  # packagegroup-core-boot
    "/usr/bin/pipewire": "pipewire",
    "/usr/bin/pipewire-pulse": "pipewire-pulse",
    "/usr/bin/wireplumber": "wireplumber",
}
RECIPES = {
    "smartcockpit": RECIPE,
    **{n: recipe_file(n) for n in ("smartcockpit-slots", "smartcockpit-initramfs-init")},
}


def unpack(text: str, goal: Path) -> None:
    """Lay out what SRC_URI names, as do_unpack does."""
    named = [word.removeprefix("file://") for word in variable(text, "SRC_URI") if word.startswith("file://")]
    for name in [*named, *(f"bench/rootfs/common/{path}" for path in variable(text, "SLOT_FILES"))]:
        source = ROOT / name if (ROOT / name).exists() else next(LAYER.rglob(f"files/{name}"))
        target = goal / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)


def run(task: str, text: str, work: Path, root: Path) -> None:
    """Run a shell function of a recipe; a device node, which only root can make, is left out."""
    [body] = re.findall(rf"^{task}\(\) {{\n(.*?)^}}$", text, re.MULTILINE | re.DOTALL)
    given = {**FOLDERS, "D": str(root), "S": str(work), "UNPACKDIR": str(work), "PYTHON": sys.executable}
    given["PEP517_WHEEL_PATH"] = str(work / "dist")
    given["SLOT_FILES"] = " ".join(variable(text, "SLOT_FILES"))
    body = re.sub(r"\$\{(\w+)\}", lambda found: given.get(found[1], found[0]), body)
    functions = 'oe_runmake() { make --silent "$@"; }\nmknod() { :; }\n'
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    done = subprocess.run(
        ["sh", "-euc", functions + body], cwd=work, env=kept, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Recipe -> the root that its do_install filled."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    subprocess.run(["make", "--silent", "build/wheel/smartcockpit.whl"], cwd=ROOT, check=True, env=kept)
    roots = {}
    for name, path in RECIPES.items():
        work, text = tmp_path_factory.mktemp(name), path.read_text()
        unpack(text, work)
        (work / "dist").mkdir()
        shutil.copy((ROOT / "build/wheel/smartcockpit.whl").resolve(), work / "dist")
        (work / "keyring/anywhere").mkdir(parents=True)
        (work / "keyring/anywhere/ca.pem").write_text("the authority")
        roots[name] = tmp_path_factory.mktemp(f"{name}-root")
        run("do_install", text, work, roots[name])
    return roots


def paths(root: Path) -> set[str]:
    return {
        "/" + str(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


@pytest.mark.parametrize("name", RECIPES)
def test_every_installed_file_is_in_a_package(installed: dict[str, Path], name: str) -> None:
    text = RECIPES[name].read_text()
    # bitbake.conf's own FILES for ${PN}, as far as it concerns us, and setuptools' site-packages.
    patterns = ["/usr/bin/*", "/etc/*", f"/usr/share/{name}/*", "/usr/share/man/*", f"{SITE}/*"]
    for package in re.findall(r"^FILES:(\S+)", text, re.MULTILINE):
        for word in variable(text, f"FILES:{package}"):
            word = re.sub(r"\$\{(\w+)\}", lambda found: FOLDERS[found[1]], word)
            patterns += [word, f"{word}/*"]
    lost = [path for path in paths(installed[name]) if not any(fnmatch.fnmatch(path, p) for p in patterns)]
    assert lost == [], "bitbake stops at these: installed-vs-shipped"


def units(root: Path) -> list[Path]:
    return sorted((root / "usr/lib/systemd/system").rglob("*.service"))


def test_programs_of_our_units_are_installed_or_depended_on(installed: dict[str, Path]) -> None:
    root, needed = installed["smartcockpit"], variable(RECIPE.read_text(), "RDEPENDS:${PN}")
    found = units(root)
    assert found
    for unit in found:
        for line in re.findall(r"^Exec\w+=[-+!@:]*(.+)$", unit.read_text(), re.MULTILINE):
            program, *arguments = line.split()
            if program in OTHERS:
                assert OTHERS[program] in {"", *needed}, unit.name
            else:
                assert os.access(root / program[1:], os.X_OK), f"{unit.name}: {program}"
            for word in arguments:
                if word.startswith(("/usr/lib/smartcockpit/", "/usr/share/smartcockpit/")):
                    assert (root / word[1:]).is_file(), f"{unit.name}: {word}"


def test_users_of_units_and_policies_have_fixed_ids(installed: dict[str, Path]) -> None:
    table = (LAYER / "files/smartcockpit-passwd").read_text()
    known = {"root", *re.findall(r"^([\w-]+):", table, re.MULTILINE)}
    named = set()
    for unit in units(installed["smartcockpit"]):
        named |= set(re.findall(r"^User=(\S+)$", unit.read_text(), re.MULTILINE))
    for policy in (installed["smartcockpit"] / "usr/share/dbus-1/system.d").glob("*.conf"):
        named |= set(re.findall(r'policy user="([^"]+)"', policy.read_text()))
    assert len(named) > 5
    assert named <= known


def test_enabled_units_are_installed(installed: dict[str, Path]) -> None:
    for name, root in installed.items():
        text = RECIPES[name].read_text()
        for package in re.findall(r"^SYSTEMD_SERVICE:(\S+)", text, re.MULTILINE):
            for unit in variable(text, f"SYSTEMD_SERVICE:{package}"):
                assert (root / "usr/lib/systemd/system" / unit).is_file(), unit


def test_programs_run_the_python_of_the_target_and_are_compiled(installed: dict[str, Path]) -> None:
    root = installed["smartcockpit"]
    scripts = [path for path in (root / "usr/bin").iterdir() if path.is_file()]
    assert len(scripts) > 7
    for script in scripts:
        assert script.read_bytes().startswith(b"#!/usr/bin/python3"), script.name
        assert script.stat().st_mode & 0o777 == 0o755, script.name
    site = root / SITE[1:]
    modules = [path for path in site.rglob("*.py") if "smartcockpit" in path.parts]
    assert [path for path in modules if not list(path.parent.glob(f"__pycache__/{path.stem}.*.pyc"))] == []


def test_the_build_machine_leaves_no_trace(installed: dict[str, Path]) -> None:
    for root in installed.values():
        for path in root.rglob("*"):
            if path.is_file() and not path.is_symlink():
                assert str(root).encode() not in path.read_bytes(), path
                assert path.stat().st_mode & 0o444 == 0o444, path


def test_a_slot_knows_its_board_its_version_and_whom_it_trusts(installed: dict[str, Path]) -> None:
    root = installed["smartcockpit-slots"]
    conf = configparser.ConfigParser()
    conf.read(root / "etc/rauc/system.conf")
    assert conf["system"]["compatible"] == "smartcockpit-raspberrypi5"
    assert conf["system"].get("min-bundle-version", "1.2.3") == "1.2.3"
    assert root.joinpath(conf["keyring"]["path"][1:]).read_text() == "the authority"
    assert (root / "boot/vmlinuz").readlink() == Path("Image")
    for point in ("data", "boot/firmware"):
        assert (root / point).is_dir()


def test_the_first_boot_leaves_the_boot_container_of_an_imx_alone(installed: dict[str, Path]) -> None:
    """It lies in the gap before the first partition, and systemd-repart would discard that."""
    folder = installed["smartcockpit-slots"] / "usr/lib/systemd/system/systemd-repart.service.d"
    said = "".join(path.read_text() for path in sorted(folder.iterdir()))
    assert re.findall(r"^ExecStart=(.*)$", said, re.MULTILINE)[-1].endswith(" --discard=no")


def test_initramfs_has_the_folders_that_its_init_mounts(installed: dict[str, Path]) -> None:
    root = installed["smartcockpit-initramfs-init"]
    init = (root / "init").read_text()
    points = set(re.findall(r"mount -t \w+ (?:-o \S+ )?\w+ /(\w+)$", init, re.MULTILINE)) | {
        "newroot",
        "modules",
    }
    assert points >= {"dev", "proc", "sys", "run"}
    assert [point for point in points if not (root / point).is_dir()] == []
    assert (root / "modules/load").read_text() == ""
