# SPDX-License-Identifier: Apache-2.0
"""Settings of the GNSS reader.

Systemd/config/gnss.toml and the reference page are generated from here.
"""

from __future__ import annotations

from smartcockpit.runtime.schema import SettingsTable, setting


class DeadReckoningSettings(SettingsTable):
    """Going on by the car's own motion where there are no satellites."""

    enabled: bool = setting(True, "Go on by speed and yaw rate when satellites are lost.")
    max_error_m: float = setting(
        250.0, "Give up when the position may be wrong by more than this, m.", low=10.0, high=5000.0
    )


class RecordSettings(SettingsTable):
    """Keeping what the receiver sends, for `source = \"replay\"` or the host's tool."""

    path: str = setting("", "Write the receiver's bytes to this file, anew at each start. Empty: do not.")
    max_mib: int = setting(64, "Stop at this size, MiB; an hour is about 10.", low=1, high=100_000)


class Settings(SettingsTable):
    """All settings of smartcockpit-gnss."""

    source: str = setting(
        "serial",
        "serial for a receiver at `device`, replay for a recording, whose path `device` then is.",
        choices=("serial", "replay"),
    )
    device: str = setting("/dev/gnss0", "The receiver's serial line; a udev rule gives it this name.")
    baudrate: int = setting(0, "Its rate, bit/s. 0: found by trying.", low=0, high=4_000_000)
    rate_hz: int = setting(
        5,
        "Positions a second that a u-blox receiver (generation 9 and later) is set to, in UBX. "
        "0: receivers are left as they are.",
        low=0,
        high=10,
    )
    lost_after_s: float = setting(
        10.0, "A position without successor is stale; after so long it is unavailable, s.", low=1, high=3600
    )
    date_floor: str = setting(
        "",
        "No date before this one (YYYY-MM-DD) is believed: receivers' week numbers roll over. "
        "Empty: when the image was built.",
    )
    chrony_socket: str = setting(
        "", "Socket of chrony's SOCK reference clock that gets the time. Empty: none does."
    )
    dbus: str = setting("system", "The message bus: system, session, or a D-Bus address.")
    log_level: str = setting(
        "info", "Lowest level that is logged.", choices=("debug", "info", "warning", "error")
    )
    dead_reckoning: DeadReckoningSettings = setting(DeadReckoningSettings, "Without satellites.")
    record: RecordSettings = setting(RecordSettings, "Recording.")
