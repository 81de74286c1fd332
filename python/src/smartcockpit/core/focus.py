# SPDX-License-Identifier: Apache-2.0
"""Audio focus: who may sound, who falls, who pauses, and what comes back afterwards.

Owns the claims (a role held by an owner until it lets go or dies) and derives from them what each role does.
Who the owners are and how a stream is turned down is left to others.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from smartcockpit.core.errors import LimitError, UsageError
from smartcockpit.core.named import NamedTuple
from smartcockpit.core.sound_roles import BY_PRIORITY, RULES, Role

CLAIMS_PER_OWNER = 16


class RoleState(StrEnum):
    """What a role does."""

    IDLE = "idle"
    """Nobody claims it."""
    PLAYING = "playing"
    DUCKED = "ducked"
    """It sounds, lower by `Verdict.duck_db`."""
    PAUSED = "paused"


class Claim(NamedTuple):
    """Somebody wants to be heard."""

    token: int
    role: Role
    owner: str


class Verdict(NamedTuple):
    """What a role does now; `duck_db` is how far it falls when it sounds, claimed or not."""

    state: RoleState
    duck_db: float


class Focus:
    """All claims and what follows from them. Tokens start at 1 and are never used again."""

    def __init__(self) -> None:
        self._claims: dict[int, Claim] = {}
        self._last = 0

    def request(self, role: Role, owner: str) -> tuple[int, list[Claim]]:
        """Take a claim in; return its token, and the claims that end because `role` pauses them for good.

        Raises `LimitError` when `owner` has too many, `UsageError` when a role that pauses `role` for good
        is active.
        """
        if sum(claim.owner == owner for claim in self._claims.values()) >= CLAIMS_PER_OWNER:
            raise LimitError(f"one client holds {CLAIMS_PER_OWNER} claims already", "release some first")
        above = self._pauser(role)
        if above is not None and not RULES[role].comes_back:
            raise UsageError(f"{role} must be silent while there is {above}", "try again when it has ended")
        ended = [
            claim
            for claim in self._claims.values()
            if claim.role in RULES[role].pauses and not RULES[claim.role].comes_back
        ]
        for claim in ended:
            del self._claims[claim.token]
        self._last += 1
        self._claims[self._last] = Claim(self._last, role, owner)
        return self._last, ended

    def release(self, token: int, owner: str) -> Claim | None:
        """End a claim of `owner`; None when it has no such claim (any more)."""
        claim = self._claims.get(token)
        if claim is None or claim.owner != owner:
            return None
        return self._claims.pop(token)

    def forget(self, owner: str) -> list[Claim]:
        """End all claims of an owner that has died; return them."""
        ended = [claim for claim in self._claims.values() if claim.owner == owner]
        for claim in ended:
            del self._claims[claim.token]
        return ended

    def claims(self) -> list[Claim]:
        """Return all claims, the one with the say first, then by age."""
        return sorted(self._claims.values(), key=lambda c: (-RULES[c.role].priority, c.token))

    def owners(self) -> set[str]:
        """Return everybody whose death matters."""
        return {claim.owner for claim in self._claims.values()}

    @property
    def active(self) -> set[Role]:
        """Return the roles that are claimed."""
        return {claim.role for claim in self._claims.values()}

    @property
    def current(self) -> Role | None:
        """Return the role that has the say."""
        return next((role for role in BY_PRIORITY if role in self.active), None)

    def verdicts(self) -> dict[Role, Verdict]:
        """Return what each role does now."""
        return verdicts(self.active)

    def _pauser(self, role: Role) -> Role | None:
        return next(
            (other for other in BY_PRIORITY if other in self.active and role in RULES[other].pauses), None
        )


def verdicts(active: Iterable[Role]) -> dict[Role, Verdict]:
    """Return what each role does while the roles in `active` are claimed.

    A role that is paused disturbs nobody: it neither ducks nor pauses others.
    """
    claimed = set(active)
    paused = {role for other in claimed for role in RULES[other].pauses}
    sounding = claimed - paused
    found: dict[Role, Verdict] = {}
    for role in Role:
        above = [RULES[other].ducks_db for other in sounding if RULES[other].priority > RULES[role].priority]
        duck_db = max(above, default=0.0)
        if role in paused:
            found[role] = Verdict(RoleState.PAUSED, duck_db)
        elif role not in claimed:
            found[role] = Verdict(RoleState.IDLE, duck_db)
        else:
            found[role] = Verdict(RoleState.DUCKED if duck_db else RoleState.PLAYING, duck_db)
    return found


class Resumption:
    """What the music does around a pause that focus imposes: it goes on unless the driver said otherwise.

    `held` is True while focus keeps it silent.
    """

    def __init__(self) -> None:
        self.held = False
        self._goes_on = False

    def focus(self, paused: bool, playing: bool) -> str:
        """Take a verdict in; return what the player is to do: "pause", "play" or ""."""
        if paused == self.held:
            return ""
        self.held = paused
        if paused:
            self._goes_on = playing
            return "pause" if playing else ""
        return "play" if self._goes_on else ""

    def wants(self, playing: bool) -> bool:
        """Take the driver's wish in; return whether it is carried out now: while held, it is for later."""
        if self.held:
            self._goes_on = playing
        return not (self.held and playing)
