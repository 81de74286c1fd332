# SPDX-License-Identifier: Apache-2.0
"""The host's end of the wire between simulated car and box: a unix socket to the guest's virtio-serial port.

`guest/canwire.py` is the other end and describes the lines. Back-pressure: a car does not wait, so `send`
drops whole batches while more than `HIGH_WATER` bytes are waiting for a slow guest, and counts them;
`send_all` is for tests and campaigns, loses nothing and waits instead. Frames are also dropped until the
guest has said hello: the box joins a running car. A guest that reboots meets `HIGH_WATER` bytes of the past
at most.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import socket
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from smartcockpit.core.errors import UnavailableError

from smartcockpit_bench.frame import Frame

HIGH_WATER = 32 * 1024
SOCKET_BUFFER = 16 * 1024
RETRY_S = 0.2


@dataclass(slots=True)
class WireCounters:
    """What went over the wire; `guest` is the guest's last `! stats` line as a dictionary."""

    sent: int = 0
    dropped: int = 0
    hellos: int = 0
    guest: dict[str, str] | None = None


class CarWire:
    """Sends frames to the box. Use as an async context manager, or `start()` and `close()`."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.counters = WireCounters()
        self.complaints: deque[str] = deque(maxlen=20)
        """Last garbage lines that the guest reported."""
        self._ready = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self._pongs: dict[str, asyncio.Future[int]] = {}
        self._tokens = itertools.count(1)

    async def __aenter__(self) -> CarWire:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def start(self) -> None:
        """Begin to connect, and connect again whenever QEMU closes the socket."""
        self._task = self._task or asyncio.create_task(self._keep_connected(), name="car wire")

    async def close(self) -> None:
        """Stop; what the guest has not read yet is lost."""
        task, self._task = self._task, None
        if task:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    @property
    def ready(self) -> bool:
        """True while the guest's canwire has said hello on this connection."""
        return self._ready.is_set()

    async def wait_ready(self, timeout_s: float) -> None:
        """Wait until the guest listens; raises `UnavailableError` after `timeout_s`."""
        try:
            await asyncio.wait_for(self._ready.wait(), None if timeout_s == math.inf else timeout_s)
        except TimeoutError:
            hint = "is box-canwire.service running in the guest?"
            raise UnavailableError(
                f"the box does not listen on {self.path} after {timeout_s:g} s", hint
            ) from None

    def send(self, frames: Iterable[Frame]) -> bool:
        """Send now or drop all of `frames`; returns whether they were taken."""
        lines = [frame.line() for frame in frames]
        writer = self._writer
        if writer is None or not self.ready or writer.transport.get_write_buffer_size() > HIGH_WATER:
            self.counters.dropped += len(lines)
            return False
        self._write(writer, lines)
        self.counters.sent += len(lines)
        return True

    async def send_all(self, frames: Iterable[Frame], timeout_s: float = 60.0) -> None:
        """Send every frame, waiting for the guest; raises `UnavailableError` when it stays away."""
        await self.send_text((frame.line() for frame in frames), timeout_s)

    async def send_text(self, lines: Iterable[str], timeout_s: float = 60.0) -> None:
        """Send raw lines without loss (garbage too, for tests that want it)."""
        await self.wait_ready(timeout_s)
        pending = iter(lines)
        while batch := list(itertools.islice(pending, 256)):
            writer = self._writer
            if writer is None:
                raise UnavailableError("the box closed the wire", "has the guest stopped?")
            self._write(writer, batch)
            self.counters.sent += len(batch)
            await asyncio.wait_for(writer.drain(), timeout_s)

    async def flush(self, timeout_s: float = 30.0) -> int:
        """Wait until the guest has sent all earlier frames on; returns how many it sent since it opened."""
        await self.wait_ready(timeout_s)
        token = f"t{next(self._tokens)}"
        pong = self._pongs[token] = asyncio.get_running_loop().create_future()
        try:
            assert self._writer is not None
            self._write(self._writer, [f"?ping {token}"])
            return await asyncio.wait_for(pong, timeout_s)
        except TimeoutError:
            raise UnavailableError(
                f"no answer from the guest within {timeout_s:g} s", "is it hung?"
            ) from None
        finally:
            self._pongs.pop(token, None)

    @staticmethod
    def _write(writer: asyncio.StreamWriter, lines: list[str]) -> None:
        writer.write(("\n".join(lines) + "\n").encode("ascii"))

    async def _keep_connected(self) -> None:
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(str(self.path), limit=4096)
                sock = self._writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
                self._write(self._writer, ["?hello"])
                await self._listen(reader)
            except (OSError, ValueError):  # ValueError: a line without end from a guest gone mad
                pass
            finally:
                self._ready.clear()
                if self._writer is not None:
                    self._writer.close()
                    self._writer = None
            await asyncio.sleep(RETRY_S)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            words = line.decode("ascii", "replace").split()
            if words[:2] == ["!", "hello"]:
                self.counters.hellos += 1
                self._ready.set()
            elif words[:2] == ["!", "stats"]:
                self.counters.guest = dict(word.split("=", 1) for word in words[2:] if "=" in word)
            elif words[:2] == ["!", "bad"]:
                self.complaints.append(" ".join(words[2:]))
            elif words[:2] == ["!", "pong"] and len(words) == 4:
                self._pong(words[2], words[3])

    def _pong(self, token: str, frames: str) -> None:
        future = self._pongs.get(token)
        number = frames.removeprefix("frames=")
        if future and not future.done() and number.isdecimal():
            future.set_result(int(number))
