# SPDX-License-Identifier: Apache-2.0
"""House rules that no linter knows: licence lines, file sizes, one home for the version, no stray host names."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NO_COMMENT_SYNTAX = {
    ".json",
    ".svg",
    ".png",
    ".log",
    ".blf",
    ".asc",
    ".lock",
    ".xml",
    ".csv",
    ".1",
    ".typed",
    ".dbc",
}
LICENCE_EXEMPT = {"LICENSE", "COPYING.MIT", "python/requirements.lock"}


def tracked_files() -> list[Path]:
    """Return the files git knows or would add, relative to the top level."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [Path(line) for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


FILES = tracked_files()


def test_every_source_file_names_its_licence() -> None:
    missing = [
        str(f)
        for f in FILES
        if f.suffix not in NO_COMMENT_SYNTAX
        and str(f) not in LICENCE_EXEMPT
        and f.suffix != ".md"
        and "SPDX-License-Identifier:" not in (ROOT / f).read_text(errors="replace")[:600]
    ]
    assert missing == []


def test_no_program_file_outgrows_its_reader() -> None:
    too_long = {
        str(f): n
        for f in FILES
        if f.suffix == ".py"
        and f.parts[0] == "python"
        and (n := len((ROOT / f).read_text().splitlines())) > 300
    }
    assert too_long == {}, "past 300 lines, look for two ideas in the file"


def test_no_file_names_a_package_registry_or_a_home_directory() -> None:
    # Spelled in pieces so that this file passes its own test.
    banned = re.compile(
        "|".join(["deb\\.debian" + "\\.org", "pypi" + "\\.org", "registry\\." + "npmjs", "/ro" + "ot/"])
    )
    hits = [
        f"{f}:{i}"
        for f in FILES
        if f.suffix not in {".png", ".blf"}
        for i, line in enumerate((ROOT / f).read_text(errors="replace").splitlines(), 1)
        if banned.search(line)
    ]
    assert hits == []


def test_version_has_one_home() -> None:
    source = (ROOT / "python/src/smartcockpit/__init__.py").read_text()
    version = re.search(r'__version__ = "([^"]+)"', source)
    assert version
    repeated = [
        str(f)
        for f in FILES
        if f.suffix in {".py", ".toml", ".service", ".sh", ".mk"}
        and str(f) != "python/src/smartcockpit/__init__.py"
        and re.search(rf"""['"]{re.escape(version[1])}['"]""", (ROOT / f).read_text(errors="replace"))
        and f.parts[0] not in {"tests"}
    ]
    assert repeated == []


@pytest.mark.parametrize("page", [f for f in FILES if f.suffix == ".md"], ids=str)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = (ROOT / page).read_text()
    broken = []
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" in target or target.startswith("mailto:"):
            continue
        if not (ROOT / page.parent / target).exists():
            broken.append(target)
    assert broken == []


def test_lock_file_holds_everything_that_is_asked_for() -> None:
    asked = {
        re.split(r"[=<>~\[ ;]", line)[0].lower().replace("_", "-")
        for line in (ROOT / "python/requirements.in").read_text().splitlines()
        if line and not line.startswith("#")
    }
    locked = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "python/requirements.lock").read_text().splitlines()
        if "==" in line and not line.startswith("#")
    }
    assert asked - locked == set(), "run: make lock"
