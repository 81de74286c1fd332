# SPDX-License-Identifier: Apache-2.0
"""Which daemons this installation has, and how they are called. Imports none of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import smartcockpit
from smartcockpit.bus.names import PREFIX
from smartcockpit.core.errors import UsageError
from smartcockpit.core.nearest import did_you_mean


def daemons() -> list[str]:
    """Return the short names of the installed daemons, such as canbridge: the packages that have an entry."""
    folder = Path(smartcockpit.__file__).parent / "daemons"
    return sorted(entry.name for entry in folder.iterdir() if (entry / "__init__.py").is_file())


def chosen(wanted: Sequence[str]) -> list[str]:
    """Return the daemons that were asked for (default all); raises `UsageError` with the nearest name."""
    installed = daemons()
    names = [name.removeprefix("smartcockpit-").removesuffix(".service") for name in wanted]
    for name in names:
        if name not in installed:
            hint = did_you_mean(name, installed, "installed are: " + ", ".join(installed))
            raise UsageError(f"there is no daemon {name[:64]!r}", hint)
    return names or installed


def unit(daemon: str) -> str:
    """Return the systemd unit of a daemon."""
    return f"smartcockpit-{daemon}.service"


def bus_name(daemon: str, names: Iterable[str]) -> str:
    """Return the well-known name of `daemon` among `names` (…CanBridge1 for canbridge), or ""."""
    for name in names:
        interface = name.removeprefix(PREFIX + ".")
        if interface != name and interface.rstrip("0123456789").lower() == daemon:
            return name
    return ""
