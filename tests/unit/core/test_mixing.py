# SPDX-License-Identifier: Apache-2.0
"""Gains: curves that agree with PulseAudio's, a sum that never clips, warnings that nothing silences."""

from __future__ import annotations

from math import inf, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.core.errors import ConfigError, UsageError
from smartcockpit.core.focus import verdicts
from smartcockpit.core.loudness import (
    NORMAL,
    SILENT_DB,
    SpeedCurve,
    db_to_linear,
    db_to_percent,
    db_to_pulse,
    percent_to_db,
)  # fmt: skip
from smartcockpit.core.mixing import WARNING_FLOOR, WARNING_SHARE, role_gain_db, shared_out, side_gains
from smartcockpit.core.ramp import DOWN_DB_PER_S, UP_DB_PER_S, Ramp
from smartcockpit.core.sound_roles import Role
from smartcockpit.core.sound_settings import (
    DEFAULTS,
    SoundSettings,
    Volume,
    checked_percent,
    checked_side,
    dump,
    parse,
)  # fmt: skip

VOLUMES = st.builds(Volume, st.integers(0, 100), st.booleans())
SIDES = st.floats(-1, 1)
SETTINGS = st.builds(
    SoundSettings, st.fixed_dictionaries(dict.fromkeys(Role, VOLUMES)), VOLUMES, SIDES, SIDES
)


@given(st.floats(SILENT_DB + 0.1, 0))
def test_pulse_volume_is_the_cube_root_of_the_linear_gain(gain_db: float) -> None:
    assert isclose((db_to_pulse(gain_db) / NORMAL) ** 3, db_to_linear(gain_db), rel_tol=0.01)


def test_silence_is_zero_and_nothing_is_amplified() -> None:
    assert [db_to_pulse(g) for g in (-inf, SILENT_DB, 0.0, 6.0)] == [0, 0, NORMAL, NORMAL]


@given(st.integers(1, 100))
def test_percent_and_db_are_inverse(percent: int) -> None:
    assert round(db_to_percent(percent_to_db(percent))) == percent


@given(st.dictionaries(st.integers(0, 20), st.tuples(st.sampled_from(Role), st.floats(-100, 0)), max_size=9))
def test_whatever_plays_together_fits_into_full_scale(wanted: dict[int, tuple[Role, float]]) -> None:
    gains = shared_out(wanted)
    assert gains.keys() == wanted.keys()
    assert sum(map(db_to_linear, gains.values())) <= 1 + 1e-9
    for key, (_, gain_db) in wanted.items():
        assert gains[key] <= gain_db + 1e-9 or db_to_linear(gain_db) == 0


@given(SETTINGS, st.sets(st.sampled_from(Role)), st.floats(0, 12))
def test_a_warning_is_heard_whatever_is_set_muted_or_active(
    settings: SoundSettings, active: set[Role], boost_db: float
) -> None:
    verdict = verdicts(active | {Role.WARNING})[Role.WARNING]
    gain = role_gain_db(Role.WARNING, settings, verdict, boost_db)
    assert percent_to_db(WARNING_FLOOR) <= gain <= 0
    assert shared_out({1: (Role.WARNING, gain)})[1] >= -25


def test_mute_and_master_silence_all_else() -> None:
    muted = DEFAULTS._replace(master=Volume(80, True))
    for role in set(Role) - {Role.WARNING}:
        assert role_gain_db(role, muted, verdicts({role})[role], 3.0) == -inf


def test_music_falls_by_the_tables_20_db_under_a_prompt() -> None:
    def music(*others: Role) -> float:
        verdict = verdicts({Role.MUSIC, *others})
        wanted = {
            n: (r, role_gain_db(r, DEFAULTS, verdict[r], 0.0)) for n, r in enumerate([Role.MUSIC, *others])
        }
        return shared_out(wanted)[0]

    assert 19.9 < music() - music(Role.NAVIGATION) < 21.5
    assert 13.9 < music() - music(Role.WARNING) < 14.1


