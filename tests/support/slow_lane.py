# SPDX-License-Identifier: Apache-2.0
"""A lane of TCP in front of a server: counts and brakes what it sends, and can be cut."""

from __future__ import annotations

import asyncio
import contextlib


class SlowLane:
    """Listens on a port of its own and goes to `port` of this machine."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.port = 0
        self.sent = 0
        """Bytes of the server's that got through, TLS and all."""
        self.rate = 0.0
        """Bytes/s; 0: as it comes."""
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Break all connections."""
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        self._open |= {writer, back}
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(reader, back, slow=False))
                group.create_task(self._pass(there, writer, slow=True))
        for end in (writer, back):
            self._open.discard(end)
            end.transport.abort()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, slow: bool) -> None:
        while data := await source.read(32 * 1024):
            if slow:
                self.sent += len(data)
                if self.rate:
                    await asyncio.sleep(len(data) / self.rate)
            sink.write(data)
            await sink.drain()
        raise ConnectionResetError
