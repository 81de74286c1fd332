# SPDX-License-Identifier: Apache-2.0
"""Settings of the CAN bridge.

Systemd/config/canbridge.toml and the reference page are generated from here.
"""

from __future__ import annotations

from smartcockpit.runtime.schema import SettingsTable, setting


class BusSettings(SettingsTable):
    """How one bus of the vehicle is reached; without such a table: SocketCAN, channel as in vehicle.toml."""

    interface: str = setting(
        "socketcan",
        "socketcan for a kernel interface, datagram for frames on an AF_UNIX socket (development), "
        "else the name of a python-can interface such as slcan, pcan or udp_multicast.",
    )
    channel: str = setting(
        "", "Interface or device, such as can0 or /dev/ttyACM0. Empty: as in vehicle.toml."
    )
    options: dict[str, str | int | float | bool] = setting(
        dict, "Further arguments of the python-can interface.", example="{ bitrate = 500000 }"
    )


class RestartSettings(SettingsTable):
    """Pauses between attempts to bring a controller back from bus-off."""

    first_ms: int = setting(
        200, "Pause before the first attempt, ms. It doubles with each one.", low=20, high=60_000
    )
    last_ms: int = setting(10_000, "Longest pause, ms.", low=100, high=3_600_000)


class Settings(SettingsTable):
    """All settings of smartcockpit-canbridge."""

    vehicle: str = setting(
        "demo",
        "The vehicle: a name below vehicle_sources, the path of a folder with a vehicle.toml, "
        "or of a compiled .py file.",
    )
    vehicle_sources: tuple[str, ...] = setting(
        ("/etc/smartcockpit/vehicles", "/usr/share/smartcockpit/vehicles"),
        "Folders that hold vehicle folders; the first one that has the vehicle wins. "
        "The last one belongs to the image.",
    )
    vehicle_tables: tuple[str, ...] = setting(
        ("/usr/lib/smartcockpit/vehicles",), "Folders of compiled vehicles that belong to the image."
    )
    gather_ms: float = setting(
        5.0,
        "Under load frames are gathered for this long, ms, before they are decoded together; a lone frame "
        "never waits. 0: never.",
        low=0.0,
        high=20.0,
    )
    decoder: str = setting(
        "native",
        "native: frames are received and decoded by decoder_library, in Python where it cannot be loaded. "
        "python: always in Python.",
        choices=("native", "python"),
    )
    decoder_library: str = setting(
        "/usr/lib/smartcockpit/libcanreceive.so", "The C library that receives and decodes."
    )
    dbus: str = setting("system", "The message bus: system, session, or a D-Bus address.")
    log_level: str = setting(
        "info", "Lowest level that is logged.", choices=("debug", "info", "warning", "error")
    )
    restart: RestartSettings = setting(RestartSettings, "Recovery from bus-off.")
    buses: dict[str, BusSettings] = setting(
        dict,
        "How a bus is reached, by its name in vehicle.toml. None is needed for SocketCAN.",
        example="body",
    )
