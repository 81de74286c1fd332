# SPDX-License-Identifier: Apache-2.0
"""Locations into things that can be played: files, folders in order, playlists. Reads the file system."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from smartcockpit.core.playlists import MAX_ENTRIES, SUFFIXES, entries

SOUNDS = (".mp3", ".flac", ".ogg", ".oga", ".opus", ".wav", ".m4a", ".aac", ".wma", ".aiff")
MAX_DEPTH = 12
MAX_PLAYLIST = 1 << 20
_NUMBERS = re.compile(r"(\d+)")


def path_of(uri: str) -> str:
    """Return the path of a file URI, with surrogates for bytes that are no UTF-8."""
    return os.fsdecode(unquote_to_bytes(uri.removeprefix("file://")))


def uri_of(path: str) -> str:
    """Return the file URI of a path, the inverse of `path_of` for any bytes."""
    return "file://" + quote(os.fsencode(path))


def expand(location: str) -> list[str]:
    """Return what is at a location as URIs of single files or streams, at most `MAX_ENTRIES`.

    Raises `OSError` for a path that cannot be looked at.
    """
    if not location.startswith("file://"):
        return [location]
    path = path_of(location)
    if Path(path).is_dir():
        found = []
        for file in sounds_in(path):
            found.append(uri_of(file))
            if len(found) == MAX_ENTRIES:
                break
        return found
    if path.lower().endswith(SUFFIXES):
        with open(path, "rb") as playlist:  # noqa: PTH123 - surrogates
            text = playlist.read(MAX_PLAYLIST).decode("utf-8", "surrogateescape")
        return entries(text, str(Path(path).parent))
    os.stat(path)  # noqa: PTH116 - tells what is wrong
    return [location]


def sounds_in(folder: str, depth: int = 0) -> Iterator[str]:
    """Yield the paths of sound files in and below a folder, by name; links are not followed."""
    try:
        with os.scandir(folder) as listing:
            found = sorted(listing, key=lambda e: _in_order(e.name))
    except OSError:
        return  # pulled out, or not ours to read
    for entry in found:
        if entry.name.startswith("."):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                if depth < MAX_DEPTH:
                    yield from sounds_in(entry.path, depth + 1)
            elif entry.is_file(follow_symlinks=False) and entry.name.lower().endswith(SOUNDS):
                yield entry.path
        except OSError:
            continue


def _in_order(name: str) -> list[tuple[int, int, str]]:
    """Key by which "track 2" comes before "track 10"."""
    parts = _NUMBERS.split(name.casefold())
    return [(0, int(p[:18]), "") if p.isdecimal() else (1, 0, p) for p in parts]
