# SPDX-License-Identifier: Apache-2.0
"""A sound server of one's own for a test: PipeWire, WirePlumber and pipewire-pulse with the configuration that we
install, a card without hardware, and a recorder of what goes to it.

    with SoundServer(folder) as sound: sound.add_card(); with sound.recording() as recorded: …
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import pytest
from support.dbus_daemon import PrivateBus
from support.levels import Recording

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "systemd/sound"
PROGRAMS = ("pipewire", "wireplumber", "pipewire-pulse", "pactl", "parec", "pacat")
RATE_HZ = 48_000
START_S = 20


class SoundServer:
    """Keep the path of `folder` below 80 characters: sockets lie in it."""

    def __init__(self, folder: Path) -> None:
        missing = [program for program in PROGRAMS if shutil.which(program) is None]
        if missing:
            pytest.skip(f"not installed: {', '.join(missing)} (make setup)")
        self.folder = folder
        self.socket = folder / "pulse/native"
        self._bus = PrivateBus(folder)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._cards: list[str] = []
        self.environment = {
            **{
                k: v
                for k, v in os.environ.items()
                if not k.startswith(("DBUS_", "PULSE_", "PIPEWIRE_", "XDG_"))
            },
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PIPEWIRE_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder / "pulse"),
            "PULSE_SERVER": f"unix:{self.socket}",
            "DBUS_SESSION_BUS_ADDRESS": self._bus.address,
            "XDG_DATA_DIRS": f"{CONFIG}:/usr/share",
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._bus.stop()

    def start(self) -> None:
        """Start all and wait until programs are served."""
        self.socket.parent.mkdir(exist_ok=True)
        if not self._processes:
            with suppress(FileNotFoundError):
                self.socket.unlink()
        self._bus.stop()
        self._bus.start()
        self._run("pipewire", "-c", str(CONFIG / "pipewire.conf"))
        self._until(lambda: (self.folder / "pipewire-0").exists(), "pipewire's socket")
        old = (
            b" 0.4." in subprocess.run(["wireplumber", "--version"], capture_output=True, check=False).stdout
        )
        self._run("wireplumber", *([] if old else ["-p", "main-embedded"]))
        self._run("pipewire-pulse", "-c", str(CONFIG / "pipewire-pulse.conf"))
        self._until(lambda: self.socket.exists() and self.pactl("info", check=False) != "", "pipewire-pulse")

    def stop(self) -> None:
        """End all."""
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in self._processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(3)
            process.kill()
            process.wait()
        self._processes.clear()
        self._cards.clear()

    def kill(self, program: str) -> None:
        """Kill one of the three."""
        self._processes[program].send_signal(signal.SIGKILL)
        self._processes.pop(program).wait()

    def add_card(self, name: str = "car", *, channels: str = "front-left,front-right") -> None:
        """Plug a card in."""
        count = channels.count(",") + 1
        arguments = [f"sink_name={name}", f"channels={count}", f"channel_map={channels}"]
        self._cards.append(self.pactl("load-module", "module-null-sink", *arguments).strip())
        self._until(lambda: name in self.pactl("list", "short", "sinks"), f"card {name}")

    def remove_card(self) -> None:
        """Pull it out."""
        self.pactl("unload-module", self._cards.pop())

    def pactl(self, *arguments: str, check: bool = True) -> str:
        """Run the stock client."""
        done = subprocess.run(
            ["pactl", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=check,
            timeout=20,
        )
        return done.stdout

    @contextmanager
    def playing(self, samples: bytes, *properties: str) -> Iterator[subprocess.Popen[bytes]]:
        """Play mono samples at 48 kHz, again and again, by a program that is not ours."""
        path = self.folder / "playing.raw"
        path.write_bytes(samples * 60)
        words = [f"--property={p}" for p in properties]
        player = subprocess.Popen(
            ["pacat", "--raw", "--format=s16le", f"--rate={RATE_HZ}", "--channels=1", "--latency-msec=60", *words,
             str(path)], env=self.environment, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield player
        finally:
            player.kill()
            player.wait()

    @contextmanager
    def recording(self, card: str = "car") -> Iterator[Recorder]:
        """Record what goes to the card; the recording has begun when the block is entered."""
        path = self.folder / f"recorded-{time.monotonic_ns()}.raw"
        with path.open("wb") as file:
            process = subprocess.Popen(
                ["parec", "--raw", "-d", f"{card}.monitor", "--format=s16le", f"--rate={RATE_HZ}", "--channels=2",
                 "--latency-msec=20"], env=self.environment, stdout=file, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        try:
            self._until(lambda: path.stat().st_size > 0, "the first samples")
            yield Recorder(path)
        finally:
            process.kill()
            process.wait()

    def _run(self, program: str, *arguments: str) -> None:
        with (self.folder / f"{program}.log").open("ab") as log:
            self._processes[program] = subprocess.Popen(
                [program, *arguments], env=self.environment, stdout=log, stderr=log
            )

    def _until(self, holds: object, what: str) -> None:
        end_s = time.monotonic() + START_S
        while not holds():  # type: ignore[operator]
            if time.monotonic() > end_s:
                logs = "\n".join(p.read_text(errors="replace") for p in self.folder.glob("*.log"))
                raise TimeoutError(f"no {what} after {START_S} s: {logs}")
            time.sleep(0.02)


class Recorder:
    """A recording in the making."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def so_far(self, channel: int = 0) -> Recording:
        """Return what has been recorded up to now."""
        return Recording.of_raw(self._path, RATE_HZ, channel=channel)
