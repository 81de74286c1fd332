# SPDX-License-Identifier: Apache-2.0
"""DDI's addresses: from method and path to model and documents, and to status and answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from smartcockpit_bench.hawkbit import documents
from smartcockpit_bench.hawkbit.model import BAD_REQUEST, NOT_ALLOWED, NOT_FOUND, OK, Bundle, Hawkbit

_PATH = re.compile(r"/[^/]+/controller/v1/([^/]+)(?:/(\w+)(?:/([0-9]+)(?:/(.*))?)?)?")


class Reply(NamedTuple):
    """What goes back: a document, or the bundle of a download."""

    status: int
    document: Any = None
    bundle: Bundle | None = None


def route(server: Hawkbit, method: str, target: str, body: str) -> Reply:
    """Answer one request."""
    found = _PATH.fullmatch(target.partition("?")[0])
    if found is None:
        return Reply(NOT_FOUND)
    device, kind = unquote(found[1]), found[2] or ""
    number, rest = int(found[3] or 0), found[4] or ""
    if method == "GET":
        return _get(server, device, kind, number, rest)
    try:
        document = json.loads(body)
    except ValueError:
        return Reply(BAD_REQUEST)
    if not isinstance(document, dict):
        return Reply(BAD_REQUEST)
    tellers: dict[tuple[str, str, str], Callable[[], int]] = {
        ("PUT", "configData", ""): lambda: server.config_data(device, document),
        ("PUT", "installedBase", ""): lambda: server.installed_base(device, document),
        ("POST", "deploymentBase", "feedback"): lambda: server.feedback(device, number, document),
        ("POST", "cancelAction", "feedback"): lambda: server.cancel_feedback(device, number, document),
        ("POST", "confirmationBase", "feedback"): lambda: server.confirm(device, number, document),
    }
    tell = tellers.get((method, kind, rest))
    return Reply(tell() if tell else NOT_ALLOWED)


def _get(server: Hawkbit, device: str, kind: str, number: int, rest: str) -> Reply:
    makers: Mapping[str, Callable[[], dict[str, Any] | None]] = {
        "": lambda: documents.base(server, device),
        "deploymentBase": lambda: documents.deployment(server, device, number),
        "installedBase": lambda: documents.installed(server, device, number),
        "confirmationBase": lambda: documents.confirmation(server, device, number),
        "cancelAction": lambda: documents.cancel_action(server, device, number),
    }
    if kind == "softwaremodules":
        bundle = documents.bundle(server, device, number, rest.removeprefix("artifacts/"))
        return Reply(OK, bundle=bundle) if bundle is not None else Reply(NOT_FOUND)
    made = makers[kind]() if kind in makers else None
    return Reply(OK, made) if made is not None else Reply(NOT_FOUND)
