# SPDX-License-Identifier: Apache-2.0
"""GStreamer plays one location after the other, without a gap, and says what it hears about them.

Owns the pipeline (playbin3). Which location is next is asked of the caller; nothing here knows of queues.
Errors of a file are told, never raised. Source: GStreamer application manual, "Playback components".
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402

MAX_COVER = 5 << 20
PREROLL_MS = 30_000
"""How long a file may keep silent before it counts as broken: a busy machine takes its time."""
BUFFER_US = 1_000_000
"""On a busy machine others come first. Volume and pause act behind this buffer: nobody notices its length."""
COVERS_KEPT = 4
_FORMAT = "audioconvert ! audioresample ! audio/x-raw,format=S16LE,rate=48000,channels=2"
"""One format for all: a stream that had to be made anew would be a gap between two tracks."""
_ROLE = "props,media.role=music"


class Callbacks(NamedTuple):
    """Called in the main loop, but for `upcoming`: a thread of GStreamer calls that one, it must be quick."""

    upcoming: Callable[[], str]
    """Return the location that follows, "" for none."""
    began: Callable[[str], None]
    """A location has begun to play."""
    tags: Callable[[dict[str, str]], None]
    """Title, artist, album or cover of what plays are known, or new ones (radio)."""
    ended: Callable[[], None]
    """The last location has been played to its end."""
    failed: Callable[[str, str], None]
    """A location cannot be played, and why."""
    changed: Callable[[], None]
    """Status or length may be another."""


class Engine:
    """`folder` is where pictures of covers are put."""

    def __init__(self, callbacks: Callbacks, folder: Path, sink: str = "pulsesink") -> None:
        Gst.init(None)
        self._tell, self._folder = callbacks, folder
        self._bin = Gst.ElementFactory.make("playbin3", "player")
        if self._bin is None or Gst.ElementFactory.find(sink) is None:
            raise RuntimeError(f"GStreamer lacks playbin3 or {sink}: install its base and good plug-ins")
        output = Gst.parse_bin_from_description(f"{_FORMAT} ! {sink} name=output", True)
        if sink == "pulsesink":
            device = output.get_by_name("output")
            device.set_property("client-name", "smartcockpit-player")
            device.set_property("stream-properties", Gst.Structure.from_string(_ROLE)[0])
            device.set_property("buffer-time", BUFFER_US)
            device.set_property("latency-time", BUFFER_US // 5)
        self._bin.set_property("audio-sink", output)
        # Sound only: a picture inside of a file is a tag, a film is none of our business.
        self._bin.set_property("flags", 0x02 | 0x10)  # audio, soft-volume
        self._bin.connect("about-to-finish", self._about_to_finish)
        bus = self._bin.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self._message)
        self._wanted = Gst.State.NULL
        self._location = ""
        self._announced = ""
        self._buffering = self._prerolled = False

    def load(self, location: str, play: bool) -> None:
        """Play or prepare another location at once."""
        # Null, because that alone throws away what the one before has left on the bus.
        self._bin.set_state(Gst.State.NULL)
        self._location = self._announced = location
        self._buffering = False
        self._bin.set_property("uri", location)
        self._prerolled = False
        self._want(Gst.State.PLAYING if play else Gst.State.PAUSED)
        self._tell.began(location)
        if location.startswith("file:"):
            GLib.timeout_add(PREROLL_MS, self._too_late, location)

    def play(self) -> None:
        """Start or go on."""
        if self._location:
            self._want(Gst.State.PLAYING)

    def pause(self) -> None:
        """Pause."""
        if self._wanted is Gst.State.PLAYING:
            self._want(Gst.State.PAUSED)

    def stop(self) -> None:
        """Let go of device and file."""
        self._wanted = Gst.State.NULL
        self._bin.set_state(Gst.State.NULL)
        self._tell.changed()

    def seek(self, position_s: float) -> bool:
        """Go to a position; returns whether that is possible."""
        flags = Gst.SeekFlags.FLUSH | Gst.SeekFlags.KEY_UNIT
        return bool(self._bin.seek_simple(Gst.Format.TIME, flags, round(position_s * Gst.SECOND)))

    @property
    def status(self) -> str:
        """Return playing, paused or stopped, as it was asked for."""
        return {Gst.State.PLAYING: "playing", Gst.State.PAUSED: "paused"}.get(self._wanted, "stopped")

    @property
    def position_s(self) -> float:
        """Return where it is."""
        known, position = self._bin.query_position(Gst.Format.TIME)
        return max(0.0, position / Gst.SECOND) if known else 0.0

    @property
    def length_s(self) -> float:
        """Return how long what plays is, 0 when that is not known."""
        known, length = self._bin.query_duration(Gst.Format.TIME)
        return max(0.0, length / Gst.SECOND) if known else 0.0

    @property
    def can_seek(self) -> bool:
        """True for what has a length and a way back."""
        query = Gst.Query.new_seeking(Gst.Format.TIME)
        return bool(self._bin.query(query) and query.parse_seeking()[1])

    def _want(self, state: Any) -> None:
        self._wanted = state
        if not (self._buffering and state is Gst.State.PLAYING):
            self._bin.set_state(state)
        self._tell.changed()

    def _about_to_finish(self, _: Any) -> None:
        following = self._tell.upcoming()
        if following:
            self._announced = following
            self._bin.set_property("uri", following)

    def _message(self, _: Any, message: Any) -> None:
        match message.type:
            case Gst.MessageType.STREAM_START if self._announced != self._location:
                self._location = self._announced
                self._tell.began(self._location)
            case Gst.MessageType.EOS:
                self._tell.ended()
            case Gst.MessageType.ERROR:
                error, detail = message.parse_error()
                self._failed(error, detail or "")
            case Gst.MessageType.TAG:
                self._tags(message.parse_tag())
            case Gst.MessageType.BUFFERING:
                self._buffered(message.parse_buffering())
            case Gst.MessageType.CLOCK_LOST:
                self._bin.set_state(Gst.State.PAUSED)
                self._bin.set_state(self._wanted)
            case Gst.MessageType.ASYNC_DONE:
                self._prerolled = True
                self._tell.changed()
            case Gst.MessageType.DURATION_CHANGED:
                self._tell.changed()

    def _too_late(self, location: str) -> bool:
        """Give a file up out of which nothing comes: some that are broken make decoders wait for ever."""
        if location == self._location and not self._prerolled and self._wanted is not Gst.State.NULL:
            self._bin.set_state(Gst.State.NULL)
            self._tell.failed(location, "nothing comes out of it")
        return False

    def _failed(self, error: Any, detail: str) -> None:
        self._bin.set_state(Gst.State.NULL)  # which drops further errors of the same file
        location, self._announced = self._announced or self._location, self._location
        self._tell.failed(
            location, f"{error.message} ({detail.splitlines()[-1].strip()})" if detail else error.message
        )

    def _buffered(self, percent: int) -> None:
        """Wait with radio until there is enough, as the manual's "Buffering" has it."""
        self._buffering = percent < 100
        if self._wanted is Gst.State.PLAYING:
            self._bin.set_state(Gst.State.PAUSED if self._buffering else Gst.State.PLAYING)

    def _tags(self, tags: Any) -> None:
        found: dict[str, str] = {}
        for name in ("title", "artist", "album"):
            known, text = tags.get_string(name)
            if known and text:
                found[name] = text
        if "artist" not in found:
            known, text = tags.get_string("organization")  # a radio station's name
            if known and text:
                found["artist"] = text
        known, sample = tags.get_sample("image")
        if known:
            cover = self._save_cover(sample)
            if cover:
                found["cover"] = cover
        if found:
            self._tell.tags(found)

    def _save_cover(self, sample: Any) -> str:
        buffer = sample.get_buffer()
        if buffer is None or not 0 < buffer.get_size() <= MAX_COVER:
            return ""
        data = bytes(buffer.extract_dup(0, buffer.get_size()))
        path = self._folder / f"cover-{hashlib.sha256(data).hexdigest()[:16]}"
        try:
            if not path.exists():
                path.write_bytes(data)
                path.chmod(0o644)
            else:
                os.utime(path)
            covers = sorted(self._folder.glob("cover-*"), key=lambda p: p.stat().st_mtime)
            for old in covers[:-COVERS_KEPT]:
                old.unlink()
        except OSError:
            return ""
        return path.as_uri()


__all__ = ["Callbacks", "Engine", "GLib"]
