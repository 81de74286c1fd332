# SPDX-License-Identifier: Apache-2.0
"""The Makefile in places that are not ours to choose."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


# What a make that runs the tests hands down would change what is printed.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


def test_image_is_built_by_sudo_in_a_path_with_blanks(tmp_path: Path) -> None:
    folder = tmp_path / "mein Auto"
    made = [folder / ".venv/.ready-amd64", folder / "build/wheel/smartcockpit.whl"]
    for path in made:
        path.parent.mkdir(parents=True)
        path.touch()
    shutil.copy(ROOT / "Makefile", folder)
    kept = [word for path in made for word in ("-o", str(path.relative_to(folder)))]
    said = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", *kept, "sudo=sudo", "image"],
        cwd=folder, env=ENVIRONMENT, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ).stdout  # fmt: skip
    assert shlex.split(said)[:4] == ["sudo", ".venv/bin/python", "-m", "smartcockpit_bench.image"]


def test_what_is_installed_can_be_read_by_all_whatever_the_umask(tmp_path: Path) -> None:
    subprocess.run(
        ["sh", "-c", 'umask 077; make --silent install DESTDIR="$1" BYTECODE=no', "sh", tmp_path / "to"],
        cwd=ROOT, env=ENVIRONMENT, check=True, capture_output=True,
    )  # fmt: skip
    found = [path for path in (tmp_path / "to").rglob("*") if path.stat().st_mode & 0o444 != 0o444]
    assert found == []
    assert (tmp_path / "to/usr/bin/cockpitctl").stat().st_mode & 0o777 == 0o755
