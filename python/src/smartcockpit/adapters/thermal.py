# SPDX-License-Identifier: Apache-2.0
"""Temperature of the processor, from the kernel's thermal zones
(Documentation/driver-api/thermal/sysfs-api)."""

from __future__ import annotations

import glob

ZONES = "/sys/class/thermal/thermal_zone*/temp"


def temperature_c(pattern: str = ZONES) -> float | None:
    """Return the hottest zone in °C, None where there is none that can be read."""
    found = []
    for path in glob.glob(pattern):  # noqa: PTH207
        try:
            with open(path, "rb") as file:  # noqa: PTH123
                found.append(int(file.read(16)) / 1000)
        except (OSError, ValueError):
            continue
    return max(found, default=None)
