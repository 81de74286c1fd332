# SPDX-License-Identifier: Apache-2.0
"""Settings of the power daemon: which line is what on this board, and how long things take.

Systemd/config/power.toml and the reference page are generated from here.
"""

from __future__ import annotations

from smartcockpit.core.nearest import did_you_mean
from smartcockpit.runtime.schema import SettingError, SettingsTable, setting

OUTPUTS = ("amplifier", "lamp", "fan")


class InputSettings(SettingsTable):
    """One input line."""

    line: int = setting(0, "Number of the line on the chip.", low=0, high=511)
    active: str = setting("high", "Level at which it counts as on.", choices=("high", "low"))
    pull: str = setting("none", "Resistor inside the chip, where it has one.", choices=("none", "up", "down"))
    debounce_ms: int = setting(50, "How long a new level must last, ms.", low=0, high=5000)


class OutputSettings(SettingsTable):
    """One output line."""

    line: int = setting(0, "Number of the line on the chip.", low=0, high=511)
    active: str = setting("high", "Level that switches it on.", choices=("high", "low"))


class GpioSettings(SettingsTable):
    """The chip that the lines belong to."""

    driver: str = setting(
        "lgpio",
        "lgpio for a chip of the kernel (by gpiozero), files for a folder of files (development), "
        "mock for none.",
        choices=("lgpio", "files", "mock"),
    )
    chip: str = setting(
        "/dev/gpiochip0",
        "Its label as gpiodetect shows it, or the path of its device; with files: the folder.",
    )
    poll_ms: int = setting(40, "How often inputs are read, ms.", low=5, high=1000)


class IgnitionSettings(SettingsTable):
    """Where the ignition comes from."""

    source: str = setting(
        "gpio",
        "gpio: the input line named ignition. can: Vehicle.LowVoltageSystemState of the CAN bridge.",
        choices=("gpio", "can"),
    )


class TimingSettings(SettingsTable):
    """How long the cockpit stays on."""

    wake_s: float = setting(
        20.0, "After the start the ignition is given so long to come on, s.", low=0.0, high=3600.0
    )
    linger_s: float = setting(600.0, "How long it stays on after ignition off, s.", low=0.0, high=86_400.0)
    leave_s: float = setting(
        60.0, "The rest of that once the driver's door was opened and closed, s.", low=0.0, high=86_400.0
    )
    stay_s: float = setting(
        7200.0, "The most that Stay can ask for, s after ignition off.", low=0.0, high=86_400.0
    )
    hold_s: float = setting(
        3600.0, "The most that inhibitors can hold a shutdown up beyond its time, s.", low=0.0, high=86_400.0
    )
    warn_s: float = setting(
        3.0,
        "Between the state shutting-down (the amplifier goes off) and the power-off, s.",
        low=0.0,
        high=60.0,
    )


class BatterySettings(SettingsTable):
    """When the battery is weak. Thresholds are for a 12 V lead battery at rest; below critical it is at
    once."""

    low_v: float = setting(12.0, "Below this the linger is low_linger_s at most, V.", low=5.0, high=60.0)
    very_low_v: float = setting(11.6, "Below this it is very_low_linger_s at most, V.", low=5.0, high=60.0)
    critical_v: float = setting(
        11.0, "Below this it shuts down at once, whoever inhibits it, V.", low=5.0, high=60.0
    )
    low_linger_s: float = setting(120.0, "Longest linger at a low voltage, s.", low=0.0, high=86_400.0)
    very_low_linger_s: float = setting(
        30.0, "Longest linger at a very low voltage, s.", low=0.0, high=86_400.0
    )

    def __post_init__(self) -> None:
        if not self.critical_v <= self.very_low_v <= self.low_v:
            raise SettingError(
                "battery.very_low_v", "thresholds are out of order", "critical <= very low <= low"
            )


class FanSettings(SettingsTable):
    """When the output named fan is on."""

    on_c: float = setting(65.0, "Temperature of the processor that switches it on, °C.", low=0.0, high=120.0)
    off_c: float = setting(55.0, "Temperature below which it goes off again, °C.", low=0.0, high=120.0)

    def __post_init__(self) -> None:
        if self.off_c > self.on_c:
            raise SettingError(
                "fan.off_c", f"{self.off_c} is above on_c ({self.on_c})", "make it lower than on_c"
            )


class Settings(SettingsTable):
    """All settings of smartcockpit-power."""

    dbus: str = setting("system", "The message bus: system, session, or a D-Bus address.")
    log_level: str = setting(
        "info", "Lowest level that is logged.", choices=("debug", "info", "warning", "error")
    )
    ignition: IgnitionSettings = setting(IgnitionSettings, "The ignition.")
    timing: TimingSettings = setting(TimingSettings, "How long the cockpit stays on.")
    battery: BatterySettings = setting(BatterySettings, "A weak battery.")
    fan: FanSettings = setting(FanSettings, "The fan.")
    gpio: GpioSettings = setting(GpioSettings, "The chip that has the lines.")
    inputs: dict[str, InputSettings] = setting(
        dict,
        "Input lines by name: ignition, reverse; any other name is a key, such as volume-up.",
        example="ignition",
    )
    outputs: dict[str, OutputSettings] = setting(
        dict, "Output lines by name: amplifier, lamp, fan.", example="amplifier"
    )

    def __post_init__(self) -> None:
        for name in self.outputs:
            if name not in OUTPUTS:
                hint = did_you_mean(name, OUTPUTS, f"there is: {', '.join(OUTPUTS)}")
                raise SettingError(f"outputs.{name}", "no such output", hint)
        used: dict[int, str] = {}
        for kind, lines in (("inputs", self.inputs), ("outputs", self.outputs)):
            for name, line in lines.items():
                if line.line in used:
                    raise SettingError(f"{kind}.{name}", f"line {line.line} is {used[line.line]} already")
                used[line.line] = f"{kind}.{name}"
