# SPDX-License-Identifier: Apache-2.0
"""The daemon's end of the music player: what it plays, what the driver wants, what focus lets it do.

The player itself is another process behind `adapters.player_link`; here is what is known of it, and the rule
that a call's pause ends with the call unless the driver said otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smartcockpit.adapters.player_link import PlayerLink
from smartcockpit.core.clock import Clock
from smartcockpit.core.errors import LimitError, UsageError
from smartcockpit.core.focus import Resumption, RoleState, Verdict
from smartcockpit.core.playback import Playback, Track, playback_of, track_of
from smartcockpit.core.sound_roles import Role

LOCATIONS = 2000
FOUND = 500
SCHEMES = ("file", "http", "https")


class Music:
    """`on_change` is called when more than the position is another, `on_seek` after a leap of it."""

    def __init__(
        self, link: PlayerLink, clock: Clock, on_change: Callable[[], None], on_seek: Callable[[], None]
    ) -> None:
        self.state = Playback()
        self._link, self._clock = link, clock
        self._on_change, self._on_seek = on_change, on_seek
        self._told_ns = 0
        self._pause = Resumption()

    @property
    def present(self) -> bool:
        """True while the player process is there."""
        return self._link.present

    @property
    def position_s(self) -> float:
        """Return where it is by now."""
        state = self.state
        if state.status != "playing":
            return state.position_s
        passed_s = (self._clock.monotonic_ns() - self._told_ns) / 1e9
        length_s = state.track.length_s if state.track else 0.0
        return min(state.position_s + passed_s, length_s) if length_s else state.position_s + passed_s

    # ---- what the driver wants; all raise `UnavailableError` while the player is away --------------------

    def play(self) -> None:
        """Start or go on; during a call, when it has ended."""
        if self._pause.wants(True):
            self._link.tell("play")

    def pause(self) -> None:
        """Pause, also beyond the end of a call."""
        self._pause.wants(False)
        self._link.tell("pause")

    def stop(self) -> None:
        """Stop, also beyond the end of a call."""
        self._pause.wants(False)
        self._link.tell("stop")

    def step(self, forward: bool) -> None:
        """Go to the next or previous track."""
        self._link.tell("next" if forward else "previous")

    def seek(self, position_s: float) -> None:
        """Go to a position of this track; beyond its end is the next one. Radio does not heed it."""
        length_s = self.state.track.length_s if self.state.track else 0.0
        if length_s and position_s > length_s:
            self.step(True)
        else:
            self._link.tell("seek", position_s=max(0.0, position_s))

    def loop(self, what: str) -> None:
        """Repeat none, track or queue."""
        self._link.tell("loop", what=what)

    def shuffle(self, on: bool) -> None:
        """Play the queue in no order, or in its own."""
        self._link.tell("shuffle", on=on)

    async def open(self, locations: list[str], play: bool) -> None:
        """Replace the queue; raises `UsageError`, `LimitError` for locations that cannot be."""
        if len(locations) > LOCATIONS:
            raise LimitError(f"{len(locations)} locations at once", f"at most {LOCATIONS}")
        checked = [checked_location(location) for location in locations]
        start = self._pause.wants(True) if play else False
        answer = await self._link.ask("open", locations=checked, play=start)
        if answer.get("error"):
            raise UsageError(str(answer["error"])[:300], "a file, folder, playlist or http(s) address")

    async def find(self, words: str, limit: int) -> list[Track]:
        """Search the library."""
        answer = await self._link.ask("find", words=words[:200], limit=min(limit or FOUND, FOUND))
        found = answer.get("tracks")
        return [track_of(t) for t in found[:FOUND] if isinstance(t, dict)] if isinstance(found, list) else []

    # ---- what happens ------------------------------------------------------------------------------------

    def verdict(self, verdicts: dict[Role, Verdict]) -> None:
        """Pause or go on as focus has it."""
        paused = verdicts[Role.MUSIC].state is RoleState.PAUSED
        wish = self._pause.focus(paused, self.state.status == "playing")
        if wish and self._link.present:
            self._link.tell(wish)

    def message(self, message: dict[str, Any]) -> None:
        """Take what the player says."""
        before, self.state = self.state, playback_of(message)
        self._told_ns = self._clock.monotonic_ns()
        if not before.same_but_for_time(self.state):
            self._on_change()
        if message.get("seeked") is True:
            self._on_seek()

    def gone(self) -> None:
        """The player has gone; when it is back it has an empty queue."""
        self.state = Playback()
        self._on_change()


def checked_location(location: str) -> str:
    """Return an absolute path as a file URI, a URI as it is; raises `UsageError` for anything else."""
    if location.startswith("/"):
        from urllib.parse import quote

        return "file://" + quote(location)
    scheme = location.partition("://")[0].lower()
    if scheme not in SCHEMES or len(location) > 4096 or any(ord(c) < 33 for c in location):
        raise UsageError(
            f"cannot play {location[:100]!r}", "an absolute path, or a file, http or https address"
        )
    return location
