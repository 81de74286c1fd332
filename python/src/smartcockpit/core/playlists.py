# SPDX-License-Identifier: Apache-2.0
"""M3U and PLS playlists: text in, locations out. Any text may come; lines that mean nothing are skipped."""

from __future__ import annotations

import re
from posixpath import join, normpath
from urllib.parse import quote

MAX_ENTRIES = 2000
SUFFIXES = (".m3u", ".m3u8", ".pls")
_URI = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_PLS_FILE = re.compile(r"^File\d+\s*=\s*(.+)$", re.IGNORECASE)


def entries(text: str, folder: str) -> list[str]:
    """Return the locations in a playlist that lies in `folder` ("" for one from the network).

    Paths become file URIs, http and https stay, everything else is left out.
    """
    is_pls = text.lstrip("\ufeff \r\n\t")[:10].lower() == "[playlist]"
    found: list[str] = []
    for raw in text.splitlines():
        line = raw.strip().lstrip("\ufeff")
        if is_pls:
            match = _PLS_FILE.match(line)
            line = match[1].strip() if match else ""
        if not line or line.startswith("#"):
            continue
        location = _location(line, folder)
        if location:
            found.append(location)
        if len(found) == MAX_ENTRIES:
            break
    return found


def _location(entry: str, folder: str) -> str:
    if _URI.match(entry):
        return entry if entry.lower().startswith(("http://", "https://")) and " " not in entry else ""
    if not folder or "\0" in entry:
        return ""
    path = normpath(join(folder, entry.replace("\\", "/")))
    return "file://" + quote(path, errors="surrogateescape") if path.startswith("/") else ""
