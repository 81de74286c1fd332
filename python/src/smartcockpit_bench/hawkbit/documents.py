# SPDX-License-Identifier: Apache-2.0
"""What the simulated hawkBit shows to devices: poll answer, deployments, cancels, bundles.

A poll shows at most one of deployment, cancel and confirmation, that of the oldest active action. None stands
for 404.
"""

from __future__ import annotations

from typing import Any

from smartcockpit_bench.hawkbit.model import Action, Bundle, Hawkbit, Status

LINK = {Status.WAIT_FOR_CONFIRMATION: "confirmationBase", Status.CANCELING: "cancelAction"}
ENDED = (Status.CANCELING, Status.CANCELED)


def base(server: Hawkbit, device: str) -> dict[str, Any]:
    """GET base."""
    server.polls += 1
    links: dict[str, Any] = {}
    target = server.target(device)
    target.status = "registered" if target.status == "unknown" else target.status
    mine = [a for a in server.actions if a.device == device]
    action = next((a for a in mine if a.status.active), None)
    if action is not None:
        kind = LINK.get(action.status, "deploymentBase")
        query = "" if kind == "cancelAction" else f"?c={_hash(action)}"
        links[kind] = {"href": f"{_of(server, device)}/{kind}/{action.number}{query}"}
    runs = [a for a in mine if a.status is Status.FINISHED and a.bundle.version == target.installed]
    if runs:
        links["installedBase"] = {"href": f"{_of(server, device)}/installedBase/{runs[-1].number}"}
    if target.asks:
        links["configData"] = {"href": f"{_of(server, device)}/configData"}
    shown: dict[str, Any] = {"config": {"polling": {"sleep": server.sleep}}}
    return shown | ({"_links": links} if links else {})


def deployment(server: Hawkbit, device: str, number: int) -> dict[str, Any] | None:
    """GET deploymentBase/{id}; an action that has ended is still shown."""
    action = server.find(device, number)
    if action is None or action.status in (*ENDED, Status.WAIT_FOR_CONFIRMATION):
        return None
    action.note_retrieved()
    return {"id": str(number), "deployment": _body(server, action)}


def installed(server: Hawkbit, device: str, number: int) -> dict[str, Any] | None:
    """GET installedBase/{id}."""
    action = server.find(device, number)
    if action is None or action.status.active or action.status in ENDED:
        return None
    return {"id": str(number), "deployment": _body(server, action)}


def confirmation(server: Hawkbit, device: str, number: int) -> dict[str, Any] | None:
    """GET confirmationBase/{id}."""
    action = server.find(device, number)
    if action is None or action.status is not Status.WAIT_FOR_CONFIRMATION:
        return None
    return {"id": str(number), "confirmation": _body(server, action)}


def cancel_action(server: Hawkbit, device: str, number: int) -> dict[str, Any] | None:
    """GET cancelAction/{id}."""
    action = server.find(device, number)
    if action is None or action.status not in ENDED:
        return None
    action.note_retrieved()
    return {"id": str(number), "cancelAction": {"stopId": str(number)}}


def bundle(server: Hawkbit, device: str, module: int, filename: str) -> Bundle | None:
    """GET softwaremodules/{id}/artifacts/{file}: only of an active action that nobody wants stopped."""
    for action in server.actions:
        fits = server.modules.index(action.bundle) + 1 == module and action.bundle.filename == filename
        if fits and action.device == device and action.status.active and action.status not in ENDED:
            return action.bundle
    return None


def _of(server: Hawkbit, device: str) -> str:
    return f"{server.url}/DEFAULT/controller/v1/{device}"


def _hash(action: Action) -> int:
    return hash((action.number, action.forced, action.window)) % 2**31


def _body(server: Hawkbit, action: Action) -> dict[str, Any]:
    bundle = action.bundle
    module = server.modules.index(bundle) + 1
    href = f"{_of(server, action.device)}/softwaremodules/{module}/artifacts/{bundle.filename}"
    if server.download_url:
        href = href.replace(server.url, server.download_url)
    download = "forced" if action.forced or action.download_only else "attempt"
    update = "skip" if action.download_only or action.window is False else download
    artifact = {
        "filename": bundle.filename, "size": len(bundle.data),
        "hashes": {"sha1": bundle.sha1, "md5": bundle.md5, "sha256": bundle.sha256},
        "_links": {"download-http": {"href": href}, "md5sum-http": {"href": href + ".MD5SUM"}},
    }  # fmt: skip
    chunk: dict[str, Any] = {
        "part": "os", "version": bundle.version, "name": bundle.name, "artifacts": [artifact],
    }  # fmt: skip
    if bundle.metadata:
        chunk["metadata"] = [{"key": k, "value": v} for k, v in bundle.metadata.items()]
    body: dict[str, Any] = {"download": download, "update": update, "chunks": [chunk]}
    if action.window is not None:
        body["maintenanceWindow"] = "available" if action.window else "unavailable"
    return body
