#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Unpack a wheel into a root that is not this machine's, for `make install`; needs `installer`."""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

from installer import install
from installer.destinations import SchemeDictionaryDestination
from installer.records import RecordEntry
from installer.sources import WheelFile
from installer.utils import Scheme

PROGRAM = """\
#!{interpreter} -SP
import sys
sys.path.append({site!r})
from smartcockpit.runtime import module_pack
module_pack.use()
from {module} import {attribute}
sys.exit({attribute}())
"""
"""What starts one of our programs, see docs/decisions/0020. -S leaves out `site` (2 ms for path files and
folders that hold nothing of ours), -P the search for modules beside the program."""


class Destination(SchemeDictionaryDestination):
    """Where a wheel goes, with our way to start a program of ours."""

    def write_script(self, name: str, module: str, attr: str, section: Any) -> RecordEntry:
        """Write the program `name`, which calls `attr` of `module`."""
        if not module.startswith("smartcockpit."):
            return super().write_script(name, module, attr, section)
        text = PROGRAM.format(
            interpreter=self.interpreter, site=self.scheme_dict["purelib"], module=module, attribute=attr
        )
        with io.BytesIO(text.encode()) as stream:
            return self.write_to_fs(Scheme("scripts"), name, stream, is_executable=True)


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
    destination = Destination(
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
