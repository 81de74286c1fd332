# SPDX-License-Identifier: Apache-2.0
"""Floods the CAN bridge in a booted box: the whole demo car, sped up, replayed in the guest onto its vcan.

Both buses of the demo vehicle listen on can1 for that time, so that all its messages (classic and FD, with
counters and checksums) pass sockets, filters and decoders as ever, at a rate that can0's 500 kbit/s cannot
carry. Counts what was sent (by the interface), received and lost (by the bridge), the processor time of each
process, and whether anybody lost the message bus.
"""

from __future__ import annotations

import base64
import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartcockpit_bench.car.__main__ import record
from smartcockpit_bench.car.source import CarSource
from smartcockpit_bench.places import ROOT
from smartcockpit_bench.qemu.box import Box

FOLDER = "/run/flood"
DROP_IN = "/run/systemd/system/smartcockpit-canbridge.service.d/50-flood.conf"
UNITS = {"canbridge": "smartcockpit-canbridge", "dbus-daemon": "dbus", "live": "box-view"}
PIECE = 192 * 1024
TICKS_PER_S = 100
SETTINGS = '[buses.powertrain]\\nchannel = "can1"\\n'
LAYERS = f"SMARTCOCKPIT_CONFIG_PATH=/usr/share/smartcockpit:{FOLDER}"
PROPERTY = (
    "busctl --json=short get-property org.smartcockpit.CanBridge1 /org/smartcockpit/CanBridge1 "
    "org.smartcockpit.CanBridge1 "
)


@dataclass(frozen=True, slots=True)
class Flood:
    """What one replay showed."""

    seconds: float
    sent: int
    counters: dict[str, int]
    cpu_percent: dict[str, float]
    """Of one core, by process."""
    reconnected: list[str]
    """Processes that lost the message bus or were started anew."""
    lines: int
    """What the host's live view got."""
    longest_gap_s: float
    trouble: list[str]


def drive_log(seconds: float, rate: float, seed: int) -> bytes:
    """Return the demo car as a candump log, all its messages sped up to `rate` frames/s."""
    source = CarSource.of(ROOT / "dbc" / "demo", seed=seed)
    return "".join(f"{line}\n" for line in record(source, seconds, rate, 0.0)).encode()


@contextmanager
def flooded(box: Box, log: bytes) -> Iterator[None]:
    """Put `log` into the guest and have the bridge listen on can1 alone; undone at the end."""
    guest = box.agent
    guest.sh(f"mkdir -p {FOLDER} {Path(DROP_IN).parent}; printf '{SETTINGS}' > {FOLDER}/canbridge.toml")
    guest.sh(f"printf '[Service]\\nEnvironment={LAYERS}\\n' > {DROP_IN}")
    packed = base64.b64encode(gzip.compress(log)).decode()
    for start in range(0, len(packed), PIECE):
        script = f"base64 -d >> {FOLDER}/log.gz"
        guest.run("/bin/sh", "-c", script, stdin=packed[start : start + PIECE])
    guest.sh(f"gunzip {FOLDER}/log.gz; systemctl daemon-reload; systemctl restart {UNITS['canbridge']}")
    try:
        yield
    finally:
        guest.sh(f"rm -r {FOLDER} {DROP_IN}; systemctl daemon-reload; systemctl restart {UNITS['canbridge']}")


def flood(box: Box) -> Flood:
    """Replay the log while a live view is attached, and count."""
    guest = box.agent
    with Viewer(box.view_socket) as viewer:
        viewer.wait(60.0)
        names, before, spent = _names(box), _counters(box), _ticks(box)
        tx = "cat /sys/class/net/can1/statistics/tx_packets"
        sent, began = int(guest.sh(tx)), time.monotonic()
        viewer.start()
        said = guest.sh(f"canplayer -I {FOLDER}/log can1=can0 can1=can1; times", timeout_s=600)
        seconds, gap_s = time.monotonic() - began, viewer.longest_gap_s
        time.sleep(1.0)  # what is in the sockets is read by then
        sent = int(guest.sh(tx)) - sent
        after, now_spent, now_names = _counters(box), _ticks(box), _names(box)
    cpu = {what: now_spent[what] - ticks for what, ticks in spent.items()}
    cpu["canplayer"] = sum(map(_times, said.split()[-2:])) * TICKS_PER_S
    return Flood(
        seconds,
        sent,
        {name: after[name] - before[name] for name in before},
        {what: ticks / TICKS_PER_S / seconds * 100 for what, ticks in cpu.items()},
        [what for what in names if names[what] != now_names[what]],
        viewer.lines,
        gap_s,
        viewer.trouble,
    )


class Viewer:
    """The host's end of the live view: reads all there is, in a thread."""

    def __init__(self, path: Path) -> None:
        self.lines, self.longest_gap_s, self._last_s = 0, 0.0, 0.0
        self.trouble: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Viewer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()

    def wait(self, timeout_s: float) -> None:
        """Wait for lines of signals from the guest."""
        end = time.monotonic() + timeout_s
        while not self.lines:
            assert time.monotonic() < end, "the live view says nothing"
            time.sleep(0.1)

    def start(self) -> None:
        """Count from now on."""
        self.lines, self.longest_gap_s, self._last_s = 0, 0.0, time.monotonic()
        self.trouble.clear()

    def _read(self) -> None:
        with self._socket.makefile("rb") as stream:
            for line in stream:
                try:
                    said: dict[str, Any] = json.loads(line)
                except ValueError:  # the rest of a line that began before us
                    continue
                if said["type"] == "trouble":
                    self.trouble.append(said["text"])
                elif said["type"] == "signals":
                    now, self.lines = time.monotonic(), self.lines + 1
                    self.longest_gap_s, self._last_s = max(self.longest_gap_s, now - self._last_s), now


def _counters(box: Box) -> dict[str, int]:
    """Sum of the counters of all buses."""
    total: dict[str, int] = {}
    for bus in json.loads(box.agent.sh(PROPERTY + "Counters"))["data"].values():
        for name, value in bus.items():
            total[name] = total.get(name, 0) + int(value)
    return total


def _pids(box: Box) -> dict[str, int]:
    return {
        what: int(box.agent.sh(f"systemctl show --value --property=MainPID {unit}"))
        for what, unit in UNITS.items()
    }


def _ticks(box: Box) -> dict[str, int]:
    """Processor time of each process so far, clock ticks."""
    found = {}
    for what, pid in _pids(box).items():
        fields = box.agent.sh(f"cat /proc/{pid}/stat").rpartition(")")[2].split()
        found[what] = int(fields[11]) + int(fields[12])
    return found


def _names(box: Box) -> dict[str, set[str]]:
    """Unique names on the message bus of each process: another one means a new connection."""
    peers = json.loads(box.agent.sh("busctl --json=short list"))
    return {
        what: {f"{pid} {peer['name']}" for peer in peers if peer["pid"] == pid and peer["name"][0] == ":"}
        for what, pid in _pids(box).items()
    }


def _times(word: str) -> float:
    """Seconds of `times`, such as 0m1.250s."""
    minutes, _, seconds = word.removesuffix("s").partition("m")
    return int(minutes) * 60 + float(seconds)
