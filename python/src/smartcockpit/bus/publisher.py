# SPDX-License-Identifier: Apache-2.0
"""Emission of `Signals1.Changed`. (Signatures; body follows.)"""

from __future__ import annotations

from collections.abc import Iterable

from smartcockpit.bus.connection import BusConnection
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.signals import Update


class SignalPublisher:
    """Publishes readings of the signals of `board`; the board is what is sent anew after a reconnect."""

    def __init__(self, connection: BusConnection, board: SignalBoard) -> None: ...

    def publish(self, updates: Iterable[Update]) -> None:
        """Apply `updates` to the board and send them: a lone change at once, else within 20 ms, newest
        value wins."""

    def close(self) -> None:
        """Stop the timer; what is still waiting is not sent."""
