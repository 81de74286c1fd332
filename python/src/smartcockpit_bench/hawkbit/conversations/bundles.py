# SPDX-License-Identifier: Apache-2.0
"""Bundles: ranges, conditions, and who may have them."""

from __future__ import annotations

from smartcockpit_bench.hawkbit.conversations.words import (
    ANOTHER,
    ANOTHER_TOKEN,
    Operator,
    conversation,
    offer,
    poll,
    tell,
)
from smartcockpit_bench.hawkbit.device import Device


@conversation
def download(operator: Operator, device: Device) -> None:
    """Ranges and conditions."""
    action = offer(operator, device, "1.1.0")
    link = device.link(poll(device), "deploymentBase")
    (chunk,) = device.ask("GET", link).document["deployment"]["chunks"]
    (artifact,) = chunk["artifacts"]
    url = artifact["_links"]["download-http"]["href"]
    right = f'"{artifact["hashes"]["sha1"]}"'
    size = artifact["size"]
    for headers in (
        {},
        {"Range": "bytes=0-"},
        {"Range": "bytes=100-", "If_Range": right},
        {"Range": "bytes=100-199"},
        {"Range": "bytes=-100"},
        {"Range": "bytes=100-", "If_Range": '"0000000000000000000000000000000000000000"'},
        {"Range": f"bytes={size}-"},
        {"Range": f"bytes={size}-", "If_Range": right},
        {"Range": "bytes=nonsense"},
        {"If_Match": right},
        {"If_Match": '"0000000000000000000000000000000000000000"'},
    ):
        device.ask("GET", url, **headers)
    device.ask("GET", url.replace(artifact["filename"], "no.raucb"))
    address = link.partition("?")[0]
    operator.cancel(device.name, action)
    device.ask("GET", url, Range="bytes=0-")
    tell(device, address.replace("deploymentBase", "cancelAction"), "rejected")
    device.ask("GET", url, Range="bytes=0-")
    tell(device, address, "closed", "success")
    device.ask("GET", url, Range="bytes=0-")
    device.ask("GET", url)


@conversation
def download_by_another(operator: Operator, device: Device) -> None:
    """A bundle that is not offered to this device."""
    operator.offer(ANOTHER, "1.1.0")
    other = Device(device.url, ANOTHER, f"TargetToken {ANOTHER_TOKEN}", device.context)
    try:
        found = other.ask("GET", other.link(poll(other), "deploymentBase")).document
    finally:
        other.close()
    (artifact,) = found["deployment"]["chunks"][0]["artifacts"]
    url = artifact["_links"]["download-http"]["href"].replace(ANOTHER, device.name)
    device.ask("GET", url, Range="bytes=0-")
