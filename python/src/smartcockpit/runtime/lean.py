# SPDX-License-Identifier: Apache-2.0
"""Makes asyncio cheap for daemons: import this module first, for its effect.

- TLS is kept out. asyncio imports `ssl` when it can and works without it; OpenSSL costs about 4.5 MB of
  memory and 8 ms of CPU per process. The import is refused only while asyncio loads: whoever needs `ssl`
  later gets it, but must then not expect asyncio to do TLS.
- What asyncio and the modules below it import for rare use (child processes, thread pools, TLS, the text of
  traces) loads when it is used: 7 ms of 37 with Python 3.11, 9 of 46 with 3.13.
- The cyclic garbage collector rests while modules load, because they make nothing but things that stay;
  `smartcockpit.runtime.daemon` wakes it.

A program that has loaded one of these modules, `ssl` or asyncio already is left as it is.
"""

from __future__ import annotations

import gc
import sys
from importlib.util import find_spec

from smartcockpit.core.defer import defer_module

RARE: dict[str, dict[str, object]] = {
    "asyncio.sslproto": {},
    "asyncio.staggered": {},
    "concurrent.futures": {name: name for name in ("ALL_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION")},
    "inspect": {},
    "ipaddress": {},
    "linecache": {},
    "subprocess": {"PIPE": -1, "STDOUT": -2, "DEVNULL": -3},
    "textwrap": {},
}
"""What waits for its first use, each with the constants that asyncio reads while it loads."""


def _load_asyncio() -> None:
    if "ssl" in sys.modules or "asyncio" in sys.modules:
        return
    package = find_spec("asyncio")
    for name, constants in RARE.items():
        defer_module(name, package if name.startswith("asyncio.") else None, **constants)
    # A None entry makes the import system raise ModuleNotFoundError (Python reference, 5.3.1 "The module
    # cache").
    sys.modules["ssl"] = None  # type: ignore[assignment]
    try:
        import asyncio
    finally:
        del sys.modules["ssl"]
    for name in RARE:
        if name.startswith("asyncio."):
            setattr(asyncio, name.removeprefix("asyncio."), sys.modules[name])


gc.disable()
_load_asyncio()
