# SPDX-License-Identifier: Apache-2.0
"""Who is calling: for methods that remember their caller, such as one that hands out something to be held."""

from __future__ import annotations

from contextvars import ContextVar

_CALLER: ContextVar[str] = ContextVar("caller", default="")


def caller() -> str:
    """Return the unique name of the client whose call is being served, "" outside of one.

    In an `async` method it stays the same across every `await`.
    """
    return _CALLER.get()


def called_by(sender: str) -> None:
    """Note the sender of the call that is served next; the dispatch does."""
    _CALLER.set(sender)
