# SPDX-License-Identifier: Apache-2.0
"""What people set about sound, and how it is written down so that it survives a reboot.

Pure: text in, text out. Volumes are percent on the curve of `loudness`.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from smartcockpit.core.errors import ConfigError, UsageError
from smartcockpit.core.loudness import percent_to_db
from smartcockpit.core.named import NamedTuple
from smartcockpit.core.sound_roles import Role

FORMAT = 1
MAX_BYTES = 16_384


class Volume(NamedTuple):
    """What was set for one role, or for all (master)."""

    percent: int
    muted: bool = False

    @property
    def gain_db(self) -> float:
        """Return the gain, minus infinity when muted."""
        return percent_to_db(0 if self.muted else self.percent)


class SoundSettings(NamedTuple):
    """Everything that people set."""

    roles: Mapping[Role, Volume]
    master: Volume
    balance: float = 0.0
    """-1 all left, 0 middle, 1 all right."""
    fade: float = 0.0
    """-1 all rear, 0 middle, 1 all front."""

    def with_role(self, role: Role, volume: Volume) -> SoundSettings:
        """Return the same with another volume for `role`."""
        return self._replace(roles={**self.roles, role: volume})

    def capped(self, percent: int) -> SoundSettings:
        """Return the same with no role and no master above `percent`: nobody is to be startled at start."""
        roles = {role: v._replace(percent=min(v.percent, percent)) for role, v in self.roles.items()}
        return self._replace(
            roles=roles, master=self.master._replace(percent=min(self.master.percent, percent))
        )


DEFAULTS = SoundSettings(
    {
        Role.MUSIC: Volume(80),
        Role.ASSISTANT: Volume(90),
        Role.NAVIGATION: Volume(90),
        Role.PHONE: Volume(90),
        Role.WARNING: Volume(100),
    },
    Volume(80),
)


def checked_percent(percent: int) -> int:
    """Return `percent`; raises `UsageError` unless it is 0 to 100."""
    if not 0 <= percent <= 100:
        raise UsageError(f"{percent} is no volume", "from 0 to 100 percent")
    return percent


def checked_side(value: float, word: str) -> float:
    """Return a balance or fade; raises `UsageError` unless it is -1 to 1."""
    if not (isfinite(value) and -1.0 <= value <= 1.0):
        raise UsageError(f"{value:g} is no {word}", "from -1 to 1")
    return value


def dump(settings: SoundSettings) -> str:
    """Return the text that `parse` reads."""
    import json

    body = {
        "format": FORMAT,
        "roles": {role.value: volume._asdict() for role, volume in settings.roles.items()},
        "master": settings.master._asdict(),
        "balance": settings.balance,
        "fade": settings.fade,
    }
    return json.dumps(body, indent=1) + "\n"


def parse(text: str) -> SoundSettings:
    """Return the settings in `text`; a role that is not in it has its default.

    Raises `ConfigError` for anything that `dump` does not write: half a file is no file.
    """
    import json  # here: a first start has nothing to read

    try:
        body = json.loads(text)
        if body["format"] != FORMAT:
            raise ConfigError(f"format {body['format']!r} is not known", "written by a later release?")
        roles = {Role(name): _volume(entry) for name, entry in body["roles"].items()}
        return SoundSettings(
            {**DEFAULTS.roles, **roles},
            _volume(body["master"]),
            checked_side(_number(body["balance"]), "balance"),
            checked_side(_number(body["fade"]), "fade"),
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, UsageError) as error:
        raise ConfigError(f"no settings of sound: {error}") from error


def _volume(entry: Any) -> Volume:
    percent, muted = entry["percent"], entry["muted"]
    if type(percent) is not int or type(muted) is not bool:
        raise TypeError(f"{entry!r} is no volume")
    return Volume(checked_percent(percent), muted)


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError(f"{value!r} is no number")
    return float(value)
