# SPDX-License-Identifier: Apache-2.0
"""Finds the Debian mirror for the image: MIRROR=, else the one that the host uses, else mmdebstrap's own.

Reads the host's apt configuration and never writes it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

SUITE = "trixie"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SECURITY = "-security"


def sources(apt: Path = Path("/etc/apt")) -> list[str]:
    """Return one-line apt sources for the image; empty when mmdebstrap's built-in mirror is to be used."""
    named = os.environ.get("MIRROR", "")
    if named:
        return [line(named, SUITE), line(named, f"{SUITE}-updates")]
    mirrors: dict[str, str] = {}
    for uri, suite in host_entries(apt):
        mirrors.setdefault("security" if suite.endswith(_SECURITY) else "main", uri)
    if "main" not in mirrors:
        return []
    found = [line(mirrors["main"], SUITE), line(mirrors["main"], f"{SUITE}-updates")]
    if "security" in mirrors:
        found.append(line(mirrors["security"], SUITE + _SECURITY))
    return found


def line(uri: str, suite: str) -> str:
    """Return one apt source in the one-line style, signed by Debian's keys."""
    return f"deb [signed-by={KEYRING}] {uri.rstrip('/')} {suite} main"


def host_entries(apt: Path) -> Iterable[tuple[str, str]]:
    """Yield (URI, suite) of the host's Debian entries, from both of apt's file formats."""
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if path.suffix not in {".list", ".sources"} or not path.is_file():
            continue
        text = path.read_text(errors="replace")
        entries = deb822_entries(text) if path.suffix == ".sources" else one_line_entries(text)
        # A Debian archive is the one that holds `main` at …/debian; vendors' own repositories are not.
        yield from ((u, s) for u, s in entries if re.search(r"/debian(-security)?/?$", u))


def one_line_entries(text: str) -> Iterable[tuple[str, str]]:
    """Yield (URI, suite) of `deb [options] URI SUITE COMPONENT…` lines that carry `main`."""
    for match in re.finditer(r"^\s*deb\s+(?:\[[^]]*\]\s+)?(http\S+)\s+(\S+)\s+(.*)$", text, re.MULTILINE):
        if "main" in match[3].split():
            yield match[1], match[2]


def deb822_entries(text: str) -> Iterable[tuple[str, str]]:
    """Yield (URI, suite) of deb822 stanzas that carry `main` and are not disabled."""
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*(.*)$", stanza, re.MULTILINE))
        if "main" not in fields.get("Components", "").split() or fields.get("Enabled", "yes") == "no":
            continue
        for uri in fields.get("URIs", "").split():
            if uri.startswith("http"):
                yield from ((uri, suite) for suite in fields.get("Suites", "").split())
