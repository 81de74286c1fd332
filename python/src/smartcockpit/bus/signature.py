# SPDX-License-Identifier: Apache-2.0
"""Signatures, as far as they can be judged without dbus-next (D-Bus specification, "Type System")."""

from __future__ import annotations

BASIC = frozenset("ybnqiuxtdsogh")


def is_one_type(signature: str) -> bool:
    """Tell whether `signature` is exactly one complete type."""
    return bool(signature) and _end(signature, 0) == len(signature)


def _end(signature: str, at: int) -> int:
    """Return where the complete type at `at` ends, -1 when there is none."""
    code = signature[at : at + 1]
    if (code and code in BASIC) or code == "v":
        return at + 1
    if code == "a" and signature[at + 1 : at + 2] == "{":
        key = signature[at + 2 : at + 3]
        end = _end(signature, at + 3) if key and key in BASIC else -1
        return end + 1 if end > 0 and signature[end : end + 1] == "}" else -1
    if code == "a":
        return _end(signature, at + 1)
    if code == "(":
        at = _end(signature, at + 1)
        while at > 0 and signature[at : at + 1] != ")":
            at = _end(signature, at)
        return at + 1 if at > 0 else -1
    return -1
