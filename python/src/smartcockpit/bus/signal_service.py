# SPDX-License-Identifier: Apache-2.0
"""The ready-made org.smartcockpit.Signals1 over a board; its `Changed` is emitted by `publisher`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from math import nan
from typing import Any

from smartcockpit.bus.codec import to_variant
from smartcockpit.bus.interfaces.signals1 import Description, Signals1, WireReading
from smartcockpit.bus.wire import SIGNATURES, text_bytes
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.errors import LimitError
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.signals import Datatype, SignalKind, SignalSpec

SetHandler = Callable[[Mapping[str, Any]], Awaitable[dict[str, str]]]
"""Gets the wanted values of actuators by path, returns for each path "" or the reason of refusal."""

PATHS_PER_GET = 4096


class SignalService(Signals1):
    """`connection.export(SignalService(board))` is all that a daemon needs to answer `Get` and `List`.

    Without a `set_handler` nothing can be set, and the refusal says so. `refresh` is called before the
    board is read: an owner that does not stamp every unchanged frame brings the times up to date there.
    """

    def __init__(
        self,
        board: SignalBoard,
        set_handler: SetHandler | None = None,
        refresh: Callable[[], None] | None = None,
    ) -> None:
        self._board = board
        self._set_handler = set_handler
        self._refresh = refresh

    def get(self, paths: list[str]) -> list[WireReading]:
        """Implement `Signals1.get`; raises `LimitError`, `UnknownSignalError`."""
        if len(paths) > PATHS_PER_GET:
            raise LimitError(
                f"{len(paths)} paths in one Get, at most {PATHS_PER_GET} are allowed", "ask in portions"
            )
        if self._refresh is not None:
            self._refresh()
        return [self._read(path) for path in paths]

    def _read(self, path: str) -> WireReading:
        _, value, quality, time_us = self._board.read(path)
        datatype = self._board.specs[self._board.index[path]].datatype
        if datatype is Datatype.STRING:
            value = text_bytes(str(value)).decode()
        return path, to_variant(SIGNATURES[datatype], value), quality, time_us

    def list_signals(self, prefix: str) -> list[Description]:
        """Implement `Signals1.list_signals`."""
        return [_describe(spec) for spec in self._board.select(prefix)]

    async def set_values(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Implement `Signals1.set_values`: what cannot be set is refused here, the rest goes to the
        handler."""
        refusals = {path: self._refusal(path) for path in values}
        wanted = {path: value for path, value in values.items() if not refusals[path]}
        if wanted and self._set_handler is not None:
            refusals.update(await self._set_handler(wanted))
        return refusals

    def _refusal(self, path: str) -> str:
        index = self._board.index.get(path)
        if index is None:
            return f"unknown signal; {did_you_mean(path, self._board.index, 'see List')}"
        kind = self._board.specs[index].kind
        if kind is not SignalKind.ACTUATOR:
            return f"it is {'an attribute' if kind is SignalKind.ATTRIBUTE else 'a sensor'}, not an actuator"
        return "" if self._set_handler is not None else "this service sets nothing"


def _describe(spec: SignalSpec) -> Description:
    return Description(
        spec.path,
        spec.datatype.value,
        SIGNATURES[spec.datatype],
        spec.unit,
        spec.kind.value,
        spec.description,
        nan if spec.minimum is None else spec.minimum,
        nan if spec.maximum is None else spec.maximum,
        list(spec.allowed),
    )
