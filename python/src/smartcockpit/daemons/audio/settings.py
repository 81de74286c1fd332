# SPDX-License-Identifier: Apache-2.0
"""Settings of the audio daemon.

Systemd/config/audio.toml and the reference page are generated from here.
"""

from __future__ import annotations

from smartcockpit.core.loudness import SpeedCurve
from smartcockpit.runtime.schema import SettingError, SettingsTable, setting


class SpeedSettings(SettingsTable):
    """How much louder it gets with speed."""

    speeds_kmh: tuple[float, ...] = setting(
        (30.0, 80.0, 130.0), "Points of the curve, km/h, rising; it is straight between them."
    )
    boosts_db: tuple[float, ...] = setting(
        (0.0, 3.0, 6.0), "Boost at each of these points, dB. An empty list for both: no boost."
    )

    def __post_init__(self) -> None:
        try:
            SpeedCurve(self.speeds_kmh, self.boosts_db)
        except ValueError as error:
            raise SettingError("speed_volume.boosts_db", str(error), "as many boosts as speeds") from error


class SpeechSettings(SettingsTable):
    """Text to speech."""

    engine: str = setting("flite", "The program that speaks.", choices=("flite", "espeak-ng"))
    voice: str = setting(
        "slt", 'One of its voices, such as slt for flite, de for espeak-ng. "": its own choice.'
    )


class Settings(SettingsTable):
    """All settings of smartcockpit-audio."""

    server: str = setting(
        "/run/smartcockpit-sound/pulse/native", "Socket of the sound server (PulseAudio protocol)."
    )
    device: str = setting(
        "",
        "Name of the output device, or its beginning, as `cockpitctl audio` shows it. "
        '"": the sound server chooses.',
    )
    start_cap: int = setting(
        70, "No volume is above this after a start, percent, whatever was set before.", low=0, high=100
    )
    chime_folders: tuple[str, ...] = setting(
        ("/etc/smartcockpit/chimes", "/usr/share/smartcockpit/chimes"),
        "Folders with chimes (name.wav: mono, 16 bit, 48 kHz); the first one that has it wins.",
    )
    player: str = setting("/run/smartcockpit-player/socket", "Socket that the player process connects to.")
    dbus: str = setting("system", "The message bus: system, session, or a D-Bus address.")
    log_level: str = setting(
        "info", "Lowest level that is logged.", choices=("debug", "info", "warning", "error")
    )
    speed_volume: SpeedSettings = setting(SpeedSettings, "Volume that follows Vehicle.Speed.")
    speech: SpeechSettings = setting(SpeechSettings, "Text to speech.")
