# SPDX-License-Identifier: Apache-2.0
"""The player process on the system's own Python, which has GStreamer where a venv has not; and music for it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PYTHON = "/usr/bin/python3"
CHECK = "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst"
MAKE = """
import json, sys, gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
for line in sys.stdin.read().splitlines():
    pipeline, tags = json.loads(line)
    made = Gst.parse_launch(pipeline)
    if tags:
        made.get_by_name("inject").set_property("tags", ",".join(f"{k}=(string)" + json.dumps(v, ensure_ascii=False) for k, v in tags.items()))
    made.set_state(Gst.State.PLAYING)
    end = made.get_bus().timed_pop_filtered(20 * Gst.SECOND, Gst.MessageType.EOS | Gst.MessageType.ERROR)
    made.set_state(Gst.State.NULL)
    if end is None or end.type != Gst.MessageType.EOS:
        sys.exit(f"{pipeline}: {end.parse_error() if end else 'too slow'}")
"""
ENCODERS = {"ogg": "vorbisenc ! oggmux", "flac": "flacenc ! flactag", "wav": "wavenc"}


def needs_gstreamer() -> None:
    """Skip the test where GStreamer's Python binding is missing."""
    if subprocess.run([SYSTEM_PYTHON, "-c", CHECK], capture_output=True, check=False).returncode:
        pytest.skip("GStreamer for Python is not installed (make setup)")


def make_music(files: dict[Path, tuple[int, float]], **tags: str) -> None:
    """Make sound files, each a tone: path → (frequency in Hz, length in s); all with the same tags."""
    lines = []
    for path, (frequency_hz, length_s) in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        encode = ENCODERS[path.suffix[1:]]
        pipeline = (
            f"audiotestsrc volume=0.9 freq={frequency_hz} num-buffers={int(length_s * 100)} samplesperbuffer=480 "
            f"! audio/x-raw,rate=48000,channels=1 ! audioconvert ! taginject name=inject ! {encode} "
            f'! filesink location="{path}"'
        )
        lines.append(json.dumps([pipeline, tags]))
    subprocess.run([SYSTEM_PYTHON, "-c", MAKE], input="\n".join(lines), text=True, check=True, timeout=60)


def start_player(
    folder: Path, environment: dict[str, str], sink: str = "pulsesink"
) -> subprocess.Popen[bytes]:
    """Start a player whose daemon listens at `folder`/player; its library and covers lie in `folder`."""
    libraries = folder / "libraries"
    if not libraries.exists():
        libraries.mkdir()
        found = importlib.util.find_spec("tinytag")
        assert found
        assert found.origin
        (libraries / "tinytag").symlink_to(Path(found.origin).parent)
    return subprocess.Popen(
        [SYSTEM_PYTHON, "-m", "smartcockpit.player", "--socket", str(folder / "player"), "--state",
         str(folder / "library"), "--covers", str(folder / "covers"), "--media", str(folder / "media"),
         "--sink", sink],
        start_new_session=True,  # its indexer goes with it
        env={**environment, "PYTHONPATH": f"{ROOT}/python/src:{libraries}", "HOME": str(folder)},
    )  # fmt: skip
