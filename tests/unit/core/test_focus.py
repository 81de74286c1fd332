# SPDX-License-Identifier: Apache-2.0
"""Audio focus: the table's order, and that whatever clients do, what came first comes back."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule
from smartcockpit.core.errors import LimitError, UsageError
from smartcockpit.core.focus import CLAIMS_PER_OWNER, Focus, Resumption, RoleState, Verdict, verdicts
from smartcockpit.core.sound_roles import BY_PRIORITY, RULES, Role, role_of_stream

OWNERS = st.sampled_from([":1.1", ":1.2", ":1.3"])


def test_order_is_warning_phone_navigation_assistant_music() -> None:
    assert [role.value for role in BY_PRIORITY] == ["warning", "phone", "navigation", "assistant", "music"]


def test_music_falls_by_at_least_12_db_under_everything_that_is_spoken() -> None:
    for role in (Role.NAVIGATION, Role.ASSISTANT, Role.WARNING):
        assert verdicts({Role.MUSIC, role})[Role.MUSIC].duck_db >= 12


def test_phone_pauses_music_and_lowers_navigation() -> None:
    found = verdicts({Role.MUSIC, Role.NAVIGATION, Role.PHONE})
    assert found[Role.MUSIC].state is RoleState.PAUSED
    assert found[Role.NAVIGATION].state is RoleState.DUCKED
    assert found[Role.PHONE] == Verdict(RoleState.PLAYING, 0.0)


def test_nothing_lowers_or_pauses_a_warning() -> None:
    for count in range(len(Role) + 1):
        for others in itertools.combinations(Role, count):
            assert verdicts({*others, Role.WARNING})[Role.WARNING] == Verdict(RoleState.PLAYING, 0.0)


def test_a_phone_call_ends_the_assistant_and_keeps_it_silent() -> None:
    focus = Focus()
    token, _ = focus.request(Role.ASSISTANT, ":1.1")
    phone, ended = focus.request(Role.PHONE, ":1.2")
    assert [claim.token for claim in ended] == [token]
    with pytest.raises(UsageError, match="phone"):
        focus.request(Role.ASSISTANT, ":1.1")
    assert focus.release(phone, ":1.2")
    focus.request(Role.ASSISTANT, ":1.1")
    assert focus.current is Role.ASSISTANT


def test_claims_of_a_client_are_limited_and_cannot_be_released_by_another() -> None:
    focus = Focus()
    tokens = [focus.request(Role.MUSIC, ":1.1")[0] for _ in range(CLAIMS_PER_OWNER)]
    with pytest.raises(LimitError):
        focus.request(Role.MUSIC, ":1.1")
    assert focus.release(tokens[0], ":1.2") is None
    assert focus.release(tokens[0], ":1.1")
    assert focus.release(tokens[0], ":1.1") is None


@pytest.mark.parametrize(
    ("word", "role"),
    [("phone", Role.PHONE), ("Communication", Role.PHONE), ("", Role.MUSIC), ("warning", Role.MUSIC)],
)
def test_a_foreign_stream_cannot_call_itself_a_warning(word: str, role: Role) -> None:
    assert role_of_stream(word) is role


class Clients(RuleBasedStateMachine):
    """Clients that request, release and die; the model is the plain list of who holds what."""

    tokens = Bundle("tokens")

    @initialize()
    def start(self) -> None:
        self.focus = Focus()
        self.held: dict[int, tuple[Role, str]] = {}

    @rule(target=tokens, role=st.sampled_from(Role), owner=OWNERS)
    def request(self, role: Role, owner: str) -> int:
        phone = any(r is Role.PHONE for r, _ in self.held.values())
        full = sum(o == owner for _, o in self.held.values()) >= CLAIMS_PER_OWNER
        if full or (role is Role.ASSISTANT and phone):
            with pytest.raises((UsageError, LimitError)):
                self.focus.request(role, owner)
            return 0
        token, ended = self.focus.request(role, owner)
        gone = [t for t, (r, _) in self.held.items() if role is Role.PHONE and r is Role.ASSISTANT]
        assert [claim.token for claim in ended] == gone
        for one in gone:
            del self.held[one]
        assert token not in self.held
        self.held[token] = (role, owner)
        return token

    @rule(token=consumes(tokens), owner=OWNERS)
    def release(self, token: int, owner: str) -> None:
        mine = self.held.get(token, (None, ""))[1] == owner
        assert (self.focus.release(token, owner) is not None) is mine
        if mine:
            del self.held[token]

    @rule(owner=OWNERS)
    def die(self, owner: str) -> None:
        gone = {t for t, (_, o) in self.held.items() if o == owner}
        assert {claim.token for claim in self.focus.forget(owner)} == gone
        self.held = {t: entry for t, entry in self.held.items() if t not in gone}

    @invariant()
    def claims_are_those_of_the_model(self) -> None:
        assert {(c.token, c.role, c.owner) for c in self.focus.claims()} == {
            (t, r, o) for t, (r, o) in self.held.items()
        }
        assert self.focus.owners() == {o for _, o in self.held.values()}

    @invariant()
    def the_highest_sounds_at_full_and_nothing_is_lowered_for_nobody(self) -> None:
        active = {r for r, _ in self.held.values()}
        found = self.focus.verdicts()
        if self.focus.current:
            assert self.focus.current is max(active, key=lambda r: RULES[r].priority)
            assert found[self.focus.current] == Verdict(RoleState.PLAYING, 0.0)
        else:
            assert set(found.values()) == {Verdict(RoleState.IDLE, 0.0)}
        for role, verdict in found.items():
            if verdict.duck_db or verdict.state is RoleState.PAUSED:
                assert any(RULES[r].priority > RULES[role].priority for r in active)


TestClients = Clients.TestCase
TestClients.settings = settings(max_examples=40, stateful_step_count=25)


class Driver(RuleBasedStateMachine):
    """A driver who starts and stops music while calls come and go; music plays if and only if wanted and no call."""

    @initialize()
    def start(self) -> None:
        self.memory = Resumption()
        self.playing = self.wanted = self.call = False

    @rule(call=st.booleans())
    def phone(self, call: bool) -> None:
        self.call = call
        match self.memory.focus(call, self.playing):
            case "pause":
                self.playing = False
            case "play":
                self.playing = True

    @rule(wanted=st.booleans())
    def press(self, wanted: bool) -> None:
        self.wanted = wanted
        if self.memory.wants(wanted):
            self.playing = wanted

    @invariant()
    def music_plays_if_wanted_and_no_call(self) -> None:
        assert self.playing == (self.wanted and not self.call)


TestDriver = Driver.TestCase
TestDriver.settings = settings(max_examples=30, stateful_step_count=20)
