# SPDX-License-Identifier: Apache-2.0
"""Queue, playlists and what a player says of itself."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.core.play_queue import PlayQueue
from smartcockpit.core.playback import MAX_TEXT, Playback, from_line, playback_of, to_line
from smartcockpit.core.playlists import entries


def queue(*locations: str, loop: str = "none") -> PlayQueue:
    made = PlayQueue(random.Random(1))
    made.replace(locations)
    made.loop = loop
    return made


def heard(made: PlayQueue, most: int = 20) -> str:
    """Play until the end, as an engine does that asks what is next."""
    text = ""
    place = made.current
    while place is not None and len(text) < most:
        text += place.location
        place = made.advance()
    return text


@pytest.mark.parametrize(("loop", "sounds"), [("none", "abc"), ("queue", "abcabca"), ("track", "aaaaaaa")])
def test_queue_goes_on_as_it_is_told(loop: str, sounds: str) -> None:
    assert heard(queue("a", "b", "c", loop=loop), 7) == sounds


def test_a_button_leaves_a_track_that_repeats() -> None:
    made = queue("a", "b", loop="track")
    assert made.upcoming(by_itself=False) == made.advance(by_itself=False)
    assert heard(made, 2) == "bb"


def test_at_the_end_there_is_nothing_and_back_is_still_possible() -> None:
    made = queue("a", "b")
    made.advance()
    assert made.advance() is None
    assert made.can_go_back
    assert made.go_back().location == "a"  # type: ignore[union-attr]
    assert not made.can_go_back


@given(st.lists(st.text(max_size=3), min_size=1, max_size=30), st.integers(0, 99), st.integers(0, 29))
def test_shuffle_plays_everything_once_and_keeps_what_plays(locations: list[str], seed: int, at: int) -> None:
    made = PlayQueue(random.Random(seed))
    made.replace(locations)
    for _ in range(at % len(locations)):
        made.advance()
    current = made.current
    made.shuffle = True
    assert made.current == current
    numbers = [made.current.number]  # type: ignore[union-attr]
    while (place := made.advance()) is not None:
        numbers.append(place.number)
    assert sorted(numbers) == list(range(1, len(locations) + 1))
    made.shuffle = False
    assert made.current.number == numbers[-1]  # type: ignore[union-attr]


def test_an_empty_queue_has_nothing() -> None:
    made = queue()
    assert (made.current, made.advance(), made.go_back(), made.upcoming(), len(made)) == (
        None,
        None,
        None,
        None,
        0,
    )


def test_m3u_with_comments_relative_paths_and_radio() -> None:
    text = "\ufeff#EXTM3U\n#EXTINF:1,x\nb c.mp3\r\n../d\\e.ogg\n/abs.mp3\nhttp://r.example/s\nftp://no\nsmb://no\n"
    assert entries(text, "/media/x") == [
        "file:///media/x/b%20c.mp3", "file:///media/d/e.ogg", "file:///abs.mp3", "http://r.example/s"
    ]  # fmt: skip


def test_pls_and_a_playlist_from_the_network() -> None:
    text = "[playlist]\nNumberOfEntries=2\nFile1=http://a.example/x\nTitle1=nonsense\nfile2 = local.mp3\n"
    assert entries(text, "/m") == ["http://a.example/x", "file:///m/local.mp3"]
    assert entries(text, "") == ["http://a.example/x"], "the network names no files of ours"


@given(st.text(), st.sampled_from(["", "/m"]))
def test_any_text_gives_locations_that_can_be_played(text: str, folder: str) -> None:
    for location in entries(text, folder):
        assert location.lower().startswith(("file:///", "http://", "https://"))
        assert "\n" not in location


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ["status", "track", "position_s", "loop", "shuffle", "can_next", "queue", "trouble"]
TRACK = st.dictionaries(st.sampled_from(["location", "number", "title", "artist", "length_s", "cover"]), JSON)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON | TRACK))
def test_whatever_a_player_says_becomes_a_playback_that_fits_d_bus(message: dict[str, object]) -> None:
    found = playback_of(message)
    assert found.status in ("playing", "paused", "stopped")
    assert 0 <= found.position_s < 1e9
    if found.track:
        found.track.title.encode()
        assert len(found.track.title) <= MAX_TEXT
        assert 0 <= found.track.length_s < 1e9


@given(st.binary())
def test_any_line_is_an_object_or_refused(line: bytes) -> None:
    with suppress(ValueError):
        assert isinstance(from_line(line), dict)


def test_a_line_comes_back() -> None:
    message = {"do": "open", "locations": ["file:///a%0Ab", "\udcff"]}
    assert from_line(to_line(message)) == message
    assert to_line(message).count(b"\n") == 1
    assert Playback(position_s=1).same_but_for_time(Playback(position_s=2))
