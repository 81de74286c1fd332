# SPDX-License-Identifier: Apache-2.0
"""Settings of the update agent.

Systemd/config/ota.toml and the reference page are generated from here.
"""

from __future__ import annotations

from smartcockpit.runtime.schema import SettingsTable, setting


class ServerSettings(SettingsTable):
    """The hawkBit server; without a url the agent only installs files."""

    url: str = setting("", "Address of the server, such as https://updates.example.org. Only https is used.")
    tenant: str = setting("DEFAULT", "Tenant on the server.")
    distribution: str = setting(
        "smartcockpit",
        "Name of the distribution sets, under which the server is told of a version from a file.",
    )
    controller_id: str = setting(
        "", "Name of this unit on the server. Empty: made from the machine id, without showing it."
    )
    token: str = setting(
        "target",
        "Which token the token file holds: target for this unit's own, gateway for one that registers units "
        "by itself, none when the client certificate speaks for the unit.",
        choices=("target", "gateway", "none"),
    )
    token_file: str = setting(
        "/var/lib/smartcockpit-ota/token", "File with the token, readable for us alone."
    )
    ca_file: str = setting("", "Certificates to trust for the server. Empty: those of the system.")
    certificate: str = setting("", "Client certificate of this unit, PEM. Empty: none.")
    key: str = setting("", "Its key, PEM. Empty: in the same file.")
    poll_s: float = setting(0.0, "Pause between polls, s. 0: as the server wishes.", low=0.0, high=86_399.0)
    least_poll_s: float = setting(30.0, "Shortest pause that the server may wish, s.", low=0.0, high=3600.0)
    retry_first_s: float = setting(
        10.0, "Pause after a failed request, s; it doubles with each one.", low=0.01, high=3600.0
    )
    retry_last_s: float = setting(1800.0, "Longest pause after failed requests, s.", low=0.01, high=86_400.0)
    stall_s: float = setting(20.0, "Longest silence of the server, s.", low=0.1, high=600.0)
    total_s: float = setting(60.0, "Longest time for one exchange of documents, s.", low=0.2, high=600.0)


class DownloadSettings(SettingsTable):
    """Limits of a download."""

    deadline_h: float = setting(
        72.0, "Time from the offer to the whole bundle, h; then the update has failed.", low=0.0, high=2400.0
    )
    least_rate: float = setting(
        1024.0, "Bytes/s below which an attempt is given up and tried again later.", low=0.0, high=1e9
    )
    rate_window_s: float = setting(60.0, "Time over which the rate is taken, s.", low=0.1, high=3600.0)
    reserve_mib: float = setting(
        32.0, "Room that must stay free beside the bundle, MiB.", low=0.0, high=65_536.0
    )
    metered_interfaces: tuple[str, ...] = setting(
        ("wwan*", "ppp*"), "Network interfaces, by pattern, whose traffic costs money."
    )
    metered_mib: float = setting(
        0.0,
        "What one update may fetch over such an interface, MiB. 0: nothing, it waits for another link.",
        low=0.0,
        high=1e6,
    )


class GateSettings(SettingsTable):
    """What must be so before an installation, and again before the reboot."""

    parked: bool = setting(
        True, "The car must be parked: gear P or parking brake, and standing. false only on a desk."
    )
    lowest_v: float = setting(11.8, "Voltage that the battery must have, V. 0: none.", low=0.0, high=60.0)
    ask: str = setting(
        "campaign",
        "Whose word is needed: campaign for the user's when the server asks for it, soft also for every "
        "update that the server does not force, always for every one.",
        choices=("campaign", "soft", "always"),
    )
    retry_s: float = setting(
        5.0,
        "Pause before signals that nobody offers are asked for again, s.",
        low=0.01,
        high=600.0,
    )
    inhibit_folder: str = setting(
        "/run/smartcockpit/inhibit-update", "While a file lies here nothing is installed; its name says who."
    )


class TrialSettings(SettingsTable):
    """Patience with RAUC and around the reboot."""

    reboot_s: float = setting(300.0, "Then the reboot is asked for again, s.", low=0.1, high=3600.0)
    verdict_s: float = setting(
        1800.0,
        "How long the health gate may take, s; without its verdict the new slot is marked bad and left.",
        low=0.1,
        high=86_400.0,
    )
    look_s: float = setting(5.0, "How often its verdict is looked for, s.", low=0.01, high=600.0)
    retry_s: float = setting(
        1.0, "Pause after RAUC or the disk has failed us, s; it doubles up to sixtyfold.", low=0.01, high=60.0
    )


class FileSettings(SettingsTable):
    """Where things are; for tests and for other layouts."""

    verdict: str = setting("/var/lib/smartcockpit-health/verdict.json", "The health gate's verdict.")
    boot_id: str = setting("/proc/sys/kernel/random/boot_id", "The kernel's id of this boot.")
    os_release: str = setting("/etc/os-release", "IMAGE_VERSION in it is the version that runs.")
    routes: str = setting("/proc/net/route", "The kernel's table of routes.")
    saved_clock: str = setting(
        "/var/lib/systemd/timesync/clock", "Its time stamp is the last time that was known."
    )


class Settings(SettingsTable):
    """All settings of smartcockpit-ota."""

    dbus: str = setting("system", "The message bus: system, session, or a D-Bus address.")
    log_level: str = setting(
        "info", "Lowest level that is logged.", choices=("debug", "info", "warning", "error")
    )
    server: ServerSettings = setting(ServerSettings, "The update server.")
    download: DownloadSettings = setting(DownloadSettings, "Limits of a download.")
    gate: GateSettings = setting(
        GateSettings, "What must be so before an installation and before the reboot."
    )
    trial: TrialSettings = setting(TrialSettings, "Patience with RAUC and around the reboot.")
    files: FileSettings = setting(FileSettings, "Where things are; for tests and other layouts.")
