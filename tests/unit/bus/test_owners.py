# SPDX-License-Identifier: Apache-2.0
"""Of several owners of a signal one is believed, and it is always the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.bus.interfaces.signals1 import Description
from smartcockpit.bus.owners import CAN_BRIDGE, Catalogue, believed

POWER, GNSS = "org.smartcockpit.Power1", "org.smartcockpit.Gnss1"
STATE, SPEED = "Vehicle.LowVoltageSystemState", "Vehicle.Speed"


def offers(owner: str, *paths: str) -> Catalogue:
    return Catalogue(owner, f":1.{owner}", {p: Description(p, "", "", "", "", "", 0, 0, []) for p in paths})


def test_the_daemon_for_the_thing_itself_wins_over_the_can_bridge() -> None:
    found = believed([offers(POWER, STATE), offers(CAN_BRIDGE, STATE, SPEED)])
    assert [(c.owner, list(c.signals)) for c in found] == [(CAN_BRIDGE, [SPEED]), (POWER, [STATE])]


def test_what_only_the_can_bridge_offers_stays_with_it() -> None:
    found = believed([offers(CAN_BRIDGE, STATE, SPEED), offers(POWER)])
    assert [(c.owner, list(c.signals)) for c in found] == [(CAN_BRIDGE, [STATE, SPEED]), (POWER, [])]


@given(
    st.dictionaries(st.sampled_from([CAN_BRIDGE, POWER, GNSS]), st.sets(st.sampled_from("abcdef"))),
    st.randoms(),
)
def test_each_signal_has_one_owner_whatever_the_order(offered: dict[str, set[str]], random: object) -> None:
    catalogues = [offers(owner, *sorted(paths)) for owner, paths in offered.items()]
    shuffled = list(catalogues)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found = believed(shuffled)
    assert found == believed(catalogues)
    paths = [path for c in found for path in c.signals]
    assert sorted(paths) == sorted(set().union(*offered.values()))
