# SPDX-License-Identifier: Apache-2.0
"""Which of two versions is newer (Semantic Versioning 2.0.0 §11), and what may replace what."""

from __future__ import annotations

import re

_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_WORDS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_SEMVER = re.compile(rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_WORDS}))?(?:\+({_WORDS}))?")
LONGEST = 128

Precedence = tuple[int, int, int, bool, tuple[tuple[bool, int, str], ...]]
"""Compares as the versions do: numbers, then release above pre-release, then the pre-release's words."""


def precedence(version: str) -> Precedence | None:
    """Return what to compare `version` by; None when it is no semantic version. Build metadata is ignored."""
    found = _SEMVER.fullmatch(version) if len(version) <= LONGEST else None
    if found is None:
        return None
    major, minor, patch, pre, _ = found.groups()
    words = tuple(_word(word) for word in pre.split(".")) if pre else ()
    return int(major), int(minor), int(patch), not words, words


def _word(word: str) -> tuple[bool, int, str]:
    # §11.4: numeric words compare as numbers and lie below the others.
    return (False, int(word), "") if word.isdecimal() else (True, 0, word)


def refusal(running: str, offered: str) -> str:
    """Return why `offered` must not replace `running`, "" when it may.

    Equal precedence passes only between builds of one version that differ in their build metadata: those of a
    developer, which have no order.
    """
    new, old = precedence(offered), precedence(running)
    if new is None:
        return f"{offered[:LONGEST]!r} is no semantic version"
    if offered == running:
        return f"{offered} runs already"
    if old is None:
        return ""  # an image of before versions were semantic: whatever comes is newer
    if new < old:
        return f"{offered} is older than {running}, which runs"
    if new == old and not ("+" in offered and "+" in running):
        return f"{offered} is as old as {running}, which runs"
    return ""
