# SPDX-License-Identifier: Apache-2.0
"""Which daemon is believed for a signal that several offer.

The rule: a daemon that is there for the thing itself wins over the CAN bridge, which passes on whatever a
vehicle maps; among several of the first kind the name that sorts last wins, so that the answer is always
the same. It holds whatever the quality of the reading: a line that cannot be read is told as such, and not
papered over.
"""

from __future__ import annotations

from collections.abc import Iterable

from smartcockpit.bus.interfaces.signals1 import Description
from smartcockpit.bus.names import PREFIX
from smartcockpit.core.named import NamedTuple

CAN_BRIDGE = f"{PREFIX}.CanBridge1"


class Catalogue(NamedTuple):
    """What one owner offers."""

    owner: str
    unique: str
    """Unique name; another one means that the service was restarted."""
    signals: dict[str, Description]


def believed(catalogues: Iterable[Catalogue]) -> list[Catalogue]:
    """Return the catalogues, sorted by owner, each with only those signals that its owner is believed for."""
    sorted_ = sorted(catalogues, key=lambda catalogue: catalogue.owner)
    ranked = sorted(sorted_, key=lambda catalogue: catalogue.owner != CAN_BRIDGE)
    owner_of = {path: catalogue.owner for catalogue in ranked for path in catalogue.signals}
    if len(owner_of) == sum(len(catalogue.signals) for catalogue in sorted_):
        return sorted_
    return [
        c._replace(signals={path: d for path, d in c.signals.items() if owner_of[path] == c.owner})
        for c in sorted_
    ]
