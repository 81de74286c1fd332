# SPDX-License-Identifier: Apache-2.0
"""gpsd's JSON protocol for local programs, on a socket that systemd has opened.

Commands: VERSION, DEVICES, DEVICE (read only), WATCH, POLL; each answered as gpsd does (gpsd_json(5)).
Reports go to clients that watch. A client that does not read is dropped when `BACKLOG` bytes wait for it.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Mapping
from typing import Any, Protocol

from smartcockpit.core.gnss import gpsd

LINE = 1024
BACKLOG = 256 * 1024
CLIENTS = 16
FIRST_FD = 3


class Reports(Protocol):
    """Where the reports come from."""

    def tpv(self) -> dict[str, Any]:
        """Return the present TPV."""

    def sky(self) -> dict[str, Any]:
        """Return the present SKY."""

    def device(self) -> dict[str, Any]:
        """Return the present DEVICE."""

    def utc(self) -> str:
        """Return the time for POLL, ISO 8601."""


def passed_sockets(environment: Mapping[str, str] = os.environ) -> list[socket.socket]:
    """Return the listening sockets that the service manager has passed (sd_listen_fds(3))."""
    try:
        if int(environment.get("LISTEN_PID", "0")) != os.getpid():
            return []
        count = int(environment.get("LISTEN_FDS", "0"))
    except ValueError:
        return []
    found = []
    for fd in range(FIRST_FD, FIRST_FD + count):
        os.set_inheritable(fd, False)
        listener = socket.socket(fileno=fd)
        listener.setblocking(False)
        found.append(listener)
    return found


class GpsdServer:
    """Serves `reports` on the sockets given to `start`."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._servers: list[asyncio.Server] = []
        self._watching: set[asyncio.StreamWriter] = set()
        self._clients: set[asyncio.StreamWriter] = set()

    async def start(self, listeners: list[socket.socket]) -> None:
        """Accept clients from now on."""
        for listener in listeners:
            self._servers.append(await asyncio.start_server(self._serve, sock=listener, limit=LINE))

    @property
    def is_watched(self) -> bool:
        """True while some client wants reports."""
        return bool(self._watching)

    def publish(self, report: dict[str, Any]) -> None:
        """Send a report to all who watch."""
        data = _line(report)
        for writer in list(self._watching):
            if writer.transport.get_write_buffer_size() > BACKLOG:
                self._watching.discard(writer)
                writer.transport.abort()
            else:
                writer.write(data)

    def close(self) -> None:
        """Hang up."""
        for server in self._servers:
            server.close()
        for writer in list(self._clients):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= CLIENTS:
            writer.close()
            return
        self._clients.add(writer)
        try:
            writer.write(_line(gpsd.VERSION))
            while line := await reader.readline():
                for command in line.decode("ascii", "replace").strip().split(";"):
                    if command.strip():
                        self._command(command.strip(), writer)
                await writer.drain()
        except (ConnectionError, ValueError):  # ValueError: a line without end
            pass
        finally:
            self._watching.discard(writer)
            self._clients.discard(writer)
            writer.close()

    def _command(self, command: str, writer: asyncio.StreamWriter) -> None:
        name, _, argument = command.partition("=")
        if name == "?VERSION":
            answers = [gpsd.VERSION]
        elif name == "?DEVICES":
            answers = [self._devices()]
        elif name == "?DEVICE":
            answers = [self._reports.device()]
        elif name == "?WATCH":
            answers = self._watch(argument, writer)
        elif name == "?POLL":
            answers = [self._poll()]
        else:
            answers = [gpsd.error(f"Unrecognized request '{command[:40]}'")]
        for answer in answers:
            writer.write(_line(answer))

    def _watch(self, argument: str, writer: asyncio.StreamWriter) -> list[dict[str, Any]]:
        if argument:
            try:
                wish = json.loads(argument)
                enable = bool(wish.get("enable", True))
                wants_json = bool(wish.get("json", writer in self._watching))
            except (ValueError, AttributeError, RecursionError):
                return [gpsd.error("Invalid WATCH")]
            (self._watching.add if enable and wants_json else self._watching.discard)(writer)
        watching = writer in self._watching
        answers = [self._devices(), gpsd.watch(watching, watching)]
        return [*answers, self._reports.sky(), self._reports.tpv()] if watching else answers

    def _devices(self) -> dict[str, Any]:
        return {"class": "DEVICES", "devices": [self._reports.device()]}

    def _poll(self) -> dict[str, Any]:
        return {
            "class": "POLL", "time": self._reports.utc(), "active": 1, "tpv": [self._reports.tpv()],
            "gst": [], "sky": [self._reports.sky()],
        }  # fmt: skip


def _line(report: Mapping[str, Any]) -> bytes:
    return json.dumps(report, separators=(",", ":")).encode() + b"\r\n"
