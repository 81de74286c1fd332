# SPDX-License-Identifier: Apache-2.0
"""The simulated hawkBit on a TLS socket of its own: HTTP, tokens, ranges, and faults that are switched on."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from smartcockpit_bench.hawkbit.faults import STATUS, Faults, Switch
from smartcockpit_bench.hawkbit.model import Bundle, Hawkbit
from smartcockpit_bench.hawkbit.routes import route

REQUEST_LIMIT = 1 << 20
PIECE = 16 * 1024
HUGE = 10 << 30
CUT = ("slow", "stall", "reset", "half-close", "etag-changed")
"""Faults that let a bundle begin and then go wrong."""


class Request:
    """What came in, for tests to look at."""

    def __init__(self, method: str, path: str, headers: dict[str, str]) -> None:
        self.method, self.path, self.headers = method, path, headers
        self.body = ""
        self.sent = 0
        """Bytes of a bundle that went out."""


class HawkbitServer:
    """Serves `model` at https://localhost:<port>; use it as a context manager.

    `context` is the server's TLS, made by `pki`. `token` is what opens it to all, "": nothing is asked for;
    besides, the model's targets have tokens of their own.
    """

    def __init__(self, model: Hawkbit, context: ssl.SSLContext, token: str = "") -> None:
        self.model, self.token = model, token
        self.faults = Faults()
        self.requests: list[Request] = []
        self.piece_s = 0.0
        """Pause after each piece of a bundle, to have time for things to happen."""
        self.released = threading.Event()
        """Set at the end, so that stalled handlers go."""
        self._http = _Http(("127.0.0.1", 0), self)
        self._http.tls = context
        self.port = int(self._http.server_address[1])
        self.model.url = f"https://localhost:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """Return the server's address."""
        return self.model.url

    def sent(self) -> int:
        """Return how many bytes of bundles went out."""
        return sum(request.sent for request in self.requests)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    tls: ssl.SSLContext

    def __init__(self, address: tuple[str, int], owner: HawkbitServer) -> None:
        self.owner = owner
        super().__init__(address, _Handler)

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands in the thread of the connection, so that a bad client stops nobody."""
        request.settimeout(30)
        try:
            wrapped = self.tls.wrap_socket(request, server_side=True)
        except (OSError, ssl.SSLError):
            return
        try:
            super().finish_request(wrapped, client_address)
        finally:
            with contextlib.suppress(OSError):
                wrapped.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients go away in the middle all the time."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def _serve(self) -> None:
        owner = self.server.owner
        seen = Request(self.command, self.path, dict(self.headers.items()))
        owner.requests.append(seen)
        length = int(self.headers.get("Content-Length") or 0)
        seen.body = self.rfile.read(min(length, REQUEST_LIMIT)).decode("utf-8", "replace")
        fault = owner.faults.take(self.command, self.path)
        if fault is not None and self._misbehave(fault):
            return
        if not self._admitted():
            self._send(401)
            return
        reply = route(owner.model, self.command, self.path, seen.body)
        if reply.bundle is not None:
            self._send_bundle(reply.bundle, seen, fault)
        else:
            self._send(
                reply.status, json.dumps(reply.document).encode() if reply.document is not None else b""
            )

    def _admitted(self) -> bool:
        owner, said = self.server.owner, self.headers.get("Authorization", "")
        device = self.path.partition("/controller/v1/")[2].partition("/")[0].partition("?")[0]
        return owner.token in ("", said) or owner.model.admits(device, said)

    def _send(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        if body:
            self.send_header("Content-Type", "application/hal+json;charset=UTF-8")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    # ---- faults ------------------------------------------------------------------------------------------

    def _misbehave(self, fault: Switch) -> bool:
        """Do what goes wrong instead of an answer; False: it goes wrong while the bundle is sent."""
        owner = self.server.owner
        if fault.name in STATUS and not fault.after_bytes:
            self._send(STATUS[fault.name], headers={"Retry-After": "1"} if fault.name == "429" else {})
            return True
        match fault.name:
            case "empty":
                self._send(200)
            case "bad-json":
                self._send(200, b'{"config": {"polling": ')
            case "huge-json":
                self._send_huge()
            case "redirect-loop":
                self._send(302, headers={"Location": self.path})
            case "redirect-http":
                self._send(302, headers={"Location": f"http://localhost:{owner.port}{self.path}"})
            case "redirect-host":
                where = owner.model.download_url or owner.url
                self._send(307, headers={"Location": where + self.path})
            case "slow" | "stall" | "reset" | "half-close" if "/artifacts/" not in self.path:
                self._hang(fault.name)
            case _:
                return False
        return True

    def _send_huge(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(HUGE))
        self.end_headers()
        piece = b'{"a": "' + b"x" * PIECE
        while not self.server.owner.released.is_set():
            self.wfile.write(piece)

    def _hang(self, name: str) -> None:
        """Go silent, drip, or break the connection, in the middle of a document."""
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b'{"config"')
        self._break(name)

    def _break(self, name: str, rest: bytes = b" " * 1000) -> None:
        owner = self.server.owner
        self.close_connection = True
        if name == "reset":
            # SO_LINGER of 0 makes close() send a RST (socket(7)).
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
        elif name == "half-close":
            self.connection.shutdown(socket.SHUT_WR)
            owner.released.wait(5)
        elif name == "stall":
            owner.released.wait(60)
        elif name == "slow":
            for byte in rest:
                if owner.released.wait(0.1):
                    break
                self.wfile.write(bytes([byte]))

    # ---- bundles -----------------------------------------------------------------------------------------

    def _send_bundle(self, bundle: Bundle, seen: Request, fault: Switch | None) -> None:
        name = fault.name if fault is not None else ""
        etag = f'"{bundle.sha1}"' if name != "etag-changed" else f'"{time.monotonic_ns():x}"'
        size = len(bundle.data)
        wanted = self.headers.get("Range", "") if name != "range-ignored" else ""
        if self.headers.get("If-Range", etag) != etag:
            wanted = ""
        if self.headers.get("If-Match", bundle.sha1) != bundle.sha1:
            self._send(412)  # as hawkBit: it holds the quotes against the checksum
            return
        start, end = _range(wanted, size)
        if start >= size or (name == "416" and start):
            self._send(416, headers={"Content-Range": f"bytes */{size}"})
            return
        self.send_response(206 if wanted else 200)
        self.send_header("ETag", etag)
        self.send_header("Accept-Ranges", "bytes")
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        announced = end - start + (7 if name == "wrong-length" else 0)
        self.send_header("Content-Length", str(announced))
        self.end_headers()
        for at in range(start, end, PIECE):
            if fault is not None and name in CUT and seen.sent >= fault.after_bytes:
                self._break("reset" if name == "etag-changed" else name, bundle.data[at:])
                return
            piece = bundle.data[at : min(at + PIECE, end)]
            self.wfile.write(piece)
            seen.sent += len(piece)
            if self.server.owner.piece_s:
                self.server.owner.released.wait(self.server.owner.piece_s)


def _range(wanted: str, size: int) -> tuple[int, int]:
    """Return first byte and the one after the last; a range that cannot be served begins at `size`."""
    if not wanted:
        return 0, size
    first, _, last = wanted.removeprefix("bytes=").partition("-")
    if not first and last.isdecimal():
        return max(0, size - int(last)), size
    if not first.isdecimal():
        return size, size
    return int(first), min(size, int(last) + 1) if last.isdecimal() else size
