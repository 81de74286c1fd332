# SPDX-License-Identifier: Apache-2.0
"""Errors that the bus daemon itself sends, as our users read them."""

from __future__ import annotations

from smartcockpit.bus.errors import AccessDeniedError, from_dbus

REFUSAL = (
    'Rejected send message, 2 matched rules; type="method_call", sender=":1.23" (uid=65534 pid=342 comm="x") '
    'interface="org.smartcockpit.Signals1" member="List" error name="(unset)" requested_reply="0" '
    'destination="org.smartcockpit.CanBridge1" (uid=861 pid=238 comm="y")'
)


def test_a_refused_call_is_one_clear_sentence_with_the_remedy() -> None:
    # Given what dbus-daemon says to a user outside the group
    # When a client reads it
    error = from_dbus("org.freedesktop.DBus.Error.AccessDenied", [REFUSAL])
    # Then it names the call and what to do, not rules and processes
    assert isinstance(error, AccessDeniedError)
    assert str(error) == (
        "the bus does not let this user call org.smartcockpit.Signals1.List. "
        "Hint: run it as root or as a member of the group smartcockpit"
    )
