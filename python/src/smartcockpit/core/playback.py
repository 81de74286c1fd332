# SPDX-License-Identifier: Apache-2.0
"""What a player plays, as its process tells it, and what it can be told: JSON objects, one a line.

The player takes apart files from anywhere; so what it says is checked like anything from outside. Locations
are URIs (file, http, https); times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from smartcockpit.core.named import NamedTuple

MAX_LINE = 1 << 18
MAX_TEXT = 1000
STATUSES = ("playing", "paused", "stopped")
LOOPS = ("none", "track", "queue")
COMMANDS = ("open", "play", "pause", "stop", "next", "previous", "seek", "loop", "shuffle", "find")


class Track(NamedTuple):
    """One thing to be heard. `number` tells two places of the queue apart that hold the same location."""

    location: str
    number: int = 0
    title: str = ""
    artist: str = ""
    album: str = ""
    length_s: float = 0.0
    """0: not known, as with radio."""
    cover: str = ""
    """URI of a picture, "" without one."""


class Playback(NamedTuple):
    """All that is to be known of a player."""

    status: str = "stopped"
    track: Track | None = None
    position_s: float = 0.0
    """Where it was when this was said."""
    loop: str = "none"
    shuffle: bool = False
    can_next: bool = False
    can_previous: bool = False
    can_seek: bool = False
    queue: int = 0
    """How many tracks are in the queue."""
    trouble: str = ""
    """Why the last track could not be played."""

    def same_but_for_time(self, other: Playback) -> bool:
        """Tell whether only the position differs."""
        return self._replace(position_s=0.0) == other._replace(position_s=0.0)


def to_line(message: Mapping[str, Any]) -> bytes:
    """Return a message as a line."""
    import json  # here: the daemon is ready before it has anything to say

    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes) -> dict[str, Any]:
    """Return the message in a line; raises `ValueError` for anything but a JSON object."""
    import json

    try:
        message = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(message, dict):
        raise ValueError("no object")
    return message


def playback_of(message: Mapping[str, Any]) -> Playback:
    """Return what a player says of itself; what is missing or wrong has its default."""
    track = message.get("track")
    return Playback(
        status=_choice(message.get("status"), STATUSES),
        track=track_of(track) if isinstance(track, dict) else None,
        position_s=_seconds(message.get("position_s")),
        loop=_choice(message.get("loop"), LOOPS, "none"),
        shuffle=message.get("shuffle") is True,
        can_next=message.get("can_next") is True,
        can_previous=message.get("can_previous") is True,
        can_seek=message.get("can_seek") is True,
        queue=_count(message.get("queue")),
        trouble=_text(message.get("trouble")),
    )


def track_of(entry: Mapping[str, Any]) -> Track:
    """Return the track that `entry` describes, in the same way."""
    return Track(
        location=_text(entry.get("location"), 4096),
        number=_count(entry.get("number")),
        title=_text(entry.get("title")),
        artist=_text(entry.get("artist")),
        album=_text(entry.get("album")),
        length_s=_seconds(entry.get("length_s")),
        cover=_text(entry.get("cover"), 4096),
    )


def _text(value: Any, longest: int = MAX_TEXT) -> str:
    # Lone surrogates come out of path names that are no UTF-8, and fit into no D-Bus string.
    return value[:longest].encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def _seconds(value: Any) -> float:
    usable = type(value) in (int, float) and isfinite(value) and 0 <= value < 1e9
    return float(value) if usable else 0.0


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 1 << 31 else 0


def _choice(value: Any, known: tuple[str, ...], default: str = "stopped") -> str:
    return value if isinstance(value, str) and value in known else default
