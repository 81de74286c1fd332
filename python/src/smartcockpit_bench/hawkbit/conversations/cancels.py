# SPDX-License-Identifier: Apache-2.0
"""Actions that are stopped, and the user's consent."""

from __future__ import annotations

from smartcockpit_bench.hawkbit.conversations.words import (
    Operator,
    conversation,
    deployment,
    look,
    offer,
    poll,
    tell,
)
from smartcockpit_bench.hawkbit.device import Device


@conversation
def cancel_at_once(operator: Operator, device: Device) -> None:
    """Cancelled before the device has heard of it."""
    action = offer(operator, device, "1.1.0")
    operator.cancel(device.name, action)
    cancel = device.link(poll(device), "cancelAction")
    device.ask("GET", cancel)
    tell(device, cancel, "closed", "success")
    look(operator, device, action)
    poll(device)
    tell(device, cancel, "closed", "success")
    device.ask("GET", cancel)


@conversation
def cancel_and_words(operator: Operator, device: Device) -> None:
    """Each word in answer to a cancel."""
    action = offer(operator, device, "1.1.0")
    address = deployment(device)
    cancel = address.replace("deploymentBase", "cancelAction")
    tell(device, cancel, "closed", "success")
    for word, finished in (
        ("rejected", "none"), ("closed", "failure"), ("canceled", "success"), ("proceeding", "none"),
        ("scheduled", "none"), ("download", "none"), ("downloaded", "none"), ("resumed", "none"),
    ):  # fmt: skip
        operator.cancel(device.name, action) if operator_may_cancel(device) else None
        tell(device, cancel, word, finished)
        poll(device)
    tell(device, cancel, "closed", "none")
    look(operator, device, action)


def operator_may_cancel(device: Device) -> bool:
    """Tell whether the last poll showed an update: a cancel that is on its way cannot be asked for again."""
    links = next(w["answer"]["_links"] for w in reversed(device.written) if "_links" in w.get("answer", {}))
    return "deploymentBase" in links


@conversation
def cancel_answered_by_the_result(operator: Operator, device: Device) -> None:
    """Too late: the update's own result is taken while the cancel is open."""
    for version, finished in (("1.1.0", "success"), ("1.2.0", "failure")):
        action = offer(operator, device, version)
        address = deployment(device)
        operator.cancel(device.name, action)
        tell(device, address, "closed", finished)
        look(operator, device, action)
        poll(device)
        tell(device, address.replace("deploymentBase", "cancelAction"), "closed", "success")
        look(operator, device, action)


@conversation
def force_quit(operator: Operator, device: Device) -> None:
    """The server forgets it without asking."""
    action = offer(operator, device, "1.1.0")
    address = deployment(device)
    operator.cancel(device.name, action)
    operator.cancel(device.name, action, force=True)
    look(operator, device, action)
    tell(device, address, "proceeding")
    tell(device, address, "closed", "success")
    poll(device)
    cancel = address.replace("deploymentBase", "cancelAction")
    tell(device, cancel, "closed", "success")
    device.ask("GET", cancel)
    look(operator, device, action)


@conversation
def consent(operator: Operator, device: Device) -> None:
    """Declined, which leaves it open, then given."""
    operator.confirmation_flow(True)
    try:
        action = offer(operator, device, "1.1.0")
        link = device.link(poll(device), "confirmationBase")
        address = link.partition("?")[0]
        device.ask("GET", link)
        device.ask("GET", address.replace("confirmationBase", "deploymentBase"))
        tell(device, address.replace("confirmationBase", "deploymentBase"), "closed", "failure")
        for body in (
            {},
            {"confirmation": "perhaps"},
            {"confirmation": "denied", "code": 403, "details": ["the user has declined"]},
        ):
            device.ask("POST", f"{address}/feedback", body)
        look(operator, device, action)
        poll(device)
        device.ask("POST", f"{address}/feedback", {"confirmation": "confirmed", "details": []})
        device.ask("POST", f"{address}/feedback", {"confirmation": "confirmed"})
        device.ask("GET", address)
        tell(device, deployment(device), "closed", "success")
        device.ask("POST", f"{address}/feedback", {"confirmation": "denied"})
        look(operator, device, action)
    finally:
        operator.confirmation_flow(False)


@conversation
def consent_cancelled(operator: Operator, device: Device) -> None:
    """Cancelled while the user thinks about it."""
    operator.confirmation_flow(True)
    try:
        action = offer(operator, device, "1.1.0")
        poll(device)
        operator.cancel(device.name, action)
        cancel = device.link(poll(device), "cancelAction")
        device.ask("POST", f"{device.base}/confirmationBase/{action}/feedback", {"confirmation": "confirmed"})
        tell(device, cancel, "closed", "success")
        look(operator, device, action)
    finally:
        operator.confirmation_flow(False)
