# SPDX-License-Identifier: Apache-2.0
"""Reads the TOML that most settings files consist of, one plain value a line, and leaves the rest to tomllib.

`import tomllib` loads datetime and compiles three patterns: 4 ms on a daemon's way to ready, for a file of
one line. What is not plainly one of the forms below, or anything but plainly right (a key given twice), is
`None`: then tomllib decides and words the error. A test holds the two against each other.
"""

from __future__ import annotations

Table = dict[str, object]


def read_plain(text: str) -> Table | None:
    """Return what `text` says when it is comments, `[table]` lines and `key = value` lines with bare keys.

    A value is a string on one line without escapes, true, false, a decimal integer or a decimal fraction.
    """
    if not text.replace("\n", "").replace("\t", "").isprintable():
        return None
    top: Table = {}
    here, headers = top, set()
    for line in (raw.strip(" \t") for raw in text.split("\n")):
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            found = None if line in headers else _table(top, line[1:-1].split("."))
            headers.add(line)
            if found is None:
                return None
            here = found
            continue
        key, _, rest = line.partition("=")
        key, value = key.rstrip(" \t"), _value(rest.lstrip(" \t"))
        if value is None or key in here or not _is_bare(key):
            return None
        here[key] = value
    return top


def _table(top: Table, path: list[str]) -> Table | None:
    at: object = top
    for key in path:
        if not isinstance(at, dict) or not _is_bare(key):
            return None
        at = at.setdefault(key, {})
    return at if isinstance(at, dict) else None


def _is_bare(key: str) -> bool:
    return key.isascii() and key.replace("_", "a").replace("-", "a").isalnum()


def _value(text: str) -> object | None:
    quote = text[:1]
    if quote in ('"', "'"):
        inner, closed, after = text[1:].partition(quote)
        after = after.lstrip(" \t")
        plain = closed and "\\" not in inner and (not after or after.startswith("#"))
        return inner if plain else None
    word = text.partition("#")[0].rstrip(" \t")
    if word in ("true", "false"):
        return word == "true"
    whole, point, fraction = word.removeprefix("-").partition(".")
    if not (word.isascii() and whole.isdigit() and (whole == "0" or whole[0] != "0") and len(word) < 16):
        return None
    if point:
        return float(word) if fraction.isdigit() else None
    return int(word) if word != "-0" else None
