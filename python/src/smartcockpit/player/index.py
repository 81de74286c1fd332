# SPDX-License-Identifier: Apache-2.0
"""The indexer: reads the tags of all sound files below a folder into the library, in a process of its own.

It meets broken, huge and hostile files: it has limits of memory and time, each file has its seconds, and what
it cannot read is known by its file name. Tags are read by tinytag.
"""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType

from smartcockpit.player.library import Indexed, Library
from smartcockpit.player.places import sounds_in, uri_of

MEMORY_BYTES = 192 << 20
CPU_S = 900
FILE_S = 5
MAX_FILES = 50_000
AT_ONCE = 100
MAX_TEXT = 300


class TooSlowError(Exception):
    """A file has had its time."""


def index(root: str, database: Path) -> int:
    """Bring the library in line with what is below `root`; return how many tracks were read anew."""
    library = Library(database)
    known = library.known(root)
    seen: set[str] = set()
    fresh: list[Indexed] = []
    count = 0
    for number, path in enumerate(sounds_in(root)):
        if number >= MAX_FILES:
            break
        try:
            found = os.stat(path)  # noqa: PTH116 - surrogates
        except OSError:
            continue
        location = uri_of(path)
        seen.add(location)
        if known.get(location) != (found.st_mtime_ns, found.st_size):
            fresh.append(_read(path, location, root, found))
            count += 1
        if len(fresh) >= AT_ONCE:
            library.put(fresh)
            fresh = []
    library.put(fresh)
    library.drop(known.keys() - seen)
    library.close()
    return count


def limit() -> None:
    """Take from this process what it could do harm with."""
    with suppress(OSError):  # systemd's sandbox allows none
        os.nice(10)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    signal.signal(signal.SIGALRM, _too_slow)


def _too_slow(_: int, __: FrameType | None) -> None:
    raise TooSlowError


def _read(path: str, location: str, root: str, found: os.stat_result) -> Indexed:
    title = artist = album = ""
    number, length_s = 0, 0.0
    for tag in _tags(path):
        title, artist, album = (_text(getattr(tag, key, "")) for key in ("title", "artist", "album"))
        track, length = getattr(tag, "track", 0), getattr(tag, "duration", 0.0)
        number = track if isinstance(track, int) and 0 <= track < 10_000 else 0
        length_s = float(length) if isinstance(length, int | float) and 0 <= length < 1e7 else 0.0
    name = os.path.splitext(os.path.basename(path))[0]  # noqa: PTH119, PTH122 - surrogates
    place = (location, root, found.st_mtime_ns, found.st_size)
    return Indexed(*place, title or _text(name), artist, album, number, length_s)


def _tags(path: str) -> Iterator[object]:
    """Yield the tags of a file, nothing when there are none or they are a trap."""
    from tinytag import TinyTag

    signal.alarm(FILE_S)
    try:
        yield TinyTag.get(path, image=False)
    except Exception:
        return
    finally:
        signal.alarm(0)


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    shown = "".join(c if c.isprintable() else " " for c in value[: 4 * MAX_TEXT])
    return " ".join(shown.encode("utf-8", "replace").decode().split())[:MAX_TEXT]
