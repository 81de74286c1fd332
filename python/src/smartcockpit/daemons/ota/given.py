# SPDX-License-Identifier: Apache-2.0
"""What the engine is given: its settings, its way to the outside, and pauses after trouble."""

from __future__ import annotations

import time

from smartcockpit.core.named import NamedTuple
from smartcockpit.core.update.decide import Ask
from smartcockpit.core.update.pacing import BackOff
from smartcockpit.daemons.ota.dialogue import Dialogue
from smartcockpit.daemons.ota.ports import BundleInstaller, Host, Net, Power, Record, Store, Vehicle


class Pace(NamedTuple):
    """Settings of the engine; `poll_s` 0: as the server wishes."""

    ask: Ask = Ask.CAMPAIGN
    poll_s: float = 0.0
    least_poll_s: float = 30.0
    retry_first_s: float = 10.0
    retry_last_s: float = 1800.0
    deadline_s: float = 259_200.0
    metered_bytes: int = 0
    reboot_s: float = 300.0
    verdict_s: float = 1800.0
    look_s: float = 5.0
    least_rate: float = 1024.0
    rate_window_s: float = 60.0
    local_retry_s: float = 1.0
    """First pause after the installer or the disk has failed; it grows to `LOCAL_GROWTH` times that."""
    distribution: str = "smartcockpit"
    """Name of the distribution set, under which the server is told what runs."""


class Ports(NamedTuple):
    """The outside."""

    store: Store
    record: Record
    net: Net
    installer: BundleInstaller
    vehicle: Vehicle
    host: Host
    power: Power
    dialogue: Dialogue | None
    """None: no server is configured."""


class Pause:
    """A time before which something is not tried again, with the reason."""

    def __init__(self, back_off: BackOff) -> None:
        self._back_off = back_off
        self.until_s = 0.0
        self.why = ""

    def failed(self, why: str, at_least_s: float = 0.0) -> None:
        """Wait, longer each time."""
        self.until_s = time.monotonic() + self._back_off.failed(at_least_s)
        self.why = why

    def succeeded(self) -> None:
        """Wait no more."""
        self._back_off.succeeded()
        self.until_s, self.why = 0.0, ""

    @property
    def reason(self) -> str:
        """Return why it waits now, "" when it need not."""
        return self.why if time.monotonic() < self.until_s else ""
