# SPDX-License-Identifier: Apache-2.0
"""The layer follows OE-core's style guide, but for what .oelint.cfg names, with the reason."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.recipe import LAYER


def test_oelint_adv_has_nothing_to_say() -> None:
    linted = {".bb", ".bbappend", ".inc", ".conf"}
    files = sorted(str(f.relative_to(LAYER)) for f in LAYER.rglob("*") if f.suffix in linted)
    assert files
    ran = subprocess.run(
        [str(Path(sys.executable).with_name("oelint-adv")), "--quiet", "--relpaths", *files],
        cwd=LAYER, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert ran.stdout + ran.stderr == ""
