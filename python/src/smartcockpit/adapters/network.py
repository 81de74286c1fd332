# SPDX-License-Identifier: Apache-2.0
"""The agent's end of the network process: requests as awaitables, the process started and ended as needed.

Holds the interpreter's small side only; everything that speaks TLS is in `network_worker`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from smartcockpit.core.errors import UnavailableError
from smartcockpit.core.named import NamedTuple

LINE_LIMIT = 8 << 20
"""An answer of 1 MiB may grow when it is written as JSON."""
GRACE_S = 10.0
"""What the process gets beyond its own deadline before it is killed."""


class NetworkError(UnavailableError):
    """No answer from the network; `kind` is one of

    unreachable, stalled, slow, cut, broken, tls, certificate, clock (a certificate that is not valid yet or
    no more), insecure, redirects, link, large, length, range, status, checksum, metered, room, storage, file,
    config.
    """

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.kind = kind


class Answer(NamedTuple):
    """An answer to one request."""

    status: int
    body: str = ""
    retry_after_s: float = 0.0


class Network:
    """Exchanges documents over one process, downloads over another one."""

    def __init__(self, access: Mapping[str, Any]) -> None:
        self._access = dict(access)
        self._total_s = float(access.get("total_s", 60.0)) + GRACE_S
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def exchange(self, method: str, url: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Send a request and return the answer, whatever its status; raises `NetworkError`."""
        request: dict[str, Any] = {"method": method, "url": url}
        if body is not None:
            request["body"] = json.dumps(body)
        async with self._lock:
            if self._process is None:
                self._process = await self._start()
            try:
                async with asyncio.timeout(self._total_s):
                    return Answer(**await _ask(self._process, request))
            except BaseException as error:
                if not isinstance(error, NetworkError) or error.kind == "broken":
                    await self._stop()  # the next request must not meet an answer to this one
                if isinstance(error, TimeoutError):
                    raise NetworkError("slow", "the network process does not answer") from error
                raise

    async def fetch(self, job: Mapping[str, Any], report: Callable[[int, int], None]) -> None:
        """Download as `bundle_fetch.Job` says; raises `NetworkError`. Cancelling stops it where it is."""
        async with self._alone() as process:
            await _ask(process, {"fetch": dict(job)}, report)

    async def copy(self, path: str, folder: str, report: Callable[[int, int], None]) -> tuple[int, str]:
        """Copy a local bundle into `folder` and return its size and SHA-256; raises `NetworkError`."""
        async with self._alone() as process:
            done = await _ask(process, {"copy": path, "folder": folder}, report)
            return int(done["size"]), str(done["sha256"])

    async def rest(self) -> None:
        """End the process until something is to be said again."""
        async with self._lock:
            await self._stop()

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await _end(process)

    @contextlib.asynccontextmanager
    async def _alone(self) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await self._start()
        try:
            yield process
        finally:
            await _end(process)

    async def _start(self) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "smartcockpit.adapters.network_worker",
                stdin=pipe, stdout=pipe, limit=LINE_LIMIT,
            )  # fmt: skip
        except OSError as error:
            raise NetworkError("config", f"the network process cannot be started: {error}") from error
        _say(process, self._access)
        return process


def _say(process: asyncio.subprocess.Process, request: Mapping[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(request).encode() + b"\n")


async def _ask(
    process: asyncio.subprocess.Process,
    request: Mapping[str, Any],
    report: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    _say(process, request)
    assert process.stdout is not None
    while line := await process.stdout.readline():
        try:
            answer: dict[str, Any] = json.loads(line)
        except ValueError:
            break  # killed in the middle of a line
        if "error" in answer:
            raise NetworkError(answer["error"], answer["text"])
        if "have" not in answer:
            return answer
        if report is not None:
            report(answer["have"], answer["fetched"])
    raise NetworkError("broken", "the network process ended without an answer")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()
    if process.stdin is not None:
        process.stdin.close()
