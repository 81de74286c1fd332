# SPDX-License-Identifier: Apache-2.0
"""The simulated hawkBit and the network process for tests: real TLS, real sockets, a real child process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from smartcockpit_bench.hawkbit.model import Bundle, Hawkbit
from smartcockpit_bench.hawkbit.pki import Pki
from smartcockpit_bench.hawkbit.serve import HawkbitServer

TOKEN = "TargetToken 0123456789abcdef"
DEVICE = "car"


def bundle(size: int = 300_000, version: str = "1.1.0") -> Bundle:
    """Return random bytes as a bundle."""
    return Bundle(f"smartcockpit-{version}.raucb", os.urandom(size), version)


def serve(pki: Pki, fault: str = "", token: str = TOKEN) -> HawkbitServer:
    """Return a server, not started."""
    return HawkbitServer(Hawkbit(), pki.context(fault), token)


class Worker:
    """The network process, spoken to line by line."""

    def __init__(self, folder: Path, url: str, ca_file: Path, **access: Any) -> None:
        token = folder / "token"
        token.write_text(TOKEN.partition(" ")[2] + "\n")
        given = {
            "origin": url, "token_kind": "TargetToken", "token_file": str(token), "ca_file": str(ca_file),
            "stall_s": 0.5, "total_s": 1.0, **access,
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", "smartcockpit.adapters.network_worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._say(given)

    def _say(self, document: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(document).encode() + b"\n")
        self._process.stdin.flush()

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the final answer; progress in between is skipped."""
        assert self._process.stdout is not None
        self._say(request)
        while True:
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
            if "have" not in answer:
                return answer

    def exchange(self, method: str, url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send one request."""
        return self.ask({"method": method, "url": url, "body": json.dumps(body) if body else None})

    def kill(self) -> None:
        """End it in its tracks."""
        self._process.kill()
        self._process.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            try:
                stream.close()
            except BrokenPipeError:
                continue
