# SPDX-License-Identifier: Apache-2.0
"""Errors across the bus: our kinds to D-Bus error names and back, hint included.

`UnknownSignalError` travels as org.smartcockpit.Error.UnknownSignal. Its body is one string, the sentence
as a person reads it, "… . Hint: …": busctl and gdbus show that (gdbus shows nothing at all when a second
string follows), and our clients split it again.
"""

from __future__ import annotations

import re

from smartcockpit.bus.names import ERROR, PREFIX
from smartcockpit.core import errors as kinds
from smartcockpit.core.errors import LimitError, SmartCockpitError, UnavailableError, UsageError

ERROR_PREFIX = f"{PREFIX}.Error."
INTERNAL = ERROR_PREFIX + "Internal"
_HINT = ". Hint: "
_REFUSED = re.compile(r'interface="([^"(]+)" member="([^"]+)"')
"""What dbus-daemon says on AccessDenied names the call amid numbers of rules and processes."""


class RemoteError(SmartCockpitError):
    """An error of another service that is none of our kinds; `name` is its D-Bus name."""

    def __init__(self, message: str, hint: str = "", name: str = "") -> None:
        super().__init__(message, hint)
        self.name = name


class InvalidArgumentsError(UsageError):
    """A call with the wrong signature or with values that cannot be."""


class NotOfferedError(UsageError):
    """The other side has no such object, interface, method or property."""


class AccessDeniedError(UsageError):
    """The bus policy forbids it to this user."""


class NameTakenError(UnavailableError):
    """The bus name that we want belongs to another process."""


class CallTimeoutError(UnavailableError):
    """The other side did not answer in time."""


class DBusFailure(Exception):
    """A standard D-Bus error that our dispatch answers with, by its full name."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name, self.text = name, text


_STANDARD: dict[str, tuple[type[SmartCockpitError], str]] = {
    "ServiceUnknown": (UnavailableError, "is the service installed and running?"),
    "NameHasNoOwner": (UnavailableError, "is the service running?"),
    "NoReply": (CallTimeoutError, "the service may hang or has just ended"),
    "Timeout": (CallTimeoutError, ""),
    "TimedOut": (CallTimeoutError, ""),
    "Disconnected": (UnavailableError, ""),
    "NoServer": (UnavailableError, ""),
    "AccessDenied": (AccessDeniedError, "run it as root or as a member of the group smartcockpit"),
    "LimitsExceeded": (LimitError, "ask for less at a time"),
    "InvalidArgs": (InvalidArgumentsError, ""),
    "InvalidSignature": (InvalidArgumentsError, ""),
    "UnknownObject": (NotOfferedError, ""),
    "UnknownInterface": (NotOfferedError, ""),
    "UnknownMethod": (NotOfferedError, ""),
    "UnknownProperty": (NotOfferedError, ""),
    "PropertyReadOnly": (UsageError, ""),
}


def _by_name() -> dict[str, type[SmartCockpitError]]:
    found = [k for k in vars(kinds).values() if isinstance(k, type) and issubclass(k, SmartCockpitError)]
    return {ERROR_PREFIX + kind.__name__.removesuffix("Error"): kind for kind in found}


_KINDS = _by_name()
_NAMES = {kind: name for name, kind in _KINDS.items()}


def to_dbus(error: BaseException) -> tuple[str, str]:
    """Return error name and text (without NUL) for `error`; unknown kinds become Internal."""
    if isinstance(error, DBusFailure):
        return error.name, _clean(error.text)
    if isinstance(error, RemoteError) and error.name:
        return error.name, _clean(str(error))
    for kind in type(error).__mro__:
        if isinstance(error, SmartCockpitError) and kind in _NAMES:
            return _NAMES[kind], _clean(str(error))
    return INTERNAL, f"internal error{_HINT}see the service's journal"


def from_dbus(name: str, body: list[object]) -> SmartCockpitError:
    """Return the error that a received error message stands for."""
    texts = [text for text in body if isinstance(text, str)]
    text = texts[0] if texts else name
    if name.startswith(ERROR_PREFIX):
        message, found, hint = text.rpartition(_HINT)
        message, hint = (message, hint) if found else (text, "")
        known = _KINDS.get(name)
        return known(message, hint) if known is not None else RemoteError(message, hint, name)
    kind, hint = _STANDARD.get(name.removeprefix(ERROR), (None, ""))
    if kind is AccessDeniedError and (refused := _REFUSED.search(text)):
        text = f"the bus does not let this user call {'.'.join(refused.groups())}"
    if kind is not None and name.startswith(ERROR):
        return kind(text, hint)
    return RemoteError(text, name=name)


def _clean(text: str) -> str:
    """Make `text` fit a D-Bus string: UTF-8 without NUL (specification, "Basic types")."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
