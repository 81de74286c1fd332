# SPDX-License-Identifier: Apache-2.0
"""The nearest known name, for the hint of an error about an unknown one."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most like `word`, or None when nothing resembles it.

    Case is ignored when comparing. Cost grows with the number of known names: for error paths only.
    """
    import difflib

    by_folded = {name.casefold(): name for name in known}
    hits = difflib.get_close_matches(word.casefold()[:256], by_folded, n=1, cutoff=0.6)
    return by_folded[hits[0]] if hits else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return a hint sentence that names the nearest known name, else `otherwise`."""
    hit = nearest(word, known)
    return f"did you mean {hit!r}?" if hit else otherwise
