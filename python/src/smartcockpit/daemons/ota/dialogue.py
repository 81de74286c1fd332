# SPDX-License-Identifier: Apache-2.0
"""The talk with the server in DDI's terms: what it has for us, what we tell it.

Knows which resource is asked and what a status means; what follows from it for the update is decided
elsewhere. The only addresses made here are the unit's own resource and `…/feedback` below a given link, which
DDI does not link to; everything else is followed as given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smartcockpit.adapters.network import Answer, NetworkError
from smartcockpit.core.named import NamedTuple
from smartcockpit.core.update import ddi
from smartcockpit.core.update.ddi import OfferError
from smartcockpit.core.update.offer import Offer
from smartcockpit.daemons.ota.ports import Net

UNKNOWN = (404, 410)
"""The server knows the action no more, or not any longer."""
LATER = (401, 403, 408, 409, 425, 429)
"""Worth another try: rights, clocks and quotas change. So do all from 500 on; other refusals are final."""


class ServerError(NetworkError):
    """The server answered with a status that is no success; `retry_after_s` is its wish."""

    def __init__(self, answer: Answer, what: str) -> None:
        hint = {
            401: "is the token right, and are tokens allowed for the tenant?",
            403: "is the token right, and are tokens allowed for the tenant?",
        }.get(answer.status, "")
        super().__init__("status", f"{what} is answered with {answer.status}", hint)
        self.status = answer.status
        self.retry_after_s = answer.retry_after_s


class News(NamedTuple):
    """What a poll brought; at most one of the members after `sleep_s` is set."""

    sleep_s: int
    offer: Offer | None = None
    confirm: bool = False
    refused: OfferError | None = None
    stop: str = ""
    """Action that shall be stopped."""
    link: str = ""
    """Of the offer or the cancel."""
    quiet: bool = True
    """False: something is pending on the server, whether it could be read or not."""


class Dialogue:
    """Talks over `net` about the unit at `url`."""

    def __init__(self, net: Net, url: str) -> None:
        self._net = net
        self._url = url

    async def poll(self, attributes: Mapping[str, str]) -> News:
        """Ask what there is; `attributes` go to the server when it asks for them.

        Raises `NetworkError`, `DdiError`.
        """
        base = ddi.base(await self._get(self._url, "the poll"))
        if base.config_data:
            body = {"mode": "merge", "data": ddi.attributes(attributes)}
            await self._send("PUT", base.config_data, body, "configData")
        if base.cancel:
            document = await self._get_or_none(base.cancel, "cancelAction")
            if document is not None:
                return News(base.sleep_s, stop=ddi.cancelled(document), link=base.cancel, quiet=False)
        confirm = bool(base.confirmation)
        link = base.confirmation or base.deployment
        document = await self._get_or_none(link, "the deployment") if link else None
        if document is None:
            return News(base.sleep_s, quiet=not (link or base.cancel))
        try:
            offer = ddi.deployment(document, "confirmation" if confirm else "deployment")
        except OfferError as error:
            return News(base.sleep_s, refused=error, confirm=confirm, link=link, quiet=False)
        return News(base.sleep_s, offer=offer, confirm=confirm, link=link, quiet=False)

    async def tell(self, link: str, body: Mapping[str, Any]) -> bool:
        """Send feedback on the action at `link`; return False when the server knows it no more.

        Raises `NetworkError` for what is worth another try. A refusal that is final counts as told: saying
        it again would change nothing.
        """
        answer = await self._net.exchange("POST", link.partition("?")[0] + "/feedback", body)
        if answer.status in UNKNOWN:
            return False
        if _worth_another_try(answer.status):
            raise ServerError(answer, "feedback")
        return True

    async def runs(self, name: str, version: str) -> None:
        """Tell which version runs when no action says so (PUT installedBase, hawkBit#1620).

        Raises `NetworkError`; that the server knows no such version is no error.
        """
        body = {"name": name, "version": version}
        await self._send("PUT", f"{self._url}/installedBase", body, "installedBase")

    async def _get(self, url: str, what: str) -> dict[str, Any]:
        answer = await self._net.exchange("GET", url)
        if answer.status != 200:
            raise ServerError(answer, what)
        return ddi.load(answer.body)

    async def _get_or_none(self, url: str, what: str) -> dict[str, Any] | None:
        try:
            return await self._get(url, what)
        except ServerError as error:
            if error.status in UNKNOWN:
                return None  # it has changed its mind since the poll
            raise

    async def _send(self, method: str, url: str, body: Mapping[str, Any], what: str) -> None:
        answer = await self._net.exchange(method, url, body)
        if _worth_another_try(answer.status):
            raise ServerError(answer, what)


def _worth_another_try(status: int) -> bool:
    """Tell whether the server may take later what it has refused now."""
    return status in LATER or not 200 <= status < 500 or 300 <= status < 400
