# SPDX-License-Identifier: Apache-2.0
"""Printing for programs: JSON with stable keys, one document or one line each."""

from __future__ import annotations

import json
import math
from typing import Any


def finite(value: Any) -> Any:
    """Return `value` with every not-a-number and infinity as None: JSON has no word for them."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def document(value: Any) -> str:
    """Return `value` as an indented JSON document."""
    return json.dumps(finite(value), indent=2, ensure_ascii=False)


def line(value: Any) -> str:
    """Return `value` as JSON on one line."""
    return json.dumps(finite(value), separators=(",", ":"), ensure_ascii=False)
