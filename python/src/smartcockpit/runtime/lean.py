# SPDX-License-Identifier: Apache-2.0
"""Keeps TLS out of daemons that do not speak it, and imports quick: import this module first, for its effect.

asyncio imports `ssl` when it can and works without it; OpenSSL costs about 4.5 MB of memory and 8 ms of CPU
per process. The import is refused only while asyncio loads: whoever needs `ssl` later gets it, but must then
not expect asyncio to do TLS. A program that has loaded `ssl` or asyncio already is left as it is.

The cyclic garbage collector rests while modules load, because they make nothing but things that stay;
`smartcockpit.runtime.daemon` wakes it.
"""

from __future__ import annotations

import gc
import sys


def _load_asyncio_without_tls() -> None:
    if "ssl" in sys.modules or "asyncio" in sys.modules:
        return
    # A None entry makes the import system raise ModuleNotFoundError (Python reference, 5.3.1 "The module
    # cache").
    sys.modules["ssl"] = None  # type: ignore[assignment]
    try:
        import asyncio  # noqa: F401
    finally:
        del sys.modules["ssl"]


gc.disable()
_load_asyncio_without_tls()
