# SPDX-License-Identifier: Apache-2.0
"""All that an update keeps over a power cut, as one value, and its way to JSON and back."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from smartcockpit.core.errors import ConfigError
from smartcockpit.core.named import NamedTuple
from smartcockpit.core.update.codes import Cancel, Code, Consent, Outcome, Phase
from smartcockpit.core.update.offer import Handling, Window

FORMAT = 1
REMEMBERED = 8
"""Answers that are kept for actions which the server offers again."""


class Answer(NamedTuple):
    """How an action was answered, for the case that the server did not get it."""

    action: str
    sha256: str
    outcome: str
    code: int
    text: str


class Update(NamedTuple):
    """The update at hand; all defaults: there is none."""

    phase: Phase = Phase.IDLE
    from_server: bool = False
    action: str = ""
    link: str = ""
    """deploymentBase as the server gave it; of a local file its path."""
    confirm_link: str = ""
    """confirmationBase while the server waits for the user's word."""
    cancel_link: str = ""
    version: str = ""
    from_version: str = ""
    name: str = ""
    filename: str = ""
    size: int = 0
    sha256: str = ""
    href: str = ""
    download: Handling = Handling.ATTEMPT
    update: Handling = Handling.ATTEMPT
    window: Window = Window.NONE
    purpose: str = ""
    changes: str = ""
    minutes: int = 0
    pauses: str = ""
    consent: Consent = Consent.OPEN
    consent_us: int = 0
    consent_told: bool = False
    started_us: int = 0
    fetched: int = 0
    """Bytes that came over the network so far, those that were thrown away included."""
    inspected: bool = False
    slot_from: str = ""
    slot_to: str = ""
    stamp: str = ""
    """What RAUC said of the last installation into `slot_to` before this one."""
    boot_id: str = ""
    """Boot in which the new slot was written."""
    tries: int = 0
    since_us: int = 0
    """When it came into a phase that has a time limit."""
    cancel: Cancel = Cancel.NONE
    outcome: Outcome = Outcome.OPEN
    code: Code = Code.NONE
    text: str = ""
    told: tuple[str, ...] = ()
    entries: int = 0
    recorded: bool = False
    answered: bool = False

    @property
    def download_only(self) -> bool:
        """True when nothing shall be installed, now or in a later window."""
        return self.from_server and self.update is Handling.SKIP and self.window is Window.NONE

    @property
    def key(self) -> str:
        """Return what tells this update from every other one."""
        return f"{self.action}/{self.sha256 or self.version}/{self.started_us}"


class State(NamedTuple):
    """The whole file: the update at hand, answers given before, the newest time known to have passed."""

    update: Update = Update()
    answers: tuple[Answer, ...] = ()
    floor_us: int = 0
    told_version: str = ""
    """Version that the server was last told about outside of an action."""


def dump(state: State) -> dict[str, Any]:
    """Return `state` as JSON values."""
    plain = {
        name: value.value if isinstance(value, Enum) else list(value) if isinstance(value, tuple) else value
        for name, value in state.update._asdict().items()
    }
    return {
        "format": FORMAT,
        "update": plain,
        "answers": [list(answer) for answer in state.answers],
        "floor_us": state.floor_us,
        "told_version": state.told_version,
    }


def load(document: Mapping[str, Any]) -> State:
    """Return the state that `dump` wrote; missing keys take their defaults, unknown ones are skipped.

    Raises `ConfigError` for another format or values of the wrong kind: a file that somebody else wrote.
    """
    if document.get("format") != FORMAT:
        raise ConfigError(f"the update state has format {document.get('format')!r}, not {FORMAT}")
    try:
        plain = document["update"]
        known = {
            name: _like(default, plain[name])
            for name, default in Update._field_defaults.items()
            if name in plain
        }
        answers = tuple(
            Answer(*(_like(kind(), value) for kind, value in zip(_ANSWER, row, strict=True)))
            for row in document.get("answers", [])
        )
        floor_us = _like(0, document.get("floor_us", 0))
        return State(Update(**known), answers, floor_us, _like("", document.get("told_version", "")))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"the update state cannot be read: {error}") from error


_ANSWER = (str, str, str, int, str)


def _like(default: Any, value: Any) -> Any:
    """Return `value` as the kind of thing that `default` is; raises `ValueError`."""
    if isinstance(default, Enum):
        return type(default)(value)
    if isinstance(default, tuple):
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ValueError(f"{value!r} is no list of strings")
        return tuple(value)
    if type(value) is not type(default):
        raise ValueError(f"{value!r} is no {type(default).__name__}")
    return value
