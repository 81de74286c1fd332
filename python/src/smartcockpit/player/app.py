# SPDX-License-Identifier: Apache-2.0
"""The player at work: queue, engine, library, and what is told to the daemon of them."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

from gi.repository import GLib

from smartcockpit.core.play_queue import PlayQueue
from smartcockpit.core.playback import LOOPS
from smartcockpit.player.engine import Callbacks, Engine
from smartcockpit.player.library import Library
from smartcockpit.player.link import DaemonLink
from smartcockpit.player.media import Media
from smartcockpit.player.places import expand, path_of

log = logging.getLogger(__name__)
TELL_MS = 5000
RADIO_RETRY_MS = 3000
SEEK_RETRY_MS, SEEK_TRIES = 100, 50
BACK_TO_START_S = 3.0
"""`previous` goes to the start of the track when more of it than this has been heard."""


class Player:
    """`state` holds the library, `covers` pictures; `media` is the folder that sticks are mounted below."""

    def __init__(self, socket: str, state: Path, covers: Path, media: Path, sink: str) -> None:
        self._queue = PlayQueue()
        self._tags: dict[str, str] = {}
        self._trouble = ""
        self._failures = 0
        self._library = Library(state / "library.sqlite")
        events = Callbacks(
            self._upcoming, self._began, self._new_tags, self._ended, self._failed, self._tell_later
        )
        self._engine = Engine(events, covers, sink)
        self._telling = False
        self._link = DaemonLink(socket, self._told, self._tell)
        self._media = Media([state / "music"], media, self._library, self._media_changed)
        self._media.start()
        GLib.timeout_add(TELL_MS, self._tell_position)
        self._link.start()

    # ---- what the daemon says ----------------------------------------------------------------------------

    def _told(self, message: dict[str, Any]) -> None:
        command = message.get("do")
        handler = getattr(self, f"_do_{command}", None) if isinstance(command, str) else None
        answer: dict[str, Any] = {}
        if handler is not None:
            try:
                answer = handler(message) or {}
            except (OSError, ValueError, TypeError, KeyError) as error:
                answer = {"error": str(error)}
        if type(message.get("answer")) is int:
            self._link.tell({"answer": message["answer"], **answer})
        self._tell()

    def _do_open(self, message: dict[str, Any]) -> dict[str, Any]:
        found: list[str] = []
        for location in message["locations"]:
            found += expand(location)
        if not found:
            return {"error": "there is nothing to play in it"}
        self._queue.replace(found)
        self._trouble, self._failures = "", 0
        self._load(message.get("play") is True)
        return {}

    def _do_play(self, _: dict[str, Any]) -> None:
        self._failures = 0
        if self._engine.status == "stopped":
            self._load(True)
        else:
            self._engine.play()

    def _do_pause(self, _: dict[str, Any]) -> None:
        self._engine.pause()

    def _do_stop(self, _: dict[str, Any]) -> None:
        self._engine.stop()

    def _do_next(self, _: dict[str, Any]) -> None:
        if self._queue.advance(by_itself=False) is not None:
            self._load(self._engine.status == "playing")

    def _do_previous(self, _: dict[str, Any]) -> None:
        if self._engine.position_s > BACK_TO_START_S or not self._queue.can_go_back:
            self._sought(0.0)
        else:
            self._queue.go_back()
            self._load(self._engine.status == "playing")

    def _do_seek(self, message: dict[str, Any]) -> None:
        self._sought(float(message["position_s"]))

    def _do_loop(self, message: dict[str, Any]) -> None:
        if message["what"] in LOOPS:
            self._queue.loop = message["what"]

    def _do_shuffle(self, message: dict[str, Any]) -> None:
        self._queue.shuffle = message["on"] is True

    def _do_find(self, message: dict[str, Any]) -> dict[str, Any]:
        found = self._library.find(str(message["words"]), int(message["limit"]), self._media.roots)
        return {"tracks": [track._asdict() for track in found]}

    # ---- what the engine says ----------------------------------------------------------------------------

    def _upcoming(self) -> str:
        place = self._queue.upcoming()
        return place.location if place else ""

    def _began(self, location: str) -> None:
        current = self._queue.current
        if current is None or current.location != location:
            self._queue.advance()
        self._tags = self._library.tags_of(location)
        self._tell_later()

    def _new_tags(self, tags: dict[str, str]) -> None:
        self._failures = 0
        if any(self._tags.get(key) != value for key, value in tags.items()):
            self._tags.update(tags)
            self._tell_later()

    def _ended(self) -> None:
        self._failures = 0
        current = self._queue.current
        if current is not None and not current.location.startswith("file:"):
            self._try_again(current.number)  # radio that ends has been cut off
        elif self._queue.advance() is not None:
            self._load(True)
        else:
            self._engine.stop()

    def _failed(self, location: str, reason: str) -> None:
        log.warning("cannot play %s: %s", ascii(location), reason)
        self._trouble = f"{location}: {reason}"
        current = self._queue.current
        if current is None:
            return
        if not location.startswith("file:"):
            self._try_again(current.number)
            return
        if current.location != location:
            self._queue.advance()  # the one after this one was broken, and this one has been heard
        self._failures += 1
        playing = self._engine.status == "playing"
        if self._failures < len(self._queue) and self._queue.advance(by_itself=False) is not None:
            self._load(playing)
        else:
            self._engine.stop()

    def _try_again(self, number: int) -> None:
        def again() -> bool:
            current = self._queue.current
            if current is not None and current.number == number and self._engine.status == "playing":
                self._load(True)
            return False

        GLib.timeout_add(RADIO_RETRY_MS, again)

    def _media_changed(self) -> None:
        """A stick has come or gone; what was on it can be played no more."""
        current = self._queue.current
        if current is not None and current.location.startswith("file:"):
            path = path_of(current.location)
            if self._media.was_below(path) and not Path(path).exists():
                self._queue.replace([])
                self._engine.stop()
        self._tell()

    # ---- what is told ------------------------------------------------------------------------------------

    def _load(self, play: bool) -> None:
        place = self._queue.current
        if place is not None:
            self._engine.load(place.location, play)

    def _sought(self, position_s: float, tries: int = SEEK_TRIES) -> None:
        """Go to a position; a track that is still being opened is asked again in a moment."""
        if self._engine.seek(position_s):
            self._tell(seeked=True, position_s=position_s)
            return
        wanted = self._queue.current

        def again() -> bool:
            if self._queue.current == wanted and self._engine.status != "stopped":
                self._sought(position_s, tries - 1)
            return False

        if tries > 0:
            GLib.timeout_add(SEEK_RETRY_MS, again)

    def _tell_later(self) -> None:
        """Gather news until the main loop turns; may be called from any thread."""
        if not self._telling:
            self._telling = True
            GLib.idle_add(self._tell_now)

    def _tell_now(self) -> bool:
        self._telling = False
        self._tell()
        return False

    def _tell_position(self) -> bool:
        if self._engine.status == "playing":
            self._tell()
        return True

    def _tell(self, **more: Any) -> None:
        place, engine = self._queue.current, self._engine
        track = None
        if place is not None:
            length_s = engine.length_s if engine.status != "stopped" else 0.0
            track = {"location": place.location, "number": place.number, "length_s": length_s, **self._tags}
            track.setdefault("title", place.location.rpartition("/")[2])
        self._link.tell(
            {
                "status": engine.status,
                "track": track,
                "position_s": engine.position_s if engine.status != "stopped" else 0.0,
                "loop": self._queue.loop,
                "shuffle": self._queue.shuffle,
                "can_next": self._queue.upcoming(by_itself=False) is not None,
                "can_previous": place is not None,
                "can_seek": engine.status != "stopped" and engine.can_seek,
                "queue": len(self._queue),
                "trouble": self._trouble,
                **more,
            }
        )


def run(player: Player) -> int:
    """Run until told to stop."""
    loop = GLib.MainLoop()
    for number in (2, 15):
        GLib.unix_signal_add(GLib.PRIORITY_HIGH, number, loop.quit)
    loop.run()
    del player
    sys.stderr.flush()
    return 0
