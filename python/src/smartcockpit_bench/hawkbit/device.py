# SPDX-License-Identifier: Apache-2.0
"""A device of a hawkBit server that says word for word what it is told to, and writes down what it hears.

What it writes down is free of whatever differs from server to server: addresses, numbers of actions and
modules, hashes in links become names in the order in which they turn up. So the same conversation with a real
server and with the simulated one must read the same.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

_NAMES = (
    ("action", re.compile(r"(?<=Base/)\d+|(?<=cancelAction/)\d+")),
    ("module", re.compile(r"(?<=softwaremodules/)\d+")),
)
_HASH = re.compile(r"(?<=\?c=)-?\d+")
"""It changes with whatever happens to an action."""
LONGEST_TEXT, LONGEST_LIST = 200, 12
"""What is longer is written down by its length."""
_KEPT_HEADERS = ("Accept-Ranges", "Content-Length", "Content-Range", "ETag")
"""Of a download."""


class Heard(NamedTuple):
    """An answer; `document` is None where there is no JSON."""

    status: int
    document: Any
    body: bytes


class Device:
    """Speaks as `name` to the server at `url`; `written` is what has been said so far, as JSON values."""

    def __init__(self, url: str, name: str, authorization: str, context: ssl.SSLContext) -> None:
        self.url, self.name, self.context = url, name, context
        self.base = f"{url}/DEFAULT/controller/v1/{name}"
        self.authorization = authorization
        self.written: list[dict[str, Any]] = []
        self._names: dict[tuple[str, str], str] = {}
        parts = urlsplit(url)
        self._connection = http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=30, context=context
        )

    def ask(self, method: str, url: str, body: Any = None, **headers: str) -> Heard:
        """Send one request; `body` is a document, or a text to be sent as it is."""
        sent = {"Accept": "application/hal+json, application/json", **_spelled(headers)}
        if self.authorization:
            sent["Authorization"] = self.authorization
        data = None
        if body is not None:
            data = (body if isinstance(body, str) else json.dumps(body)).encode()
            sent["Content-Type"] = "application/json"
        self._connection.request(method, url.removeprefix(self.url), data, sent)
        response = self._connection.getresponse()
        heard = response.read()
        document = json.loads(heard) if heard and "json" in response.getheader("Content-Type", "") else None
        note: dict[str, Any] = {"ask": f"{method} {self._plain(url)}"}
        note |= {"headers": _spelled(headers)} if headers else {}
        note |= {"body": self._plain_document(body)} if body is not None else {}
        note["status"] = response.status
        if response.status == 200 and document is not None:
            note["answer"] = self._plain_document(document)
        if "/artifacts/" in url and response.status in (200, 206):
            note["head"] = {h: response.getheader(h) for h in _KEPT_HEADERS if response.getheader(h)}
        self.written.append(note)
        return Heard(response.status, document, heard)

    def link(self, heard: Heard, name: str) -> str:
        """Return the link `name` of a document."""
        found: str = heard.document["_links"][name]["href"]
        return found

    def note(self, **what: Any) -> None:
        """Write down what somebody else did or saw."""
        self.written.append(what)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _plain(self, text: str) -> str:
        text = _HASH.sub("hash", text.replace(self.url, "https://server"))
        for kind, pattern in _NAMES:
            text = pattern.sub(partial(self._named, kind), text)
        return text

    def _named(self, kind: str, found: re.Match[str]) -> str:
        return self._name(kind, found[0])

    def _name(self, kind: str, value: str) -> str:
        known = sum(1 for other, _ in self._names if other == kind)
        return self._names.setdefault((kind, value), f"{kind}-{known + 1}")

    def _plain_document(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict | list) and len(value) > LONGEST_LIST:
            return f"{len(value)} of them"
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            return f"{len(value)} letters"
        if isinstance(value, dict):
            return {k: self._plain_document(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [self._plain_document(v) for v in value]
        if key in ("id", "stopId") and isinstance(value, str) and value.isdecimal():
            return self._name("action", value)
        return self._plain(value) if isinstance(value, str) else value


def _spelled(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
