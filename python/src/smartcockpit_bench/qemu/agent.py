# SPDX-License-Identifier: Apache-2.0
"""Runs commands in the guest by the stock QEMU guest agent, which only the dev flavour has.

Protocol: docs/interop/qemu-ga-ref of QEMU; `guest-sync-delimited` first, so that leftovers of an earlier
session are skipped.
"""

from __future__ import annotations

import base64
import contextlib
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smartcockpit.core.errors import SmartCockpitError, UnavailableError

from smartcockpit_bench.qemu.channel import Channel

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended in the guest."""

    code: int
    out: str
    err: str


class GuestAgent:
    """A session with the agent; connects when it is first used."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._channel: Channel | None = None

    def wait(self, timeout_s: float) -> None:
        """Wait until the agent answers."""
        end_s = time.monotonic() + timeout_s
        while True:
            try:
                self._sync(min(3.0, timeout_s))
                return
            except UnavailableError:
                self.close()
                if time.monotonic() > end_s:
                    raise UnavailableError(
                        f"no answer from the guest's agent within {timeout_s:g} s", "the serial log says more"
                    ) from None

    def run(self, *argv: str, timeout_s: float = 60.0, check: bool = True, stdin: str = "") -> Done:
        """Run a program in the guest, as root, to its end.

        With `check` a non-zero exit raises SmartCockpitError that quotes the program.
        """
        options: dict[str, Any] = {"path": argv[0], "arg": list(argv[1:]), "capture-output": True}
        if stdin:
            options["input-data"] = base64.b64encode(stdin.encode()).decode()
        pid = self._call("guest-exec", **options)["pid"]
        end_s = time.monotonic() + timeout_s
        while not (status := self._call("guest-exec-status", pid=pid))["exited"]:
            if time.monotonic() > end_s:
                raise UnavailableError(f"`{' '.join(argv)}` still runs in the guest after {timeout_s:g} s")
            time.sleep(_POLL_S)
        out, err = (
            base64.b64decode(status.get(f"{n}-data", "")).decode(errors="replace") for n in ("out", "err")
        )
        code = int(status.get("exitcode", 128 + int(status.get("signal", 0))))
        if check and code:
            raise SmartCockpitError(
                f"`{' '.join(argv)}` ended with {code} in the guest: {(err or out).strip()}"
            )
        return Done(code, out, err)

    def sh(self, script: str, timeout_s: float = 60.0) -> str:
        """Run a shell script in the guest and return what it printed, whatever its exit code."""
        done = self.run("/bin/sh", "-c", script, timeout_s=timeout_s, check=False)
        return done.out + done.err

    def power_off(self) -> None:
        """Ask for a clean shutdown; the agent does not answer that."""
        with contextlib.suppress(SmartCockpitError):
            self._connected().send({"execute": "guest-shutdown", "arguments": {"mode": "powerdown"}})

    def _connected(self) -> Channel:
        if self._channel is None:
            self._sync(3.0)
        assert self._channel is not None
        return self._channel

    def _sync(self, timeout_s: float) -> None:
        self.close()
        self._channel = Channel(self._path, timeout_s)
        token = random.randrange(1 << 31)  # noqa: S311 - no secret
        message = {"execute": "guest-sync-delimited", "arguments": {"id": token}}
        self._channel.send(message, prefix=b"\xff")
        while self._channel.receive(timeout_s).get("return") != token:
            pass

    def _call(self, command: str, **arguments: Any) -> Any:
        channel = self._connected()
        channel.send({"execute": command, "arguments": arguments})
        reply = channel.receive(20.0)
        if "error" in reply:
            raise SmartCockpitError(f"the guest's agent refuses {command}: {reply['error'].get('desc')}")
        return reply["return"]

    def close(self) -> None:
        """End the session."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
