# SPDX-License-Identifier: Apache-2.0
"""Reads meta-smartcockpit as text: enough of bitbake's syntax for checks that must do without bitbake."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "meta-smartcockpit"
RECIPE = LAYER / "recipes-smartcockpit/smartcockpit/smartcockpit_git.bb"


def recipe_file(name: str) -> Path:
    """Return the one recipe of this name."""
    [found] = [path for path in LAYER.glob("recipes-*/*/*.bb") if path.stem.removesuffix("_git") == name]
    return found


def variable(text: str, name: str) -> list[str]:
    """Return the words that a recipe or configuration gives to a variable, over all its lines; no expressions."""
    joined = text.replace("\\\n", " ")
    assignment = rf'^{re.escape(name)}(?::append)? *(?:\?\?|\?|:|\+)?= *"([^"]*)"'
    found = re.findall(assignment, joined, re.MULTILINE)
    return re.sub(r"\$\{@.*?\}", "", " ".join(found)).split()
