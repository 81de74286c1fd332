# SPDX-License-Identifier: Apache-2.0
"""DDI's addresses: from method and path to the model, and to status and document."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

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
    documents: Mapping[str, Callable[[], dict[str, Any] | None]] = {
        "": lambda: server.base(device),
        "deploymentBase": lambda: server.deployment(device, number),
        "confirmationBase": lambda: server.confirmation(device, number),
        "cancelAction": lambda: server.cancel_action(device, number),
    }
    if kind == "softwaremodules":
        action = server.find(device, number)
        name = rest.removeprefix("artifacts/")
        known = action is not None and action.status.active and name == action.bundle.filename
        return Reply(OK, bundle=action.bundle) if action is not None and known else Reply(NOT_FOUND)
    made = documents[kind]() if kind in documents else None
    return Reply(OK, made) if made is not None else Reply(NOT_FOUND)
