# SPDX-License-Identifier: Apache-2.0
"""The roles of sound in a car, as one table: who is louder than whom, who pauses whom, what comes back.

Nothing here knows of streams or devices. The order phone > navigation > assistant > music is what drivers are
used to; warnings stand above all and are never silenced.
"""

from __future__ import annotations

from enum import StrEnum

from smartcockpit.core.named import NamedTuple


class Role(StrEnum):
    """What a sound is for; the value is the word on D-Bus and in files."""

    MUSIC = "music"
    ASSISTANT = "assistant"
    NAVIGATION = "navigation"
    PHONE = "phone"
    WARNING = "warning"


class Rule(NamedTuple):
    """One row of the table. A role acts on those of lower priority only."""

    priority: int
    """The larger one has the say."""
    ducks_db: float
    """By how much lower roles fall while this one sounds, dB."""
    pauses: frozenset[Role]
    """Lower roles that stop instead of falling."""
    comes_back: bool
    """After a pause it goes on. False: it is over, because an answer minutes later is noise."""


NOBODY: frozenset[Role] = frozenset()

RULES: dict[Role, Rule] = {
    Role.MUSIC: Rule(0, 0.0, NOBODY, True),
    Role.ASSISTANT: Rule(1, 20.0, NOBODY, False),
    Role.NAVIGATION: Rule(2, 20.0, NOBODY, True),
    Role.PHONE: Rule(3, 20.0, frozenset({Role.MUSIC, Role.ASSISTANT}), True),
    Role.WARNING: Rule(4, 14.0, NOBODY, True),
}

BY_PRIORITY: tuple[Role, ...] = tuple(sorted(Role, key=lambda role: -RULES[role].priority))
"""All roles, the one with the say first."""

STREAM_ROLES: dict[str, Role] = {
    "phone": Role.PHONE,
    "communication": Role.PHONE,
    "navigation": Role.NAVIGATION,
    "assistant": Role.ASSISTANT,
    "a11y": Role.ASSISTANT,
    "accessibility": Role.ASSISTANT,
}
"""`media.role` of a foreign stream → role, in PulseAudio's and PipeWire's words. Warnings are ours alone."""


def role_of_stream(media_role: str) -> Role:
    """Return the role of a stream that says `media_role` of itself; whoever says nothing plays music."""
    return STREAM_ROLES.get(media_role.lower(), Role.MUSIC)
