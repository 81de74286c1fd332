# SPDX-License-Identifier: Apache-2.0
"""DDI documents, those that hawkBit sends and those that nobody should: a value, or one of two errors."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smartcockpit.core.update import ddi, feedback
from smartcockpit.core.update.codes import Code
from smartcockpit.core.update.ddi import DdiError, OfferError
from smartcockpit.core.update.offer import Base, Handling, Offer, Window

HREF = "https://localhost/DEFAULT/controller/v1/car/softwaremodules/7/artifacts/a.raucb"
DEPLOYMENT: dict[str, Any] = {
    "id": "8",
    "deployment": {
        "download": "forced",
        "update": "attempt",
        "maintenanceWindow": "available",
        "chunks": [
            {
                "part": "os", "version": "1.2.3", "name": "smartcockpit", "encrypted": None,
                "metadata": [{"key": "purpose", "value": "security"}, {"key": "minutes", "value": "5"}],
                "artifacts": [
                    {
                        "filename": "a.raucb", "size": 13, "hashes": {"sha1": "x", "md5": "y", "sha256": "AB" * 32},
                        "_links": {"download": {"href": HREF}, "download-http": {"href": "http://localhost/a"}},
                    },
                    {
                        "filename": "a.txt", "size": 1, "hashes": {"sha256": "cd" * 32},
                        "_links": {"download": {"href": "https://localhost/t"}},
                    },
                ],
            }
        ],
    },
    "actionHistory": {"status": "RUNNING", "messages": ["Reboot"]},
}  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


def test_a_poll_is_read() -> None:
    links = {"deploymentBase": {"href": "https://h/d?c=-7"}, "installedBase": {"href": "https://h/i"}, "x": 1}
    document = {"config": {"polling": {"sleep": "12:00:30"}}, "_links": links}
    assert ddi.base(document) == Base(43_230, deployment="https://h/d?c=-7")


def test_a_deployment_is_read() -> None:
    offer = ddi.deployment(DEPLOYMENT)
    assert (offer.action, offer.version, offer.filename, offer.size) == ("8", "1.2.3", "a.raucb", 13)
    assert (offer.sha256, offer.href) == ("ab" * 32, HREF)
    assert (offer.download, offer.update, offer.window) == (
        Handling.FORCED, Handling.ATTEMPT, Window.AVAILABLE,
    )  # fmt: skip
    assert (offer.notes.purpose, offer.notes.minutes) == ("security", 5)


def test_a_confirmation_has_the_same_shape() -> None:
    document = {"id": "8", "confirmation": DEPLOYMENT["deployment"]}
    assert ddi.deployment(document, "confirmation") == ddi.deployment(DEPLOYMENT)


@pytest.mark.parametrize(
    ("download", "update", "window", "only"),
    [
        ("forced", "skip", None, True),
        ("attempt", "skip", "unavailable", False),
        ("skip", "skip", "available", False),
    ],
)
def test_download_only_is_told_from_a_closed_window(
    download: str, update: str, window: str | None, only: bool
) -> None:
    document = copy.deepcopy(DEPLOYMENT)
    document["deployment"] |= {"download": download, "update": update, "maintenanceWindow": window}
    assert ddi.deployment(document).download_only is only


@pytest.mark.parametrize("sleep", ["", "x", "1:2", "24:00:00:00", None, 5, "00:99:00"])
def test_a_sleep_that_is_none_is_zero(sleep: Any) -> None:
    assert ddi.base({"config": {"polling": {"sleep": sleep}}}).sleep_s == 0


def artifact(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["deployment"]["chunks"][0]["artifacts"][0]
    return found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: a.update(size=0), "size"),
        (lambda a: a.update(size=1 << 60), "size"),
        (lambda a: a.update(size=True), "size"),
        (lambda a: a["hashes"].pop("sha256"), "SHA-256"),
        (lambda a: a["hashes"].update(sha256="zz"), "SHA-256"),
        (lambda a: a["_links"].pop("download"), "plain HTTP"),
        (lambda a: a["_links"].clear(), "no link"),
    ],
)
def test_what_can_never_be_installed_is_to_be_closed(change: Any, words: str) -> None:
    document = copy.deepcopy(DEPLOYMENT)
    change(artifact(document))
    with pytest.raises(OfferError, match=words) as caught:
        ddi.deployment(document)
    assert (caught.value.action, caught.value.code) == ("8", Code.BAD_OFFER)


def test_several_bundles_or_none_are_to_be_closed() -> None:
    document = copy.deepcopy(DEPLOYMENT)
    document["deployment"]["chunks"] *= 2
    with pytest.raises(OfferError, match="2 bundles"):
        ddi.deployment(document)
    document["deployment"]["chunks"] = []
    with pytest.raises(OfferError, match="0 bundles"):
        ddi.deployment(document)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '"' + "x" * 100, "{}" * 2, "NaN"])
def test_what_is_no_json_object_is_named(text: str) -> None:
    with pytest.raises(DdiError):
        ddi.load(text)


@settings(deadline=None)
@given(JSON, st.sampled_from(["deployment", "confirmation"]))
def test_any_json_is_a_value_or_a_known_error(document: Any, key: str) -> None:
    for parse in (ddi.base, ddi.cancelled, lambda d: ddi.deployment(d, key)):
        try:
            parse(document if isinstance(document, dict) else {key: document, "id": "1"})
        except (DdiError, OfferError):
            continue


@given(st.data())
@settings(deadline=None)
def test_any_change_of_one_value_is_a_value_or_a_known_error(data: st.DataObject) -> None:
    document = copy.deepcopy(DEPLOYMENT)
    at: Any = document
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(at[key], dict | list) or not at[key] or data.draw(st.booleans()):
            at[key] = data.draw(JSON)
            break
        at = at[key]
    try:
        offer = ddi.deployment(document)
    except (DdiError, OfferError):
        return
    assert isinstance(offer, Offer)
    assert offer.size > 0
    assert len(offer.sha256) == 64
    assert len(offer.version) <= 128


@given(st.lists(st.text(max_size=3000), max_size=100), st.floats(allow_nan=False))
def test_feedback_fits_the_servers_quotas(details: list[str], percent: float) -> None:
    body = feedback.status(feedback.CLOSED, finished=feedback.FAILURE, code=5, details=details)
    sent = body["status"]["details"]
    assert len(sent) + 1 <= 50
    assert all(len(text) <= 512 for text in sent)
    assert feedback.coarse(percent) in (0, 20, 40, 60, 80, 100)
    assert json.loads(json.dumps(body)) == body


def test_attributes_are_cut_to_what_hawkbit_takes() -> None:
    """One odd letter, and the server refuses all of them."""
    said = ddi.attributes({"vin": "WVW\x00ZZZ~é", "version": "1.0.0+g1a2b", "slot": "", "long": "x" * 200})
    assert said == {"vin": "WVW?ZZZ??", "version": "1.0.0+g1a2b", "long": "x" * 128}


def test_messages_have_no_control_characters() -> None:
    assert feedback.messages(["a\x00b\nc", "\x07", ""]) == ["a b c"]


def test_feedback_has_no_time_of_a_clock_that_may_be_wrong() -> None:
    assert "timestamp" not in feedback.status(feedback.CLOSED, finished=feedback.SUCCESS)
