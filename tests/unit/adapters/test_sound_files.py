# SPDX-License-Identifier: Apache-2.0
"""WAV files, chimes, spoken texts and the remembered volumes, as hostile as they come."""

from __future__ import annotations

import os
import struct
import wave
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.adapters import chime_files, speech
from smartcockpit.adapters.pulse_tags import S16LE, SampleSpec
from smartcockpit.adapters.speech import Speech, speakable
from smartcockpit.adapters.state_file import read_state, write_state
from smartcockpit.adapters.wav_file import Sound, parse_wav, read_wav, write_wav
from smartcockpit.core.chimes import CHIMES, RATE_HZ
from smartcockpit.core.errors import ConfigError, LimitError, UnavailableError, UsageError
from support.levels import Recording


@given(
    st.sampled_from([8000, 16_000, 44_100, 48_000]),
    st.sampled_from([1, 2]),
    st.lists(st.integers(-32768, 32767)),
)
def test_samples_come_back(rate_hz: int, channels: int, values: list[int]) -> None:
    samples = array("h", values[: len(values) // channels * channels]).tobytes()
    sound = Sound(SampleSpec(S16LE, channels, rate_hz), samples)
    assert parse_wav(write_wav(sound)) == sound


@pytest.mark.parametrize(
    ("width", "frame", "sample"),
    [(1, b"\xff", 0x7F00), (3, b"\x01\x00\x40", 0x4000), (4, b"\1\1\0\xc0", -0x4000)],
)
def test_other_widths_become_16_bit(tmp_path: Path, width: int, frame: bytes, sample: int) -> None:
    path = tmp_path / "x.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(8000)
        file.writeframes(frame)
    assert struct.unpack("<h", read_wav(str(path)).samples) == (sample,)


GOOD = write_wav(Sound(SampleSpec(S16LE, 2, 48_000), bytes(64)))


@given(st.binary(max_size=80), st.integers(0, len(GOOD)), st.integers(0, len(GOOD)))
def test_any_bytes_are_a_sound_or_refused(noise: bytes, start: int, end: int) -> None:
    for data in (noise, GOOD[:start] + noise + GOOD[end:]):
        try:
            sound = parse_wav(data)
        except UsageError:
            continue
        assert len(sound.samples) <= 4 * len(data)


def test_a_pipe_a_folder_and_a_missing_file_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "none", "/dev/zero", "a\0b"):
        with pytest.raises(UsageError):
            read_wav(str(path))


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "huge.wav").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(LimitError):
        read_wav(str(tmp_path / "huge.wav"))


def test_every_chime_sounds_at_its_first_frequency_and_ends_in_silence() -> None:
    for name, tones in CHIMES.items():
        samples = array("h", chime_files.made(name).samples)
        recording = Recording(samples, RATE_HZ)
        assert recording.between(0, 0.05).tone_db(tones[0].frequency_hz) > -12, name
        assert 20_000 < recording.peak < 30_000
        assert max(abs(s) for s in samples[-10:]) < 600, f"{name} ends with a click"


def test_a_chime_is_never_missing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "belt.wav").write_bytes(b"garbage")
    (tmp_path / "door.wav").write_bytes(GOOD)  # stereo
    own = Sound(chime_files.SPEC, bytes(480))
    (tmp_path / "park.wav").write_bytes(write_wav(own))
    assert chime_files.load("belt", [tmp_path]) == chime_files.made("belt")
    assert chime_files.load("door", [tmp_path]) == chime_files.made("door")
    assert chime_files.load("park", [tmp_path / "none", tmp_path]) == own
    assert [r.args[0] for r in caplog.records if r.args] == ["belt", "door"]


def test_chimes_are_written_as_installed(tmp_path: Path) -> None:
    assert chime_files.main([str(tmp_path)]) == 0
    assert {p.stem for p in tmp_path.iterdir()} == set(CHIMES)
    assert read_wav(str(tmp_path / "belt.wav")) == chime_files.made("belt")


@given(st.text(max_size=600))
def test_what_is_spoken_is_one_line_of_characters(text: str) -> None:
    try:
        cleaned = speakable(text)
    except (LimitError, UsageError):
        return
    assert cleaned.isprintable()
    assert any(c.isalnum() for c in cleaned)


ENGINE = """#!/bin/sh
printf '%s\\n' "$@" > "$SAID/arguments"
while [ $# -gt 0 ]; do
    case $1 in -f) cat "$2" > "$SAID/text" ;; -o | -w) out=$2 ;; esac
    shift
done
{act}
"""


async def say(folder: Path, act: str, engine: str = "flite") -> Sound:
    program = folder / engine
    program.write_text(ENGINE.format(act=act).replace("$SAID", str(folder)))
    program.chmod(0o755)
    (folder / "made.wav").write_bytes(GOOD)
    before = os.environ["PATH"]
    os.environ["PATH"] = f"{folder}:{before}"
    try:
        return await Speech(engine, "slt", folder / "out").say("Turn $(reboot); left\n-v\x1b[2J")
    finally:
        os.environ["PATH"] = before


@pytest.mark.parametrize("engine", ["flite", "espeak-ng"])
async def test_a_text_reaches_the_engine_as_text_alone(tmp_path: Path, engine: str) -> None:
    sound = await say(tmp_path, f'cp {tmp_path}/made.wav "$out"', engine)
    assert sound == parse_wav(GOOD)
    assert (tmp_path / "text").read_text() == "Turn $(reboot); left -v [2J\n"
    assert "reboot" not in (tmp_path / "arguments").read_text()
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("act", "words"),
    [("exit 3", "ended with 3"), ("true", "said nothing"), ('echo x > "$out"', "said nothing")],
)
async def test_an_engine_that_fails_is_unavailable_and_leaves_nothing(
    tmp_path: Path, act: str, words: str
) -> None:
    with pytest.raises(UnavailableError, match=words):
        await say(tmp_path, act)
    assert list((tmp_path / "out").iterdir()) == []


async def test_an_engine_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech, "TIMEOUT_S", 0.3)
    with pytest.raises(UnavailableError, match="longer than"):
        await say(tmp_path, f"echo $$ > {tmp_path}/pid; exec sleep 60")
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_a_missing_engine_is_told(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="not installed"):
        await Speech("no-such-engine", "", tmp_path).say("hello")


def test_state_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep/state.json"
    assert read_state(path, 100) is None
    write_state(path, "one")
    write_state(path, "two")
    assert read_state(path, 100) == "two"
    assert [p.name for p in path.parent.iterdir()] == ["state.json"]


def test_state_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(101))
    (tmp_path / "binary").write_bytes(b"\xff")
    for name in ("large", "binary", "."):
        with pytest.raises(ConfigError):
            read_state(tmp_path / name, 100)
    with pytest.raises(UnavailableError):
        write_state(Path("/proc/nonexistent/state"), "x")
