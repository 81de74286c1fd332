# SPDX-License-Identifier: Apache-2.0
"""Match rules: which signals the bus delivers to us (D-Bus specification, "Match rules")."""

from __future__ import annotations

from smartcockpit.core.named import NamedTuple


class MatchRule(NamedTuple):
    """A rule for signals; empty members match anything. `str()` gives the text for AddMatch.

    `arg0namespace` matches a first argument that is the value or lies below it by dots.
    """

    interface: str = ""
    member: str = ""
    path: str = ""
    sender: str = ""
    arg0: str = ""
    arg0namespace: str = ""

    def __str__(self) -> str:
        parts = ["type='signal'"]
        for key in ("sender", "path", "interface", "member", "arg0", "arg0namespace"):
            value = getattr(self, key)
            if value:
                parts.append(f"{key}={_quote(value)}")
        return ",".join(parts)

    def matches(self, interface: str, member: str, path: str, sender: str, arg0: str | None) -> bool:
        """Tell whether a received signal is meant.

        The bus delivers what any of our rules asks for, so every handler checks again. A well-known
        `sender` is left to the bus: received messages carry unique names.
        """
        return (
            (not self.interface or self.interface == interface)
            and (not self.member or self.member == member)
            and (not self.path or self.path == path)
            and (not self.sender.startswith(":") or self.sender == sender)
            and (not self.arg0 or self.arg0 == arg0)
            and (not self.arg0namespace or (arg0 is not None and below(arg0, self.arg0namespace)))
        )


def below(path: str, prefix: str) -> bool:
    """Tell whether the dotted `path` is `prefix` or lies below it ("" is above everything)."""
    return not prefix or path == prefix or path.startswith(prefix + ".")


def _quote(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"
