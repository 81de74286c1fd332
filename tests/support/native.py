# SPDX-License-Identifier: Apache-2.0
"""The C library as tests use it: built from what is in the checkout, whoever starts them.

No compiler is no excuse: tests that silently ran against the fall-back would prove nothing.
"""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from smartcockpit.adapters.canreceive import Library
from smartcockpit.adapters.native_decoder import NativeDecoder
from smartcockpit.core.table import VehicleTable

ROOT = Path(__file__).resolve().parents[2]


@cache
def library_path() -> Path:
    """Build the library where it is not current; return its file."""
    make = ["make", "--no-print-directory", "-s", "-C", str(ROOT), "native"]
    done = subprocess.run(make, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"python/native does not compile:\n{done.stderr}"
    return ROOT / done.stdout.strip()


@cache
def library() -> Library:
    """Return the loaded library."""
    return Library(str(library_path()))


def native_decoder(table: VehicleTable, bus_index: int) -> NativeDecoder:
    """Return the back-end in C, made as `Decoder(table, bus_index)` is."""
    return NativeDecoder(table, bus_index, library())
