# SPDX-License-Identifier: Apache-2.0
"""The library of tags, in SQLite: what the indexer has found, and a search that answers while one types.

The database is a cache: one that is broken or of another release is thrown away and made anew.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

FORMAT = 1
_SCHEMA = """
CREATE TABLE track (
  location TEXT PRIMARY KEY, root TEXT NOT NULL, changed_ns INTEGER NOT NULL, size INTEGER NOT NULL,
  title TEXT NOT NULL, artist TEXT NOT NULL, album TEXT NOT NULL, number INTEGER NOT NULL,
  length_s REAL NOT NULL, words TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX track_root ON track (root);
"""


class Entry(NamedTuple):
    """A track as it is found."""

    location: str
    title: str
    artist: str
    album: str
    length_s: float


class Indexed(NamedTuple):
    """A track as it is put in; `number` is its place on the album, 0 unknown."""

    location: str
    root: str
    changed_ns: int
    size: int
    title: str
    artist: str
    album: str
    number: int
    length_s: float


class Library:
    """The database at `path`; two processes may use it at the same time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = _open(path)

    def find(self, words: str, limit: int, roots: Iterable[str]) -> list[Entry]:
        """Return tracks in which each of `words` begins a word, of what is present below `roots`."""
        present = list(roots)
        wanted = [f"% {word}%" for word in _plain(words).replace("%", "").replace("_", "").split()]
        marks = ",".join("?" * len(present))
        where = f"root IN ({marks})" + " AND words LIKE ?" * len(wanted)  # nothing of the caller's in it
        columns, order = "location, title, artist, album, length_s", "artist, album, number, title, location"
        sql = f"SELECT {columns} FROM track WHERE {where} ORDER BY {order} LIMIT ?"  # noqa: S608
        try:
            return [Entry(*row) for row in self._db.execute(sql, [*present, *wanted, limit])]
        except sqlite3.DatabaseError:
            self._start_over()
            return []

    def tags_of(self, location: str) -> dict[str, str]:
        """Return what is known of a location before it is heard."""
        with suppress(sqlite3.DatabaseError):
            row = self._db.execute(
                "SELECT title, artist, album FROM track WHERE location = ?", [location]
            ).fetchone()
            if row:
                return {k: v for k, v in zip(("title", "artist", "album"), row, strict=True) if v}
        return {}

    def known(self, root: str) -> dict[str, tuple[int, int]]:
        """Return location → (time of change, size) of what was found below a root before."""
        sql = "SELECT location, changed_ns, size FROM track WHERE root = ?"
        return {location: (changed, size) for location, changed, size in self._db.execute(sql, [root])}

    def put(self, tracks: Sequence[Indexed]) -> None:
        """Put tracks in, or replace what was known of them."""
        rows = [(*track, " " + _plain(f"{track.title} {track.artist} {track.album}")) for track in tracks]
        with self._db:
            self._db.executemany("INSERT OR REPLACE INTO track VALUES (?,?,?,?,?,?,?,?,?,?)", rows)

    def drop(self, locations: Iterable[str]) -> None:
        """Forget tracks that are there no more."""
        with self._db:
            self._db.executemany(
                "DELETE FROM track WHERE location = ?", [(location,) for location in locations]
            )

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def _start_over(self) -> None:
        with suppress(sqlite3.Error):
            self._db.close()
        _remove(self.path)
        self._db = _open(self.path)


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _opened(path)
    except sqlite3.DatabaseError:
        _remove(path)
        return _opened(path)


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, timeout=5.0)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = NORMAL")
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version not in (0, FORMAT):
            raise sqlite3.DatabaseError(f"format {version}")
        if version == 0:
            with closing(db.cursor()) as cursor:
                cursor.executescript(_SCHEMA + f"PRAGMA user_version = {FORMAT};")
        db.execute("SELECT count(*) FROM track").fetchone()
    except BaseException:
        db.close()
        raise
    return db


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with suppress(OSError):
            path.with_name(path.name + suffix).unlink()


def _plain(text: str) -> str:
    """Return words as they are compared: lower case, without accents, single spaces."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c if c.isalnum() else " " for c in apart if not unicodedata.combining(c))
    return " ".join(kept.split())
