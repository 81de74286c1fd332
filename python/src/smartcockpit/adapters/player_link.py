# SPDX-License-Identifier: Apache-2.0
"""The socket that the player process connects to, and the lines that go over it.

The player comes and goes as it likes; while it is away everything asked of it is `UnavailableError`. A new
one takes the place of the old one. What the lines mean is `core.playback`'s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from smartcockpit.core.errors import SmartCockpitError, UnavailableError
from smartcockpit.core.playback import MAX_LINE, from_line, to_line

ANSWER_S = 10.0
BACKLOG_BYTES = 1 << 20


class PlayerLink:
    """`on_message` gets the player's messages, `on_presence` "" when it has come, else why it has gone."""

    def __init__(
        self,
        path: Path,
        on_message: Callable[[dict[str, Any]], None],
        on_presence: Callable[[str], None],
    ) -> None:
        self._path = path
        self._on_message, self._on_presence = on_message, on_presence
        self._server: asyncio.Server | None = None
        self._player: asyncio.StreamWriter | None = None
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._last = 0

    @property
    def present(self) -> bool:
        """True while a player is connected."""
        return self._player is not None

    async def open(self) -> None:
        """Wait for the player from now on; raises `UnavailableError` when the socket cannot be made."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.unlink(missing_ok=True)
            self._server = await asyncio.start_unix_server(self._serve, self._path, limit=MAX_LINE)
            self._path.chmod(0o666)  # the folder is the lock, see systemd/tmpfiles.d
        except OSError as error:
            raise UnavailableError(f"cannot make the player's socket {self._path}: {error}") from error

    async def close(self) -> None:
        """Close all."""
        if self._server is not None:
            self._server.close()
        if self._player is not None:
            self._player.close()
        self._fail("closed")
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    def tell(self, command: str, **arguments: Any) -> None:
        """Tell the player to do something; raises `UnavailableError` while it is away."""
        if self._player is None:
            raise UnavailableError("the player is not there", "systemctl status smartcockpit-player")
        if self._player.transport.get_write_buffer_size() > BACKLOG_BYTES:
            raise UnavailableError("the player does not listen", "systemctl restart smartcockpit-player")
        self._player.write(to_line({"do": command, **arguments}))

    async def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Tell the player to do something and wait for its answer; raises `UnavailableError`."""
        self._last += 1
        number = self._last
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[number] = future
        try:
            self.tell(command, answer=number, **arguments)
            async with asyncio.timeout(ANSWER_S):
                return await future
        except TimeoutError:
            raise UnavailableError(f"the player did not answer within {ANSWER_S:g} s") from None
        finally:
            del self._answers[number]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._player is not None:
            self._player.close()
        self._player = writer
        self._on_presence("")
        reason = "it closed the connection"
        try:
            while line := await reader.readline():
                self._take(line)
        except ValueError:
            reason = f"it sent a line longer than {MAX_LINE} bytes"
        except OSError as error:
            reason = str(error)
        finally:
            writer.close()
            if self._player is writer:
                self._player = None
                self._fail(reason)
                self._on_presence(reason)

    def _take(self, line: bytes) -> None:
        try:
            message = from_line(line)
        except ValueError:
            return  # a player of another release, or one that was broken into: skip what we do not understand
        future = self._answers.get(message.get("answer", 0))
        if future is not None and not future.done():
            future.set_result(message)
        else:
            self._on_message(message)

    def _fail(self, reason: str) -> None:
        error: SmartCockpitError = UnavailableError(f"lost the player: {reason}")
        for future in self._answers.values():
            if not future.done():
                future.set_exception(error)