def test_speed_makes_it_louder_between_the_points_and_not_while_it_is_unknown() -> None:
    curve = SpeedCurve([30, 130], [0, 6])
    assert [curve.boost_db(v) for v in (None, 0, 30, 80, 130, 250, -80)] == [0, 0, 0, 3, 6, 6, 3]
    assert SpeedCurve([], []).boost_db(100) == 0


@pytest.mark.parametrize(("speeds", "boosts"), [([1], []), ([2, 1], [0, 0]), ([1, 1], [0, 0])])
def test_a_curve_that_is_none_is_refused(speeds: list[float], boosts: list[float]) -> None:
    with pytest.raises(ValueError, match=r"boosts|rise"):
        SpeedCurve(speeds, boosts)


@given(SIDES, SIDES)
def test_balance_and_fade_never_amplify_and_leave_one_corner_as_it_is(balance: float, fade: float) -> None:
    quad = side_gains(("front-left", "front-right", "rear-left", "rear-right"), balance, fade)
    assert all(0 <= gain <= 1 for gain in quad)
    assert max(quad) == 1
    stereo = side_gains(("front-left", "front-right"), balance, fade)
    assert max(stereo) == 1, "fade does nothing without rear loudspeakers"
    assert side_gains(("mono",), balance, fade) == [1.0]


@given(st.floats(-120, 6), st.floats(-120, 6))
def test_a_ramp_arrives_without_a_leap_that_can_be_heard(start: float, goal: float) -> None:
    ramp = Ramp(start)
    ramp.aim(goal)
    before = ramp.gain_db
    for _ in range(500):
        if not ramp.moving:
            break
        after = ramp.step(0.02)
        quietest = db_to_linear(max(before, after)) < db_to_linear(-42)
        assert quietest or -DOWN_DB_PER_S * 0.02 - 1e-9 <= after - before <= UP_DB_PER_S * 0.02 + 1e-9
        before = after
    assert ramp.gain_db == ramp.target_db == max(SILENT_DB, min(0.0, goal))


def test_a_prompt_waits_no_longer_than_100_ms_for_the_music_to_fall() -> None:
    ramp = Ramp(0.0)
    ramp.aim(-21.5)
    assert [ramp.step(0.02) for _ in range(5)][-1] == -21.5


@given(SETTINGS)
def test_settings_survive_being_written_down(settings: SoundSettings) -> None:
    assert parse(dump(settings)) == settings


@given(
    st.one_of(st.text(), st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists).map(str))
)
def test_anything_else_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match="no settings of sound"):
        parse(text)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ('"percent": 80', '"percent": 101'),
        ('"percent": 80', '"percent": true'),
        ('"percent": 80', '"percent": 8e1'),
        ('"balance": 0.0', '"balance": NaN'),
        ('"balance": 0.0', '"balance": "left"'),
        ('"music"', '"musik"'),
        ('"format": 1', '"format": 2'),
    ],
)
def test_a_value_that_cannot_be_is_refused(was: str, becomes: str) -> None:
    text = dump(DEFAULTS)
    assert was in text
    with pytest.raises(ConfigError):
        parse(text.replace(was, becomes))


def test_nothing_starts_louder_than_the_cap() -> None:
    capped = DEFAULTS.with_role(Role.MUSIC, Volume(100)).capped(60)
    assert {v.percent for v in capped.roles.values()} | {capped.master.percent} == {60}


@pytest.mark.parametrize("percent", [-1, 101])
def test_no_volume_beyond_0_to_100(percent: int) -> None:
    with pytest.raises(UsageError, match="0 to 100"):
        checked_percent(percent)


@pytest.mark.parametrize("side", [-1.1, 1.1, float("nan"), float("inf")])
def test_no_balance_beyond_the_sides(side: float) -> None:
    with pytest.raises(UsageError, match="-1 to 1"):
        checked_side(side, "balance")


def test_the_warnings_share_is_theirs_alone() -> None:
    gains = shared_out({0: (Role.WARNING, 0.0), 1: (Role.MUSIC, 0.0), 2: (Role.PHONE, 0.0)})
    assert isclose(db_to_linear(gains[0]), WARNING_SHARE)
