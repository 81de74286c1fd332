# SPDX-License-Identifier: Apache-2.0
"""The error family of SmartCockpit.

Owns the kinds and their exit codes. How an error looks on D-Bus is `smartcockpit.bus.errors`' business, how
it is printed is the command line's.
"""

from __future__ import annotations


class SmartCockpitError(Exception):
    """Root of all errors that a person may read.

    `message` says what is wrong and where, `hint` what the reader can do about it (may be empty).
    `exit_code` is what a program ends with when nobody handles the error: 1 bug, 2 user, 69 device or
    service missing, 78 configuration (the last two from sysexits.h).
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}. Hint: {self.hint}" if self.hint else self.message


class UsageError(SmartCockpitError):
    """The caller asked for something that cannot be: an unknown verb, a malformed argument."""

    exit_code = 2


class UnknownSignalError(UsageError):
    """A signal path that nobody offers; the hint names the nearest known one."""


class ReadOnlySignalError(UsageError):
    """A write to a signal that is no actuator or that this vehicle does not let us write."""


class LimitError(UsageError):
    """A request larger than its documented bound."""


class UnavailableError(SmartCockpitError):
    """A device, service or bus that is needed is not there (yet)."""

    exit_code = 69


class ConfigError(SmartCockpitError):
    """A configuration or vehicle file that cannot be used; the message names file, line or key."""

    exit_code = 78
