# SPDX-License-Identifier: Apache-2.0
"""Folders and tags into the library: order, hostile names and files, a database that breaks."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smartcockpit.adapters.pulse_tags import S16LE, SampleSpec
from smartcockpit.adapters.wav_file import Sound, write_wav
from smartcockpit.player import index as indexer
from smartcockpit.player.index import index
from smartcockpit.player.library import Indexed, Library
from smartcockpit.player.places import expand, path_of, sounds_in, uri_of

WAV = write_wav(Sound(SampleSpec(S16LE, 1, 8000), bytes(16_000)))


def id3(**frames: bytes) -> bytes:
    """Return an MP3 of nothing with ID3v2.3 frames as given, encoding byte included."""
    body = b"".join(k.encode() + struct.pack(">IH", len(v), 0) + v for k, v in frames.items())
    size = bytes((len(body) >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\3\0\0" + size + body + (b"\xff\xfb\x90\x00" + bytes(413)) * 20


def found(database: Path, words: str, root: Path) -> list[str]:
    library = Library(database)
    titles = [entry.title for entry in library.find(words, 50, [str(root)])]
    library.close()
    return titles


@given(st.binary(min_size=1, max_size=40).filter(lambda b: b"\0" not in b))
def test_a_path_of_any_bytes_survives_being_a_uri(name: bytes) -> None:
    path = os.fsdecode(b"/m/" + name)
    assert path_of(uri_of(path)) == path
    assert uri_of(path).isascii()
    assert "\n" not in uri_of(path)


def test_a_folder_is_in_the_order_that_people_count_in_and_links_lead_nowhere(tmp_path: Path) -> None:
    for name in ("10.mp3", "9.mp3", "b/1.flac", "B side.ogg", ".hidden.mp3", "cover.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "x.mp3").symlink_to("/dev/zero")
    assert [os.path.relpath(p, tmp_path) for p in sounds_in(str(tmp_path))] == [
        "9.mp3", "10.mp3", "b/1.flac", "B side.ogg"
    ]  # fmt: skip


def test_a_playlist_is_its_entries_and_a_missing_file_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").touch()
    (tmp_path / "list.m3u").write_bytes(b"a.mp3\n\xff.ogg\nhttp://r.example/\n")
    assert expand(uri_of(str(tmp_path / "list.m3u"))) == [
        uri_of(str(tmp_path / "a.mp3")), uri_of(f"{tmp_path}/\udcff.ogg"), "http://r.example/"
    ]  # fmt: skip
    with pytest.raises(FileNotFoundError):
        expand(uri_of(str(tmp_path / "none.mp3")))


def test_tags_are_found_by_beginnings_without_accents_and_case(tmp_path: Path) -> None:
    root, database = tmp_path / "m", tmp_path / "db/library.sqlite"
    root.mkdir()
    (root / "1.mp3").write_bytes(
        id3(TIT2=b"\1\xff\xfe" + "Für Élise".encode("utf-16-le"), TPE1=b"\0Beethoven")
    )
    (root / "untagged song.wav").write_bytes(WAV)
    assert index(str(root), database) == 2
    assert found(database, "fur el", root) == ["Für Élise"]
    assert found(database, "beeth", root) == ["Für Élise"]
    assert found(database, "song", root) == ["untagged song"]
    assert found(database, "ethoven", root) == []
    assert found(database, "100% _", root) == []
    assert found(database, "", tmp_path / "not plugged in") == []


def test_only_what_has_changed_is_read_again_and_what_is_gone_is_forgotten(tmp_path: Path) -> None:
    root, database = tmp_path / "m", tmp_path / "library.sqlite"
    root.mkdir()
    for name in ("a.wav", "b.wav", "c.wav"):
        (root / name).write_bytes(WAV)
    assert index(str(root), database) == 3
    (root / "a.wav").write_bytes(WAV + WAV)
    (root / "b.wav").unlink()
    assert index(str(root), database) == 1
    assert sorted(found(database, "", root)) == ["a", "c"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=300),
    st.sampled_from([".mp3", ".flac", ".ogg", ".wav", ".m4a", ".wma", ".aiff"]),
    st.booleans(),
)
def test_no_file_stops_the_indexer(tmp_path: Path, data: bytes, suffix: str, headed: bool) -> None:
    heads = {
        ".mp3": b"ID3\3\0\0\0\0\1\0",
        ".flac": b"fLaC",
        ".ogg": b"OggS\0\2",
        ".wav": b"RIFF\xff\xff\xff\xffWAVE",
    }
    root = tmp_path / "m"
    root.mkdir(exist_ok=True)
    for old in root.iterdir():
        old.unlink()
    (root / f"x{suffix}").write_bytes((heads.get(suffix, b"") if headed else b"") + data)
    (root / os.fsdecode(b"\xff\n.wav")).write_bytes(WAV)
    database = tmp_path / "library.sqlite"
    index(str(root), database)
    titles = found(database, "", root)
    assert len(titles) == 2
    assert all(title.isprintable() for title in titles)


def test_tags_in_a_wrong_encoding_are_text_all_the_same(tmp_path: Path) -> None:
    root = tmp_path / "m"
    root.mkdir()
    (root / "1.mp3").write_bytes(id3(TIT2=b"\3\xff\xfe\xfa broken", TPE1=b"\1odd"))
    (root / "2.mp3").write_bytes(id3(TIT2=b"\3" + b"x\x1b[2J\ny" * 200))
    index(str(root), tmp_path / "db")
    for title in found(tmp_path / "db", "", root):
        assert title.isprintable()
        assert 0 < len(title) <= indexer.MAX_TEXT


def test_a_named_pipe_is_no_file(tmp_path: Path) -> None:
    root = tmp_path / "m"
    root.mkdir()
    os.mkfifo(root / "pipe.mp3")
    (root / "a.wav").write_bytes(WAV)
    assert index(str(root), tmp_path / "db") == 1


@pytest.mark.parametrize("content", [b"no database" * 100, b"", b"SQLite format 3\0" + bytes(3000)])
def test_a_broken_database_is_made_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "library.sqlite"
    path.write_bytes(content)
    library = Library(path)
    library.put([Indexed("file:///a", "/r", 1, 2, "Title", "", "", 0, 1.0)])
    assert [entry.title for entry in library.find("tit", 5, ["/r"])] == ["Title"]
    assert library.tags_of("file:///a") == {"title": "Title"}
    library.close()
