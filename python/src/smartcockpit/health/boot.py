# SPDX-License-Identifier: Apache-2.0
"""Which boot this is: slot, version, and whether the slot is on trial.

Two memories that fail independently say so. The boot loader's counter: a slot that was not marked good since
it was installed has three attempts or fewer (bench/boot/boot.cmd), and the kernel line says
`smartcockpit.trial`. Our record on the data partition: which installation of the slot has passed the gate. A
slot is on trial when the boot loader says so and the record does not know it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smartcockpit.adapters import durable
from smartcockpit.core.named import NamedTuple
from smartcockpit.health import places
from smartcockpit.health.rauc import Slot, Slots

TRIAL_WORD = "smartcockpit.trial"


class Boot(NamedTuple):
    """The running system."""

    slot: str
    """A or B; empty when no boot loader chose one."""
    boot_id: str
    version: str
    flagged: bool
    """The boot loader takes the slot for one on trial."""


def this_boot() -> Boot:
    """Return what this boot is; what cannot be read is empty."""
    words = _text(places.KERNEL_LINE).split()
    slot = next((word.partition("=")[2] for word in words if word.startswith("rauc.slot=")), "")
    release = dict(line.split("=", 1) for line in _text(places.OS_RELEASE).splitlines() if "=" in line)
    version = release.get("IMAGE_VERSION", "").strip('"')
    return Boot(slot, _text(places.BOOT_ID).strip(), version, TRIAL_WORD in words)


def is_proven(slot: Slot) -> bool:
    """Tell whether this very installation of the slot has passed the gate."""
    return _proven_slots().get(slot.name) == slot.installation


def can_return(slots: Slots) -> bool:
    """Tell whether there is another system to go back to.

    Attempts alone do not say so: an empty slot gets them, too, when the counters are lost.
    But what RAUC has installed, into either slot, was installed by the system in the other one.
    """
    other = slots.other
    if other is None or not other.bootable:
        return False
    return bool(other.installation or slots.booted.installation) or other.name in _proven_slots()


def record_proven(slot: Slot) -> None:
    """Remember that this installation has passed; nothing is written when that is known."""
    if is_proven(slot):
        return
    slots = {**_proven_slots(), slot.name: slot.installation}
    durable.write(places.PROVEN, {"format": 1, "slots": slots}, places.MODE)


def _proven_slots() -> dict[str, Any]:
    """Return which installation of each slot has passed; empty for a file that cannot be used."""
    found = (durable.read(places.PROVEN) or {}).get("slots")
    return found if isinstance(found, dict) else {}


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
