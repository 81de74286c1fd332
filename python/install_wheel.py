#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Unpack a wheel into a root that is not this machine's, for `make install`; needs `installer`."""

from __future__ import annotations

import argparse
from pathlib import Path

from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.sources import WheelFile


def main() -> None:
    """Install one wheel: modules into --site, programs into PREFIX/bin, with the target's interpreter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--destdir", default="")
    parser.add_argument("--prefix", default="/usr")
    parser.add_argument("--site", default="/usr/lib/python3/dist-packages")
    parser.add_argument("--interpreter", default="/usr/bin/python3")
    options = parser.parse_args()
    scheme = {
        "purelib": options.site,
        "platlib": options.site,
        "scripts": f"{options.prefix}/bin",
        "data": options.prefix,
        "headers": f"{options.prefix}/include",
    }
    destination = SchemeDictionaryDestination(
        scheme,
        interpreter=options.interpreter,
        script_kind="posix",
        bytecode_optimization_levels=(),
        destdir=options.destdir or None,
        overwrite_existing=True,
    )
    with WheelFile.open(options.wheel) as source:
        install(source, destination, additional_metadata={"INSTALLER": b"make install\n"})


if __name__ == "__main__":
    main()
