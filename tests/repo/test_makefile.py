# SPDX-License-Identifier: Apache-2.0
"""The Makefile in places that are not ours to choose."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_image_is_built_by_sudo_in_a_path_with_blanks(tmp_path: Path) -> None:
    folder = tmp_path / "mein Auto"
    made = [folder / ".venv/.ready-amd64", folder / "build/wheel/smartcockpit.whl"]
    for path in made:
        path.parent.mkdir(parents=True)
        path.touch()
    shutil.copy(ROOT / "Makefile", folder)
    kept = [word for path in made for word in ("-o", str(path.relative_to(folder)))]
    said = subprocess.run(
        ["make", "--dry-run", *kept, "sudo=sudo", "image"],
        cwd=folder, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ).stdout  # fmt: skip
    assert shlex.split(said)[:4] == ["sudo", ".venv/bin/python", "-m", "smartcockpit_bench.image"]
