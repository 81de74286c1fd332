# SPDX-License-Identifier: Apache-2.0
"""The ready-made org.smartcockpit.Signals1 over a board. (Signatures; body follows.)"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from smartcockpit.bus.interfaces.signals1 import Description, Signals1, WireReading
from smartcockpit.core.board import SignalBoard

SetHandler = Callable[[Mapping[str, Any]], Awaitable[dict[str, str]]]
"""Gets the wanted values by path, returns for each path "" or the reason of refusal."""


class SignalService(Signals1):
    """`connection.export(SignalService(board))` is all that a daemon needs."""

    def __init__(self, board: SignalBoard, set_handler: SetHandler | None = None) -> None: ...

    async def get(self, paths: list[str]) -> list[WireReading]:  # noqa: D102
        raise NotImplementedError

    async def list_signals(self, prefix: str) -> list[Description]:  # noqa: D102
        raise NotImplementedError

    async def set_values(self, values: Mapping[str, Any]) -> dict[str, str]:  # noqa: D102
        raise NotImplementedError
