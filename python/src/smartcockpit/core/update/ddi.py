# SPDX-License-Identifier: Apache-2.0
"""hawkBit's Direct Device Integration API v1 from JSON to values: here the server's word is checked.

Nothing in a document is trusted: types, lengths and alphabets are held against what the API allows, unknown
keys and links are skipped. A document that is no DDI raises `DdiError`: a fault of the server, to be tried
again. A deployment that is DDI but that this unit can never install raises `OfferError`: the server is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from smartcockpit.core.errors import SmartCockpitError, UnavailableError
from smartcockpit.core.update.codes import Code
from smartcockpit.core.update.offer import Base, Handling, Notes, Offer, Window

E = TypeVar("E", Handling, Window)
LARGEST_BUNDLE = 64 << 30
LONGEST_LINK = 4096
LONGEST_TEXT = 2000
ARTIFACTS = 64
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
LONGEST_ATTRIBUTE = 128
_ODD = re.compile(r"[^\t-\r -_a-}]")
"""What hawkBit refuses in an attribute, and with it all the others: all but ASCII without ` and ~."""
_SLEEP = re.compile(r"([0-9]{1,3}):([0-5]?[0-9]):([0-5]?[0-9])")


class DdiError(UnavailableError):
    """The server's answer is no DDI document."""


class OfferError(SmartCockpitError):
    """A deployment that cannot be installed here, for good; `action` is to be closed with `code`."""

    def __init__(self, action: str, message: str, code: Code = Code.BAD_OFFER) -> None:
        super().__init__(message)
        self.action = action
        self.code = code


def load(text: str) -> dict[str, Any]:
    """Return the JSON object that `text` holds; raises `DdiError`."""
    import json

    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DdiError(f"the server's answer is no JSON: {str(error)[:120]}") from error
    if not isinstance(found, dict):
        raise DdiError("the server's answer is no JSON object")
    return found


def base(document: Mapping[str, Any]) -> Base:
    """Return poll interval and links of GET `/{tenant}/controller/v1/{controllerId}`."""
    config = _table(document.get("config", {}), "config")
    polling = _table(config.get("polling", {}), "config.polling")
    links = _table(document.get("_links", {}), "_links")
    return Base(
        _sleep_s(polling.get("sleep", "")),
        _link(links, "deploymentBase"),
        _link(links, "cancelAction"),
        _link(links, "confirmationBase"),
        _link(links, "configData"),
    )


def cancelled(document: Mapping[str, Any]) -> str:
    """Return which action GET `cancelAction/{id}` wants stopped."""
    return _identifier(_table(document.get("cancelAction"), "cancelAction").get("stopId"), "stopId")


def deployment(document: Mapping[str, Any], key: str = "deployment") -> Offer:
    """Return the offer of GET `deploymentBase/{id}`, with `key` "confirmation" of `confirmationBase/{id}`."""
    action = _identifier(document.get("id"), "id")
    wanted = _table(document.get(key), key)
    found = [
        (chunk, artifact)
        for chunk in _tables(wanted.get("chunks"), "chunks")
        for artifact in _tables(chunk.get("artifacts", []), "artifacts")
    ]
    bundles = [pair for pair in found if _text(pair[1].get("filename"), 512).endswith(".raucb")]
    chosen = bundles or found
    if len(chosen) != 1:
        raise OfferError(action, f"{len(chosen)} bundles in one deployment, there must be exactly one")
    chunk, artifact = chosen[0]
    if chunk.get("encrypted") is True:
        raise OfferError(action, "the artifact is encrypted by the server, which this unit cannot undo")
    return Offer(
        action,
        _text(chunk.get("version"), 128),
        _text(chunk.get("name"), 256),
        _text(artifact.get("filename"), 256),
        _size(action, artifact.get("size")),
        _sha256(action, artifact.get("hashes")),
        _download_link(action, artifact.get("_links")),
        _choice(Handling, wanted.get("download", "attempt"), "download"),
        _choice(Handling, wanted.get("update", "attempt"), "update"),
        _choice(Window, wanted.get("maintenanceWindow") or "", "maintenanceWindow"),
        notes({m.get("key"): m.get("value") for m in _tables(chunk.get("metadata") or [], "metadata")}),
    )


def attributes(known: Mapping[str, str]) -> dict[str, str]:
    """Return the data of PUT `configData`: what is known of the unit, in letters that hawkBit takes.

    A VIN comes from a bus, where anything may be written.
    """
    clean = {name: _ODD.sub("?", value)[:LONGEST_ATTRIBUTE] for name, value in known.items()}
    return {name: value for name, value in clean.items() if value}


def notes(meta: Mapping[Any, Any]) -> Notes:
    """Return what the driver is told, from `[meta.smartcockpit]` of a manifest or a module's metadata."""
    minutes = str(meta.get("minutes", ""))
    return Notes(
        _text(meta.get("purpose"), LONGEST_TEXT),
        _text(meta.get("changes"), LONGEST_TEXT),
        int(minutes) if re.fullmatch("[0-9]{1,4}", minutes) else 0,
        _text(meta.get("pauses"), LONGEST_TEXT),
    )


def _sleep_s(text: Any) -> int:
    """Return seconds of HH:MM:SS, 0 when it says nothing usable."""
    found = _SLEEP.fullmatch(text) if isinstance(text, str) else None
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3]) if found else 0


def _link(links: Mapping[str, Any], name: str) -> str:
    if name not in links:
        return ""
    href = _table(links[name], f"_links.{name}").get("href")
    if not isinstance(href, str) or not 0 < len(href) <= LONGEST_LINK or not href.isprintable():
        raise DdiError(f"the link {name} is none")
    return href


def _download_link(action: str, links: Any) -> str:
    found = _table(links if links is not None else {}, "_links")
    # hawkBit's default names it download-http whatever the protocol (hawkbit-artifactdl-defaults.properties).
    href = _link(found, "download") or _link(found, "download-http")
    if not href.startswith("https://"):
        said = ": plain HTTP is not used" if href else ""
        raise OfferError(action, f"the artifact has no link to download it over HTTPS{said}")
    return href


def _size(action: str, size: Any) -> int:
    if type(size) is not int or not 0 < size <= LARGEST_BUNDLE:
        raise OfferError(action, f"the artifact's size is {str(size)[:40]}")
    return size


def _sha256(action: str, hashes: Any) -> str:
    found = _table(hashes if hashes is not None else {}, "hashes").get("sha256")
    if not isinstance(found, str) or not _SHA256.fullmatch(found.lower()):
        raise OfferError(action, "the artifact has no SHA-256; weaker checksums are not used")
    return found.lower()


def _identifier(value: Any, what: str) -> str:
    text = str(value) if type(value) in (int, str) else ""
    if not _ID.fullmatch(text):
        raise DdiError(f"{what} is no identifier")
    return text


def _choice(kind: type[E], value: Any, what: str) -> E:
    try:
        return kind(value)
    except (ValueError, TypeError):
        raise DdiError(f"{what} is {str(value)[:40]!r}, which DDI does not know") from None


def _table(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise DdiError(f"{what} is missing or no JSON object")
    return value


def _tables(value: Any, what: str) -> Sequence[dict[str, Any]]:
    if not isinstance(value, list) or len(value) > ARTIFACTS:
        raise DdiError(f"{what} is missing or no JSON list of at most {ARTIFACTS}")
    return [_table(item, what) for item in value]


def _text(value: Any, longest: int) -> str:
    """Return a text for people: no control characters, no lone surrogates, bounded."""
    text = value if isinstance(value, str) else ""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text[:longest])
