# SPDX-License-Identifier: Apache-2.0
"""Who the device is: tokens, attributes, addresses that lead nowhere."""

from __future__ import annotations

from typing import Any

from smartcockpit_bench.hawkbit.conversations.words import (
    ANOTHER,
    GATEWAY,
    Operator,
    conversation,
    poll,
    tell,
)
from smartcockpit_bench.hawkbit.device import Device


@conversation
def tokens(operator: Operator, device: Device) -> None:
    """Wrong words at the door, and what a gateway token opens."""
    right = device.authorization
    for wrong in ("", "TargetToken 0", "GatewayToken 0", right.replace("Target", "Gateway")):
        device.authorization = wrong
        poll(device)
    operator.gateway_token(GATEWAY)
    try:
        device.authorization = f"GatewayToken {GATEWAY}"
        poll(device)
        device.ask("GET", device.base.replace("car-tokens", "car-nobody-knows"))
    finally:
        operator.gateway_token("")
    device.authorization = right
    device.ask("GET", device.base.replace("car-tokens", ANOTHER))
    poll(device)


@conversation
def attributes(_: Operator, device: Device) -> None:
    """ConfigData: when it is asked for, and what is refused."""
    link = device.link(poll(device), "configData")
    refused: tuple[dict[str, Any], ...] = (
        {},
        {"data": {}},
        {"mode": "merge", "data": {"k": "v" * 129}},
        {"mode": "merge", "data": {"ä": "v"}},
        {"mode": "merge", "data": {"k": "ä"}},
        {"mode": "no", "data": {"k": "v"}},
        {"mode": "merge", "data": {f"k{i}": "v" for i in range(101)}},
        {"data": [1]},
    )
    for body in refused:
        device.ask("PUT", link, body)
    poll(device)
    device.ask("PUT", link, {"mode": "merge", "data": {"hardware": "board", "version": "1.0.0"}})
    poll(device)
    device.ask("PUT", link, {"mode": "replace", "data": {"version": "1.0.1"}})
    device.ask("PUT", link, {"mode": "remove", "data": {"version": ""}})


@conversation
def odd_addresses(_: Operator, device: Device) -> None:
    """What is not there."""
    for path in ("/deploymentBase/99999", "/cancelAction/99999", "/confirmationBase/99999", "/no"):
        device.ask("GET", device.base + path)
    for path in ("/deploymentBase/99999", "/cancelAction/99999"):
        tell(device, device.base + path, "closed", "success")
