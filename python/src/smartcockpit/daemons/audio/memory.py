# SPDX-License-Identifier: Apache-2.0
"""What people set survives reboots and power cuts: written when the knob rests, read with suspicion."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from smartcockpit.adapters.state_file import read_state, write_state
from smartcockpit.core.errors import ConfigError, UnavailableError
from smartcockpit.core.sound_settings import DEFAULTS, MAX_BYTES, SoundSettings, dump, parse
from smartcockpit.daemons.audio import events

log = logging.getLogger(__name__)
REST_S = 2.0
"""A knob that is turned sends many volumes; the file is written when it has rested that long."""


class Memory:
    """The settings in the file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._timer: asyncio.TimerHandle | None = None
        self._get: Callable[[], SoundSettings] | None = None

    def recall(self, cap: int) -> SoundSettings:
        """Return what was set before, no volume above `cap` percent; defaults when it cannot be read."""
        settings = DEFAULTS
        try:
            text = read_state(self._path, MAX_BYTES)
            if text is not None:
                settings = parse(text)
        except ConfigError as error:
            events.VOLUMES_LOST.log(log, reason=error.message)
        return settings.capped(cap)

    def remember(self, get: Callable[[], SoundSettings]) -> None:
        """Write what `get` returns, soon."""
        self._get = get
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(REST_S, self.write)

    def write(self) -> None:
        """Write now what waits to be written."""
        if self._timer is not None and self._get is not None:
            self._timer.cancel()
            self._timer = None
            try:
                write_state(self._path, dump(self._get()))
            except UnavailableError as error:
                log.warning("volumes are not remembered: %s", error)
