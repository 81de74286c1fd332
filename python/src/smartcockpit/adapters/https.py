# SPDX-License-Identifier: Apache-2.0
"""HTTPS as the update server's client needs it: bounded in time and size, the token kept at home.

Runs in the short-lived network process alone (`network_worker`): this module is what imports `ssl`.
Certificates are always verified, plain HTTP is not spoken, and the server's token and the client certificate
go to the configured origin only, wherever a link or a redirect leads.
"""

from __future__ import annotations

import http.client
import signal
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import SplitResult, urljoin, urlsplit

from smartcockpit.core.named import NamedTuple

LARGEST_ANSWER = 1 << 20
"""Bytes of a JSON answer; DDI documents have some kB."""
REDIRECTS = 3
_MOVED = (301, 302, 303, 307, 308)


class NetworkFault(Exception):
    """Why there is no answer: `kind` is a word for programs (see `smartcockpit.adapters.network`)."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Access(NamedTuple):
    """How the server is reached; paths of files, "" without one."""

    origin: str
    """scheme://host:port of the server, as configured."""
    token_kind: str = ""
    """TargetToken or GatewayToken, "" for none."""
    token_file: str = ""
    ca_file: str = ""
    """Certificates to trust instead of the system's."""
    certificate: str = ""
    key: str = ""
    stall_s: float = 20.0
    """Longest silence of the other side."""
    total_s: float = 60.0
    """Longest time for a whole exchange of documents."""


class Answer(NamedTuple):
    """Status, body and what else of the head is looked at."""

    status: int
    body: str
    retry_after_s: float = 0.0


def origin_of(url: str) -> str:
    """Return scheme://host:port of `url`, normalised; raises `NetworkFault` for what is no HTTPS address."""
    parts = _split(url)
    return f"https://{(parts.hostname or '').lower()}:{parts.port or 443}"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise NetworkFault("link", f"{url[:200]!r} is no address: {error}") from error
    if parts.scheme != "https":
        raise NetworkFault("insecure", f"{url[:200]!r} is not https, which is all that is used")
    if not parts.hostname or parts.username is not None:
        raise NetworkFault("link", f"{url[:200]!r} names no host, or a user")
    return parts


class Https:
    """A client that keeps one connection open to the server's origin."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._home = origin_of(access.origin)
        self._connection: http.client.HTTPSConnection | None = None

    def exchange(self, method: str, url: str, body: str | None = None) -> Answer:
        """Send one request and return the answer; raises `NetworkFault`."""
        headers = {"Accept": "application/hal+json, application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        with within(self.access.total_s):
            response, connection = self.open(method, url, headers, body)
            try:
                text = _document(response)
                response.close()  # or the connection would not take the next request
            except BaseException:
                self._drop(connection)
                raise
            at_home = origin_of(f"https://{connection.host}:{connection.port}") == self._home
            if at_home and not response.will_close:
                self._connection = connection
            else:
                self._drop(connection)
            return Answer(response.status, text, _retry_after_s(response.getheader("Retry-After")))

    def open(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None = None
    ) -> tuple[http.client.HTTPResponse, http.client.HTTPSConnection]:
        """Return the response whose body is still to be read, after redirects; the caller closes both.

        Raises `NetworkFault`.
        """
        for _ in range(REDIRECTS + 1):
            response, connection = self._send(method, url, headers, body)
            where = response.getheader("Location")
            if response.status not in _MOVED or method != "GET" or not where:
                return response, connection
            self._drop(connection)
            url = urljoin(url, where)
            try:
                _split(url)
            except NetworkFault as fault:
                raise NetworkFault("redirects", f"redirected: {fault}") from fault
        raise NetworkFault("redirects", f"more than {REDIRECTS} redirects")

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None
    ) -> tuple[http.client.HTTPResponse, http.client.HTTPSConnection]:
        parts = _split(url)
        home = origin_of(url) == self._home
        sent = {"User-Agent": "smartcockpit-ota", "Accept-Encoding": "identity", **headers}
        if home and self.access.token_kind:
            sent["Authorization"] = f"{self.access.token_kind} {_token(self.access.token_file)}"
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        kept = self._connection if home else None
        connection = kept or self._connect(parts, home)
        try:
            with _told():
                connection.request(method, target, body.encode() if body is not None else None, sent)
                response = connection.getresponse()
        except NetworkFault:
            self._drop(connection)
            if kept is None:
                raise
            return self._send(method, url, headers, body)  # the server closed what was kept open
        if connection is self._connection:
            self._connection = None
        return response, connection

    def _connect(self, parts: SplitResult, home: bool) -> http.client.HTTPSConnection:
        access = self.access
        try:
            context = ssl.create_default_context(cafile=access.ca_file or None)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if home and access.certificate:
                context.load_cert_chain(access.certificate, access.key or None)
        except (OSError, ssl.SSLError) as error:
            raise NetworkFault("config", f"certificates cannot be loaded: {error}") from error
        host = parts.hostname or ""
        return http.client.HTTPSConnection(host, parts.port or 443, timeout=access.stall_s, context=context)

    def _drop(self, connection: http.client.HTTPSConnection) -> None:
        connection.close()
        if connection is self._connection:
            self._connection = None


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Bound the whole time of what is inside, however slowly bytes drip; main thread only."""

    def ring(*_: object) -> None:
        raise NetworkFault("slow", f"took longer than {seconds:g} s in all")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _told() -> Iterator[None]:
    """Turn what the library raises into `NetworkFault`."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        kind = (
            "clock" if error.verify_code in (9, 10) else "certificate"
        )  # X509_V_ERR_CERT_NOT_YET_VALID, _EXPIRED
        raise NetworkFault(kind, f"the server's certificate is refused: {error.verify_message}") from error
    except ssl.SSLError as error:
        raise NetworkFault("tls", f"no secure connection: {error.reason or error}") from error
    except TimeoutError as error:
        raise NetworkFault("stalled", "the server does not answer in time") from error
    except OSError as error:
        raise NetworkFault("unreachable", error.strerror or str(error)) from error
    except (http.client.HTTPException, ValueError) as error:
        raise NetworkFault("broken", f"no proper answer: {error!r}"[:200]) from error


def pieces(response: http.client.HTTPResponse, size: int) -> Iterator[bytes]:
    """Yield the body as it comes, in pieces of at most `size` bytes; raises `NetworkFault`.

    A body that ends before its announced length is a fault, which `http.client` keeps to itself here.
    """
    while True:
        with _told():
            piece = response.read1(size)
        if not piece:
            break
        yield piece
    if response.length:
        raise NetworkFault("cut", f"the answer ended {response.length} bytes early")


def _document(response: http.client.HTTPResponse) -> str:
    body = bytearray()
    for piece in pieces(response, 64 * 1024):
        body += piece
        if len(body) > LARGEST_ANSWER:
            raise NetworkFault("large", f"an answer of more than {LARGEST_ANSWER} bytes")
    return body.decode("utf-8", "replace")


def _token(path: str) -> str:
    try:
        token = Path(path).read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NetworkFault("config", f"the token {path} cannot be read: {error}") from error
    if not token or not token.isprintable() or " " in token:
        raise NetworkFault("config", f"{path} holds no token")
    return token


def _retry_after_s(text: str | None) -> float:
    """Return the seconds of a Retry-After header (RFC 9110 §10.2.3); a date is not worth its parser: 0."""
    return float(text) if text and text.isdecimal() and len(text) < 7 else 0.0
