# SPDX-License-Identifier: Apache-2.0
"""The way out: a queue that a stalled bus daemon fills and nothing overflows.

dbus-next takes EAGAIN for a lost connection and queues without end. Here a full socket means waiting, and
the queue has three levels:

- below `HIGH_WATER` all is well;
- above it `congested` is true: the publisher keeps its readings (newest wins), property changes are
gathered, and no
  further calls are read from the bus, so replies cannot pile up without bound;
- above `HARD_LIMIT` signals are dropped and counted. Replies and our own calls are never dropped: they are
bounded by
  the calls that are already in our hands (`serving.CALLS_AT_ONCE`).

A message may carry file descriptors. They are the writer's from then on: sent with the message's first byte
(D-Bus specification, "Message format", UNIX_FDS; unix(7), SCM_RIGHTS), then closed here, also when the
connection is lost.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence

from smartcockpit.core.named import NamedTuple

HIGH_WATER = 256 * 1024
LOW_WATER = 64 * 1024
HARD_LIMIT = 4 * 1024 * 1024

_BUFFERS_PER_CALL = 64


class _Waiting(NamedTuple):
    """The rest of a message; `fds` only while none of it has been sent."""

    data: memoryview
    fds: tuple[int, ...] = ()


class Writer:
    """Writes whole messages to the non-blocking `sock`.

    `lost` is called once when the connection is gone, `drained` each time the queue has become short again
    after it had been congested.
    """

    def __init__(
        self, sock: socket.socket, lost: Callable[[OSError], None], drained: Callable[[], None]
    ) -> None:
        self._sock = sock
        self._lost = lost
        self._drained = drained
        self._loop = asyncio.get_running_loop()
        self._queue: deque[_Waiting] = deque()
        self._closed = False
        self.queued = 0
        """Bytes that wait."""
        self.dropped = 0
        """Signals that were dropped at `HARD_LIMIT`."""
        self.congested = False
        """True from `HIGH_WATER` until `LOW_WATER` is reached again."""

    def write(self, message: bytes | bytearray, fds: Sequence[int] = ()) -> None:
        """Send `message`, and `fds` with it, now or when the socket has room."""
        if self._closed:
            _close(fds)
            return
        if not self._queue:
            try:
                sent = self._send([message], fds) if fds else self._sock.send(message)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError as error:
                _close(fds)
                self._fail(error)
                return
            if sent:
                fds = ()
            if sent == len(message):
                return
            message = message[sent:]
            self._loop.add_writer(self._sock, self._flush)
        self._queue.append(_Waiting(memoryview(message), tuple(fds)))
        self.queued += len(message)
        self.congested = self.congested or self.queued > HIGH_WATER

    def write_signal(self, message: bytes | bytearray) -> bool:
        """Like `write`, but at `HARD_LIMIT` drop and count the message and return False."""
        if self.queued + len(message) > HARD_LIMIT:
            self.dropped += 1
            return False
        self.write(message)
        return True

    def _flush(self) -> None:
        """Write as much as the socket takes; partial writes are continued."""
        queue = self._queue
        try:
            while queue:
                if queue[0].fds:
                    sent = self._send([queue[0].data], queue[0].fds)
                    queue[0] = _Waiting(queue[0].data)
                else:
                    sent = self._sock.sendmsg(self._plain())
                self._advance(sent)
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            self._fail(error)
            return
        if not queue:
            self._loop.remove_writer(self._sock)
        if self.congested and self.queued <= LOW_WATER:
            self.congested = False
            self._drained()

    def _plain(self) -> list[memoryview]:
        """Return what can leave in one call: up to the next message with descriptors."""
        buffers: list[memoryview] = []
        for waiting in self._queue:
            if waiting.fds or len(buffers) == _BUFFERS_PER_CALL:
                break
            buffers.append(waiting.data)
        return buffers

    def _send(self, buffers: Sequence[bytes | bytearray | memoryview], fds: Sequence[int]) -> int:
        """Send with descriptors and close them: the receiver gets its own. Raises like `send`."""
        sent = socket.send_fds(self._sock, buffers, fds)
        _close(fds)
        return sent

    def _fail(self, error: OSError) -> None:
        self.close()
        self._lost(error)

    def _advance(self, sent: int) -> None:
        self.queued -= sent
        while sent:
            head = self._queue[0].data
            if sent < len(head):
                self._queue[0] = _Waiting(head[sent:])
                return
            sent -= len(head)
            self._queue.popleft()

    async def drain(self) -> None:
        """Wait until all is written or the connection is gone; the caller sets the timeout."""
        while self._queue and not self._closed:  # noqa: ASYNC110 - only on the way out
            await asyncio.sleep(0.005)

    def close(self) -> None:
        """Forget the queue and write no more; the socket stays the caller's."""
        if not self._closed:
            self._closed = True
            self._loop.remove_writer(self._sock)
            for waiting in self._queue:
                _close(waiting.fds)
            self._queue.clear()
            self.queued = 0


def _close(fds: Sequence[int]) -> None:
    for fd in fds:
        os.close(fd)
