# SPDX-License-Identifier: Apache-2.0
"""The box as an object: starts the image in QEMU, tells how far it is, ends it cleanly.

`make run`, `make shell` and the system tests use this class and nothing else of QEMU. Runs write to a
throw-away layer over the built disk; `keep` names a layer that stays.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from smartcockpit.core.errors import SmartCockpitError, UnavailableError

from smartcockpit_bench.places import BENCH, BUILD, image_dir, read_list
from smartcockpit_bench.qemu import layer
from smartcockpit_bench.qemu.acceleration import accelerator
from smartcockpit_bench.qemu.agent import GuestAgent
from smartcockpit_bench.qemu.machine import Hardware, arguments
from smartcockpit_bench.qemu.monitor import Monitor

RUNNING = BUILD / "running.json"
"""Where `make shell` finds the box that `make run` started."""
PRESS_EVERY_S = 3.0
_CONSOLE = {"amd64": "ttyS0,115200", "arm64": "ttyAMA0,115200"}


class Box:
    """One machine. Use as a context manager; leaving it kills what still runs."""

    def __init__(
        self,
        *,
        arch: str = "amd64",
        flavour: str = "dev",
        direct: bool = False,
        bench_disk: Path | None = None,
        disks: tuple[Path, ...] = (),
        cache: str = "unsafe",
        server_port: int | None = None,
        keep: Path | None = None,
        announce: bool = False,
    ) -> None:
        """Prepare; `direct` skips the boot loader, `announce` lets `make shell` find this box.

        `server_port` is a port of this host that the guest reaches as `machine.SERVER` (dev flavour).
        """
        image = image_dir(arch, flavour)
        if not (image / "disk.img").is_file():
            raise UnavailableError(f"there is no {arch} {flavour} image", "run `make image`")
        if keep is not None and keep.exists():
            layer.check_kept(keep, image / "disk.img")
        hardware = accelerator(arch, image)
        self.folder = layer.work_folder()
        self.hardware = Hardware(
            arch=arch,
            image=image,
            disk=keep or self.folder / "disk.qcow2",
            folder=self.folder,
            accelerator=hardware,
            bench_disk=bench_disk,
            disks=disks,
            cache=cache,
            server_port=server_port,
            ssh_port=_free_port() if flavour == "dev" else None,
            kernel_line=_kernel_line(arch) if direct else None,
        )
        self.flavour = flavour
        self.agent = GuestAgent(self.hardware.socket("agent"))
        self.started_s = 0.0
        self._announce = announce
        self._process: subprocess.Popen[bytes] | None = None
        self._monitor: Monitor | None = None

    def __enter__(self) -> Box:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    @property
    def car_socket(self) -> Path:
        """Socket for `smartcockpit_bench.wire.CarWire`."""
        return self.hardware.socket("car")

    @property
    def view_socket(self) -> Path:
        """Socket for `smartcockpit_bench.view`."""
        return self.hardware.socket("view")

    @property
    def gpio_socket(self) -> Path:
        """Socket for `smartcockpit_bench.usb.feed`."""
        return self.hardware.socket("gpio")

    @property
    def gnss_socket(self) -> Path:
        """Socket for `smartcockpit_bench.gnss.feed`."""
        return self.hardware.socket("gnss")

    @property
    def sound(self) -> Path:
        """What the sound card has played so far, a WAV file."""
        return self.hardware.sound

    @property
    def monitor(self) -> Monitor:
        """QEMU's monitor."""
        if self._monitor is None:
            self._monitor = Monitor(self.hardware.socket("qmp"))
        return self._monitor

    @property
    def running(self) -> bool:
        """True while QEMU lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Switch on."""
        if not self.hardware.disk.exists():
            layer.make(self.hardware.disk, self.hardware.image / "disk.img")
        log = (self.folder / "qemu.log").open("wb")
        with log:
            # A session of its own: Ctrl-C in the terminal is for us, who then shut the guest down. And the
            # kernel ends it when we are killed: a box without its owner would run for ever.
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *arguments(self.hardware)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.started_s = time.monotonic()
        try:
            _ = self.monitor
        except SmartCockpitError as error:
            said = (self.folder / "qemu.log").read_text(errors="replace").strip()
            self.close()
            raise UnavailableError(f"QEMU does not start: {said or error}", "run `make setup`") from error
        if self._announce:
            BUILD.mkdir(exist_ok=True)
            RUNNING.write_text(json.dumps({"pid": self._process.pid, "ssh_port": self.hardware.ssh_port}))

    def power_off(self, timeout_s: float = 60.0) -> bool:
        """Press the power button; kills the guest after `timeout_s`. Returns whether it ended by itself."""
        assert self._process is not None
        if not self.running:
            return True
        end_s = time.monotonic() + timeout_s
        while time.monotonic() < end_s:
            # Again and again: a guest that still boots has nobody yet who listens to the button.
            with suppress(SmartCockpitError):
                self.monitor.press_power_button()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(min(PRESS_EVERY_S, timeout_s))
                return True
        self.kill()
        return False

    def kill(self) -> None:
        """Pull the plug."""
        if self._process is not None and self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGKILL)
            self._process.wait(10)

    def wait(self, timeout_s: float) -> bool:
        """Wait for the machine to go off by itself; returns whether it did."""
        assert self._process is not None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout_s)
        return not self.running

    def serial(self) -> str:
        """Return all that the serial console said so far."""
        with suppress(OSError):
            return self.hardware.serial_log.read_text(errors="replace")
        return ""

    def cpu_s(self) -> float:
        """Processor time that QEMU has used, s: a measure of work that hardly depends on other load."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Kill what still runs and remove the throw-away layer."""
        self.kill()
        self.agent.close()
        if self._monitor is not None:
            self._monitor.close()
            self._monitor = None
        if self._announce and self._process is not None:
            withdraw(RUNNING, self._process.pid)
        BUILD.mkdir(exist_ok=True)
        for made, kept in ((self.hardware.serial_log, "last-serial.log"), (self.sound, "last-sound.wav")):
            if made.is_file():
                shutil.copyfile(made, BUILD / kept)
        shutil.rmtree(self.folder, ignore_errors=True)


def withdraw(announcement: Path, pid: int) -> None:
    """Remove the announcement of the box with this process, not that of one started later."""
    with suppress(OSError, ValueError, KeyError):
        if json.loads(announcement.read_text())["pid"] == pid:
            announcement.unlink()


def _kernel_line(arch: str) -> str:
    """The kernel line that boot.cmd would make for slot A."""
    words = ["root=PARTLABEL=rootfs-a", "ro", "rootfstype=ext4", "rauc.slot=A", f"console={_CONSOLE[arch]}"]
    return " ".join([*words, *read_list(BENCH / "boot" / "bootargs.txt")])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
