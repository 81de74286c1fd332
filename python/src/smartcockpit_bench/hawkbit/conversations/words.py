# SPDX-License-Identifier: Apache-2.0
"""What conversations are made of: who takes part, how one is held, and words that many of them need."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, Protocol

from smartcockpit_bench.hawkbit.device import Device, Heard

NAME = "conversation"
"""Of the distribution sets."""
TOKEN = "0123456789abcdef" * 2
GATEWAY = "fedcba9876543210" * 2
ANOTHER = "car-of-another"
ANOTHER_TOKEN = "0011223344556677" * 2
ASKED = ("tokens", "attributes")
"""Conversations in which the server asks who the device is; in all others that is done with."""


class Operator(Protocol):
    """Who looks after the server; versions are those of distribution sets `NAME`."""

    url: str

    def create_target(self, device: str, token: str) -> None:
        """Make a target with its token."""

    def publish(self, version: str) -> None:
        """Upload a version, unless that is done."""

    def offer(self, device: str, version: str, kind: str = "forced", window: str = "") -> int:
        """Upload and assign a version and return the action's number; a `window` is open or closed."""

    def make_forced(self, device: str, action: int) -> None:
        """Turn a soft action into a forced one."""

    def cancel(self, device: str, action: int, *, force: bool = False) -> None:
        """Ask the device to stop; with `force` do not ask."""

    def confirmation_flow(self, wanted: bool) -> None:
        """Have devices ask their users, for actions that are made from now on."""

    def gateway_token(self, token: str) -> None:
        """Let devices come with this token; "" with none."""

    def ended(self, device: str, action: int) -> str:
        """Return how an action ended, "" while it is active."""

    def installed(self, device: str) -> tuple[str, str]:
        """Return version and update status of a device as the server has them."""


Conversation = Callable[[Operator, Device], None]
CONVERSATIONS: dict[str, Conversation] = {}


def conversation(function: Conversation) -> Conversation:
    """Put it on the list."""
    CONVERSATIONS[function.__name__.replace("_", "-")] = function
    return function


def hold(name: str, operator: Operator, context: ssl.SSLContext) -> list[dict[str, Any]]:
    """Hold one conversation and return what was written down."""
    controller = f"car-{name}"
    operator.create_target(controller, TOKEN)
    operator.create_target(ANOTHER, ANOTHER_TOKEN)
    device = Device(operator.url, controller, f"TargetToken {TOKEN}", context)
    try:
        if name not in ASKED:
            device.ask("PUT", f"{device.base}/configData", {"data": {"version": "1.0.0"}})
        CONVERSATIONS[name](operator, device)
    finally:
        device.close()
    return device.written


# ---- words -----------------------------------------------------------------------------------------------


def said(execution: str, finished: str = "none", **more: Any) -> dict[str, Any]:
    """Return a feedback."""
    progress = more.pop("progress", None)
    result: dict[str, Any] = {"finished": finished}
    if progress is not None:
        result["progress"] = {"cnt": progress, "of": 100}
    return {"status": {"execution": execution, "result": result, **more}}


def offer(operator: Operator, device: Device, version: str, kind: str = "forced", window: str = "") -> int:
    """Assign, and write that down."""
    number = operator.offer(device.name, version, kind, window)
    device.note(operator=f"offers {version} {kind} {window}".rstrip())
    return number


def look(operator: Operator, device: Device, action: int) -> None:
    """Write down what the server makes of it."""
    version, status = operator.installed(device.name)
    device.note(ended=operator.ended(device.name, action), installed=version, target=status)


def poll(device: Device) -> Heard:
    """Ask for the base."""
    return device.ask("GET", device.base)


def deployment(device: Device) -> str:
    """Poll, get the deployment and return its address without the hash."""
    link = device.link(poll(device), "deploymentBase")
    device.ask("GET", link)
    return link.partition("?")[0]


def tell(device: Device, address: str, execution: str, finished: str = "none", **more: Any) -> int:
    """Send a feedback and return the status."""
    return device.ask("POST", f"{address}/feedback", said(execution, finished, **more)).status
