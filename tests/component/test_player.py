# SPDX-License-Identifier: Apache-2.0
"""The player behind the daemon, seen from outside: stock playerctl on the bus, and what goes to the card."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from dbus_next import Variant
from support.audio import CHIME_HZ, DBUS, NAME, Audio, Daemon, level, named
from support.dbus_client import RawClient
from support.dbus_daemon import PrivateBus
from support.player import make_music, needs_gstreamer, start_player
from support.sound_server import SoundServer

MPRIS = "org.mpris.MediaPlayer2"
FIRST_HZ, SECOND_HZ = 500, 1200
"""Tones of the first and the second track."""


class Stage:
    """Daemon and player at work beside each other."""

    def __init__(self, folder: Path, bus: PrivateBus, sound: SoundServer) -> None:
        self.folder, self.bus, self.sound = folder, bus, sound
        self.daemon = Daemon(folder, bus, sound)
        self.player: subprocess.Popen[bytes] | None = None

    def start_player(self) -> None:
        self.player = start_player(self.folder, self.sound.environment)

    def close(self) -> None:
        if self.player is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.player.pid, signal.SIGKILL)
            self.player.wait()
        self.daemon.close()

    def playerctl(self, *arguments: str) -> str:
        done = subprocess.run(
            ["playerctl", "-p", "smartcockpit", *arguments],
            env=self.bus.environment, capture_output=True, text=True, timeout=10, check=False,
        )  # fmt: skip
        return (done.stdout + done.stderr).strip()

    async def until(self, holds: Callable[[str], bool], *arguments: str) -> str:
        said = ""
        try:
            async with asyncio.timeout(8):
                while not holds(said := await asyncio.to_thread(self.playerctl, *arguments)):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            pytest.fail(f"playerctl {' '.join(arguments)} says {said!r}")
        return said


@pytest.fixture(scope="module")
def sound() -> Iterator[SoundServer]:
    with tempfile.TemporaryDirectory(prefix="sc-") as name, SoundServer(Path(name)) as server:
        server.add_card()
        yield server


@pytest.fixture(scope="module")
def music() -> Iterator[Path]:
    """A folder with two short tracks and one long one."""
    needs_gstreamer()
    with tempfile.TemporaryDirectory(prefix="sc-") as name:
        folder = Path(name)
        make_music(
            {folder / "1 first.flac": (FIRST_HZ, 1.5)}, title="Erstes Stück", artist="Anna", album="Töne"
        )
        make_music({folder / "2 second.ogg": (SECOND_HZ, 1.5)}, title="Second", artist="Bert")
        make_music({folder / "long/10 long.wav": (FIRST_HZ, 60)})
        yield folder


@pytest_asyncio.fixture
async def stage(sound: SoundServer, music: Path) -> AsyncIterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="sc-") as name, PrivateBus(Path(name)) as bus:
        made = Stage(Path(name), bus, sound)
        made.daemon.start()
        raw = await RawClient.connect(bus.address)
        await named(raw)
        made.audio = Audio(raw)  # type: ignore[attr-defined]
        await raw.add_match(f"type='signal',interface='{NAME}'")
        await raw.add_match("type='signal',path='/org/mpris/MediaPlayer2'")
        await made.audio.becomes("Server", lambda s: s["State"] == "ready")  # type: ignore[attr-defined]
        made.start_player()
        await made.audio.becomes("Player", bool, 20)  # type: ignore[attr-defined]
        try:
            yield made
        finally:
            raw.close()
            made.close()


def audio_of(stage: Stage) -> Audio:
    found: Audio = stage.audio  # type: ignore[attr-defined]
    return found


async def test_a_folder_is_played_in_order_without_a_gap_and_playerctl_shows_it(
    stage: Stage, music: Path
) -> None:
    with stage.sound.recording() as recorder:
        await audio_of(stage).call("OpenMusic", "asb", [str(music)], True)
        assert await stage.until(lambda s: s == "Playing", "status")
        await stage.until(lambda s: s == "Erstes Stück", "metadata", "title")
        assert stage.playerctl("metadata", "artist") == "Anna"
        assert stage.playerctl("metadata", "album") == "Töne"
        assert abs(int(stage.playerctl("metadata", "mpris:length")) - 1_500_000) < 50_000
        await level(recorder, SECOND_HZ, lambda db: db > -12, "second track")
        await stage.until(lambda s: s == "Second", "metadata", "title")
        recording = recorder.so_far()
    first = [db > -20 for db in recording.tones(FIRST_HZ, 0.02)]
    second = [db > -20 for db in recording.tones(SECOND_HZ, 0.02)]
    gap = second.index(True) - (len(first) - first[::-1].index(True))
    assert gap <= 2, f"{gap * 20} ms between the tracks"


async def test_buttons_of_playerctl_work(stage: Stage, music: Path) -> None:
    await audio_of(stage).call("OpenMusic", "asb", [str(music / "long"), str(music / "2 second.ogg")], True)
    await stage.until(lambda s: s == "Playing", "status")
    await stage.until(lambda s: float(s) > 0.2, "position")
    stage.playerctl("position", "30")
    await stage.until(lambda s: 29.5 < float(s) < 35, "position")
    assert (await audio_of(stage).raw.signal("Seeked")).body[0] > 29_000_000
    stage.playerctl("pause")
    await stage.until(lambda s: s == "Paused", "status")
    stage.playerctl("play-pause")
    await stage.until(lambda s: s == "Playing", "status")
    stage.playerctl("next")
    await stage.until(lambda s: s == "Second", "metadata", "title")
    stage.playerctl("previous")
    await stage.until(lambda s: "long" in s, "metadata", "xesam:url")
    stage.playerctl("volume", "0.4")
    await audio_of(stage).becomes("Roles", lambda r: r["music"]["Volume"] == 40)
    for button, value in (("loop", "Playlist"), ("shuffle", "On")):
        stage.playerctl(button, value)
        await stage.until(lambda s, value=value: s == value, button)
    stage.playerctl("stop")
    await stage.until(lambda s: s == "Stopped", "status")
    stage.playerctl("open", f"file://{music}/2%20second.ogg")
    await stage.until(lambda s: s == "Second", "metadata", "title")


async def test_a_volume_of_another_type_is_refused(stage: Stage) -> None:
    raw = audio_of(stage).raw
    for name, value in (
        ("Volume", Variant("s", "x")),
        ("Shuffle", Variant("d", 1.0)),
        ("LoopStatus", Variant("s", "x")),
    ):
        reply = await raw.call(
            f"{MPRIS}.smartcockpit", "/org/mpris/MediaPlayer2", f"{DBUS}.Properties", "Set", "ssv",
            f"{MPRIS}.Player", name, value,
        )  # fmt: skip
        assert reply.error_name in (f"{DBUS}.Error.InvalidArgs", "org.smartcockpit.Error.Usage"), name
    assert stage.playerctl("volume") == "1.000000"


async def test_changes_are_announced_as_mpris_has_it(stage: Stage, music: Path) -> None:
    await audio_of(stage).call("OpenMusic", "asb", [str(music / "long")], True)
    seen: dict[str, Any] = {}
    async with asyncio.timeout(5):
        while seen.get("PlaybackStatus") != "Playing" or "Metadata" not in seen:
            body = (await audio_of(stage).raw.signal("PropertiesChanged")).body
            if body[0] == f"{MPRIS}.Player":
                seen.update({key: value.value for key, value in body[1].items()})
    assert seen["Metadata"]["mpris:trackid"].signature == "o"


async def test_a_call_pauses_the_player_and_its_end_lets_it_go_on(stage: Stage, music: Path) -> None:
    await audio_of(stage).call("OpenMusic", "asb", [str(music / "long")], True)
    await stage.until(lambda s: s == "Playing", "status")
    token = await audio_of(stage).call("RequestFocus", "s", "phone")
    await stage.until(lambda s: s == "Paused", "status")
    await audio_of(stage).call("ReleaseFocus", "t", token)
    await stage.until(lambda s: s == "Playing", "status")
    token = await audio_of(stage).call("RequestFocus", "s", "phone")
    await stage.until(lambda s: s == "Paused", "status")
    stage.playerctl("pause")
    await audio_of(stage).call("ReleaseFocus", "t", token)
    await asyncio.to_thread(stage.playerctl, "status")
    assert stage.playerctl("status") == "Paused", "the driver has paused it during the call"


async def test_a_killed_player_is_told_and_a_chime_is_heard_all_the_same(stage: Stage, music: Path) -> None:
    await audio_of(stage).call("OpenMusic", "asb", [str(music / "long")], True)
    with stage.sound.recording() as recorder:
        await level(recorder, FIRST_HZ, lambda db: db > -12, "music")
        assert stage.player
        stage.player.send_signal(signal.SIGKILL)
        await audio_of(stage).becomes("Player", lambda p: not p)
        assert await audio_of(stage).heard(await audio_of(stage).call("PlayChime", "s", "belt")) == ""
        await level(recorder, FIRST_HZ, lambda db: db < -60, "music of the dead")
        assert max(w.tone_db(CHIME_HZ) for w in recorder.so_far().last(1.5).windows(0.05)) > -21
    assert stage.playerctl("status") == "Stopped"
    stage.player.wait()
    stage.start_player()
    await audio_of(stage).becomes("Player", bool, 20)


async def test_broken_missing_and_unreadable_files_are_skipped(
    stage: Stage, music: Path, tmp_path: Path
) -> None:
    (tmp_path / "1 broken.mp3").write_bytes(os.urandom(20_000))
    (tmp_path / "2 empty.flac").touch()
    (tmp_path / "3 text.ogg").write_text("no music at all\n" * 100)
    with (tmp_path / "4 huge.wav").open("wb") as file:
        file.truncate(1 << 36)
    name = b"5 new\nline \xff.ogg"
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))).write_bytes(
        (music / "2 second.ogg").read_bytes()
    )
    await audio_of(stage).call("OpenMusic", "asb", [str(tmp_path)], True)
    await stage.until(lambda s: "%0Aline%20%FF" in s, "metadata", "xesam:url")
    await stage.until(lambda s: s == "Second", "metadata", "title")


async def test_nothing_playable_is_an_answer(stage: Stage, tmp_path: Path) -> None:
    assert "nothing to play" in await audio_of(stage).error("OpenMusic", "asb", [str(tmp_path)], True)
    assert "No such file" in await audio_of(stage).error("OpenMusic", "asb", ["/nonexistent/x.mp3"], True)
    (tmp_path / "all broken.mp3").write_bytes(bytes(1000))
    await audio_of(stage).call("OpenMusic", "asb", [str(tmp_path)], True)
    await stage.until(lambda s: s == "Stopped", "status")


async def test_radio_plays_and_tells_its_titles(stage: Stage, music: Path) -> None:
    with radio((music / "long/10 long.wav").read_bytes(), "Morning show") as address:
        playlist = stage.folder / "radio.m3u"
        playlist.write_text(f"#EXTM3U\n{address}\n")
        with stage.sound.recording() as recorder:
            await audio_of(stage).call("OpenMusic", "asb", [str(playlist)], True)
            await level(recorder, FIRST_HZ, lambda db: db > -12, "radio")
        await stage.until(lambda s: s == "Morning show", "metadata", "artist")
        assert stage.playerctl("metadata", "xesam:url") == address


async def test_the_library_finds_by_beginnings_of_words_and_goes_with_its_folder(
    stage: Stage, music: Path
) -> None:
    own = stage.folder / "library/music"
    own.mkdir(parents=True, exist_ok=True)
    for path in music.glob("*.*"):
        (own / path.name).write_bytes(path.read_bytes())
    assert stage.player
    stage.player.kill()
    stage.player.wait()
    stage.start_player()
    await audio_of(stage).becomes("Player", bool, 20)
    found: list[Any] = []
    async with asyncio.timeout(10):
        while len(found) < 2:
            found = await audio_of(stage).call("FindMusic", "su", "", 50)
            await asyncio.sleep(0.1)
    assert [row[1] for row in await audio_of(stage).call("FindMusic", "su", "stu ann", 9)] == ["Erstes Stück"]
    assert await audio_of(stage).call("FindMusic", "su", "tück", 9) == []
    assert await audio_of(stage).call("FindMusic", "su", "' OR 1=1 --", 9) == []


async def test_only_our_policy_decides_who_presses_buttons(stage: Stage) -> None:
    reply = await audio_of(stage).raw.call(
        NAME, "/org/mpris/MediaPlayer2", f"{DBUS}.Properties", "GetAll", "s", f"{MPRIS}.Player"
    )
    assert reply.error_name, "the player's objects hang on their own name, with their own policy"


@contextlib.contextmanager
def radio(body: bytes, name: str) -> Iterator[str]:
    """A station that sends at the pace of its listeners and says its name as ICY headers."""

    class Station(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            for key, value in (("Content-Type", "audio/x-wav"), ("icy-name", name)):
                self.send_header(key, value)
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Station) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/live"
        server.shutdown()
