# SPDX-License-Identifier: Apache-2.0
"""A message bus of one's own for a test: a real dbus-daemon with its own socket and configuration.

It can be stopped in its tracks (SIGSTOP) and restarted, which is what a board does to us at the worst moment.

    with PrivateBus(tmp_path) as bus: BusConnection(bus.address)
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

ALLOW_ALL = """<policy context="default">
    <allow user="*"/><allow own="*"/><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
  </policy>"""

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>{kind}</type>
  <listen>{address}</listen>
  <auth>EXTERNAL</auth>
  {policy}
</busconfig>
"""


class PrivateBus:
    """A dbus-daemon whose socket lies in `folder` (keep the path below 100 characters).

    `policy` is the XML inside <busconfig>, by default all is allowed. `kind` "system" lets includes of
    policy files behave as on the system bus.
    """

    def __init__(self, folder: Path, policy: str = ALLOW_ALL, kind: str = "session") -> None:
        program = shutil.which("dbus-daemon")
        if program is None:
            pytest.skip("dbus-daemon is not installed (apt install dbus-daemon)")
        self._program = program
        self._socket = folder / "bus"
        self._config = folder / "bus.conf"
        self._log = folder / "bus.log"
        self.address = f"unix:path={self._socket}"
        self._config.write_text(CONFIG.format(kind=kind, address=self.address, policy=policy))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the daemon and wait until it accepts connections."""
        arguments = ["--nofork", "--nopidfile", "--nosyslog", f"--config-file={self._config}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([self._program, *arguments], stderr=log)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket(socket.AF_UNIX) as probe:
                try:
                    probe.connect(str(self._socket))
                except OSError:
                    time.sleep(0.01)
                else:
                    return
        raise TimeoutError(f"dbus-daemon did not come up within 10 s: {self._log.read_text()}")

    def stop(self) -> None:
        """End the daemon; its socket file goes with it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(10)
            self._process = None
        self._socket.unlink(missing_ok=True)

    def restart(self) -> None:
        """End the daemon and start another one at the same address."""
        self.stop()
        self.start()

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """Stop the daemon in its tracks for as long as the block lasts: it neither reads nor writes."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def cpu_seconds(self) -> float:
        """Return the CPU time that the daemon has used."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def environment(self) -> dict[str, str]:
        """Return an environment in which stock tools take this for both buses."""
        return {
            **os.environ,
            "DBUS_SYSTEM_BUS_ADDRESS": self.address,
            "DBUS_SESSION_BUS_ADDRESS": self.address,
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
