# SPDX-License-Identifier: Apache-2.0
"""Kinds of actions, one over the other, and versions that came without the server."""

from __future__ import annotations

from smartcockpit_bench.hawkbit.conversations.words import (
    NAME,
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
def soft_becomes_forced(operator: Operator, device: Device) -> None:
    """The link's hash changes."""
    action = offer(operator, device, "1.1.0", "soft")
    soft = device.link(poll(device), "deploymentBase")
    device.ask("GET", soft)
    operator.make_forced(device.name, action)
    device.note(operator="makes it forced")
    forced = device.link(poll(device), "deploymentBase")
    device.note(another_link=forced != soft)
    device.ask("GET", forced)


@conversation
def download_only(operator: Operator, device: Device) -> None:
    """Ends with `downloaded`; then the set counts as assigned: the server makes no other action of it."""
    action = offer(operator, device, "1.1.0", "downloadonly")
    address = deployment(device)
    tell(device, address, "download")
    tell(device, address, "downloaded", code=202)
    look(operator, device, action)
    poll(device)
    tell(device, address, "downloaded")
    tell(device, address, "closed", "success")
    look(operator, device, action)
    device.note(action=operator.offer(device.name, "1.1.0"))


@conversation
def time_forced(operator: Operator, device: Device) -> None:
    """Forced from a time on."""
    offer(operator, device, "1.1.0", "timeforced-later")
    tell(device, deployment(device), "closed", "success")
    offer(operator, device, "1.2.0", "timeforced-since")
    tell(device, deployment(device), "closed", "success")


@conversation
def maintenance_window(operator: Operator, device: Device) -> None:
    """Closed: download, but do not install."""
    for kind in ("soft", "forced"):
        for version, window in (("1.1.0", "closed"), ("1.2.0", "open")):
            offer(operator, device, version, kind, window)
            tell(device, deployment(device), "closed", "success")


@conversation
def one_over_the_other(operator: Operator, device: Device) -> None:
    """A second assignment cancels the first, which must be answered before the second is shown."""
    first = offer(operator, device, "1.1.0")
    old = deployment(device)
    second = offer(operator, device, "1.2.0")
    cancel = device.link(poll(device), "cancelAction")
    device.ask("GET", old)
    device.ask("GET", cancel)
    tell(device, old, "proceeding")
    tell(device, cancel, "closed", "success")
    look(operator, device, first)
    tell(device, deployment(device), "closed", "success")
    look(operator, device, second)


@conversation
def the_same_again(operator: Operator, device: Device) -> None:
    """What is assigned already makes no second action; what is installed already does."""
    offer(operator, device, "1.1.0")
    tell(device, deployment(device), "closed", "success")
    device.note(action=operator.offer(device.name, "1.1.0"))
    poll(device)


@conversation
def installed_without_the_server(operator: Operator, device: Device) -> None:
    """PUT installedBase, of a version that the server has and of one that it has not."""
    operator.publish("1.2.0")
    first = offer(operator, device, "1.1.0")
    tell(device, deployment(device), "closed", "success")
    for name, version in ((NAME, "9.9.9"), (NAME, "1.2.0"), (NAME, "1.2.0")):
        device.ask("PUT", f"{device.base}/installedBase", {"name": name, "version": version})
    device.ask("PUT", f"{device.base}/installedBase", {"name": NAME})
    look(operator, device, first)
    poll(device)


@conversation
def told_the_version_while_an_action_runs(operator: Operator, device: Device) -> None:
    """PUT installedBase in the middle of an action: 200, and nothing comes of it."""
    operator.publish("1.1.0")
    action = offer(operator, device, "1.2.0")
    deployment(device)
    device.ask("PUT", f"{device.base}/installedBase", {"name": NAME, "version": "1.1.0"})
    look(operator, device, action)
    poll(device)


@conversation
def fell_back(operator: Operator, device: Device) -> None:
    """Failure, then the version that truly runs; the operator may offer the other one again."""
    offer(operator, device, "1.1.0")
    tell(device, deployment(device), "closed", "success")
    action = offer(operator, device, "1.2.0")
    tell(device, deployment(device), "closed", "failure", code=510)
    device.ask("PUT", f"{device.base}/installedBase", {"name": NAME, "version": "1.1.0"})
    look(operator, device, action)
    poll(device)
    again = offer(operator, device, "1.2.0")
    tell(device, deployment(device), "closed", "success")
    look(operator, device, again)
