# SPDX-License-Identifier: Apache-2.0
"""How an update goes on and ends: success, failure, odd words, quotas."""

from __future__ import annotations

from typing import Any

from smartcockpit_bench.hawkbit.conversations.words import (
    Operator,
    conversation,
    deployment,
    look,
    offer,
    poll,
    said,
    tell,
)
from smartcockpit_bench.hawkbit.device import Device


@conversation
def forced(operator: Operator, device: Device) -> None:
    """From the offer to success, and afterwards."""
    poll(device)
    action = offer(operator, device, "1.1.0")
    address = deployment(device)
    tell(device, address, "download", progress=0)
    tell(device, address, "proceeding", progress=40, details=["downloading 40 %"])
    tell(device, address, "downloaded")
    tell(device, address, "scheduled", details=["the car moves"])
    tell(device, address, "resumed")
    look(operator, device, action)
    tell(device, address, "closed", "success", code=200, details=["proven"])
    look(operator, device, action)
    tell(device, address, "closed", "success", code=200)
    tell(device, address, "proceeding")
    installed = device.link(poll(device), "installedBase")
    device.ask("GET", installed)
    device.ask("GET", address)


@conversation
def failure(operator: Operator, device: Device) -> None:
    """Closed as failed; then the same again, which the server offers as a new action."""
    first = offer(operator, device, "1.1.0")
    address = deployment(device)
    tell(device, address, "closed", "failure", code=510, details=["fell back"])
    look(operator, device, first)
    poll(device)
    second = offer(operator, device, "1.1.0")
    tell(device, deployment(device), "closed", "success")
    look(operator, device, second)
    third = offer(operator, device, "1.2.0")
    tell(device, deployment(device), "closed", "failure")
    look(operator, device, third)
    poll(device)


@conversation
def words_that_do_not_end_it(operator: Operator, device: Device) -> None:
    """Rejected and canceled are warnings of an update."""
    action = offer(operator, device, "1.1.0")
    address = deployment(device)
    for word in ("rejected", "canceled"):
        tell(device, address, word)
        look(operator, device, action)
        poll(device)
    tell(device, address, "closed", "none")
    look(operator, device, action)


@conversation
def a_clock_that_was_lost(operator: Operator, device: Device) -> None:
    """The server believes a feedback's time: success before the last installation changes nothing."""
    first = offer(operator, device, "1.1.0")
    tell(device, deployment(device), "closed", "success")
    look(operator, device, first)
    second = offer(operator, device, "1.2.0")
    body = said("closed", "success") | {"timestamp": 1_000_000}
    device.ask("POST", deployment(device) + "/feedback", body)
    look(operator, device, second)


@conversation
def odd_feedback(operator: Operator, device: Device) -> None:
    """What is no feedback."""
    action = offer(operator, device, "1.1.0")
    address = deployment(device) + "/feedback"
    refused: tuple[Any, ...] = (
        "no json",
        "[]",
        {},
        {"status": {}},
        {"status": {"execution": "closed"}},
        {"status": {"execution": "walking", "result": {"finished": "none"}}},
        {"status": {"execution": "closed", "result": {"finished": "perhaps"}}},
        {"status": {"execution": "closed", "result": {}}},
        {"status": {"execution": "proceeding", "result": {"finished": "none"}, "details": "text"}},
        {"status": {"execution": "proceeding", "result": {"finished": "none"}, "code": "text"}},
    )
    for body in refused:
        device.ask("POST", address, body)
    for body in (
        said("proceeding") | {"id": "x", "time": "20260101T000000", "unknown": {}},
        said("proceeding", details=["x" * 2000]),
        said("proceeding", details=["\u0000 \U0001f697 ä"]),
        said("proceeding", details=[]),
    ):
        device.ask("POST", address, body)
    look(operator, device, action)


@conversation
def quotas(operator: Operator, device: Device) -> None:
    """50 messages in an entry, 1,000 entries in an action; the last word always gets through."""
    action = offer(operator, device, "1.1.0")
    address = deployment(device)
    for count, code in ((50, None), (51, None), (49, 1), (50, 1)):
        body = said("proceeding", details=[f"{i}" for i in range(count)])
        if code is not None:
            body["status"]["code"] = code
        device.ask("POST", address + "/feedback", body)
    before = len(device.written)
    count = 0
    while tell(device, address, "proceeding") == 200 and count < 1100:
        count += 1
    del device.written[before + 1 : -1]
    device.note(entries_until_then=count)
    look(operator, device, action)
    tell(device, address, "closed", "success", details=[f"{i}" for i in range(51)])
    tell(device, address, "closed", "success")
    look(operator, device, action)
