# SPDX-License-Identifier: Apache-2.0
"""From what people set and what focus says to the gain of each stream, so that the sum never clips.

Full scale is shared out: warnings have their part for themselves, all others together have the rest. Whatever
plays beside a warning, at whatever volume, both fit without a limiter. Volumes are percent on the curve of
`loudness`.
"""

from __future__ import annotations

from collections.abc import Mapping

from smartcockpit.core.focus import RoleState, Verdict
from smartcockpit.core.loudness import db_to_linear, linear_to_db, percent_to_db
from smartcockpit.core.sound_roles import Role
from smartcockpit.core.sound_settings import SoundSettings

HEADROOM_DB = 4.0
"""All but warnings stay below full scale by this much; what that leaves is the warnings'."""
OTHERS_SHARE = 10 ** (-HEADROOM_DB / 20)
WARNING_SHARE = 1 - OTHERS_SHARE
WARNING_FLOOR = 60
"""A warning is at least this loud, percent, whatever was set or muted."""


def role_gain_db(role: Role, settings: SoundSettings, verdict: Verdict, boost_db: float) -> float:
    """Return the gain that a lone stream of `role` gets, before full scale is shared out; at most 0 dB.

    A paused role is silent, but for warnings, which nothing silences.
    """
    own = settings.roles[role]
    if role is Role.WARNING:
        return min(0.0, percent_to_db(max(own.percent, WARNING_FLOOR)) + boost_db)
    if verdict.state is RoleState.PAUSED:
        return percent_to_db(0)
    return min(0.0, own.gain_db + settings.master.gain_db + boost_db) - verdict.duck_db


def shared_out(wanted_db: Mapping[int, tuple[Role, float]]) -> dict[int, float]:
    """Return the gain of each sounding stream, by its key, from (role, wanted gain in dB).

    The linear gains of all streams together are at most 1: warnings at most `WARNING_SHARE`, others at most
    `OTHERS_SHARE`. Several streams of a share are turned down evenly when they need more than it has.
    """
    found: dict[int, float] = {}
    for is_warning, share in ((True, WARNING_SHARE), (False, OTHERS_SHARE)):
        linear = {
            key: share * db_to_linear(gain_db)
            for key, (role, gain_db) in wanted_db.items()
            if (role is Role.WARNING) is is_warning
        }
        total = sum(linear.values())
        scale = min(1.0, share / total) if total > 0 else 1.0
        found.update({key: linear_to_db(gain * scale) for key, gain in linear.items()})
    return found


def side_gains(channels: tuple[str, ...], balance: float, fade: float) -> list[float]:
    """Return the linear gain of each channel of a device; names are PulseAudio's (front-left, rear-right, …).

    The far side falls, the near side stays: turning the balance makes nothing louder. Fade needs a device
    with rear channels and is left alone otherwise.
    """
    has_rear = any(name.startswith(("rear", "side")) for name in channels)
    gains = []
    for name in channels:
        gain = 1.0
        if name.endswith("left"):
            gain *= min(1.0, 1.0 - balance)
        elif name.endswith("right"):
            gain *= min(1.0, 1.0 + balance)
        if has_rear and name.startswith("front"):
            gain *= min(1.0, 1.0 + fade)
        elif has_rear and name.startswith(("rear", "side")):
            gain *= min(1.0, 1.0 - fade)
        gains.append(gain)
    return gains
