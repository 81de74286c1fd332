# SPDX-License-Identifier: Apache-2.0
"""`make image`: build the image of one architecture and flavour, or say in one sentence why not."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from smartcockpit.core.errors import SmartCockpitError

from smartcockpit_bench.image.build import build
from smartcockpit_bench.image.workspace import enter_namespace
from smartcockpit_bench.places import ARCHITECTURES, FLAVOURS
from smartcockpit_bench.progress import remedy


def main() -> int:
    """Run the command line; exit codes as in `smartcockpit.core.errors`."""
    parser = argparse.ArgumentParser(prog="make image", description=__doc__)
    parser.add_argument("--arch", choices=ARCHITECTURES, default="amd64")
    parser.add_argument("--flavour", choices=FLAVOURS, default="dev")
    parser.add_argument("--wheel", type=Path, required=True)
    options = parser.parse_args()
    os.umask(0o022)
    try:
        enter_namespace()
        folder = build(options.arch, options.flavour, options.wheel.resolve())
    except SmartCockpitError as error:
        print(f"make image: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"make image: {error}. Hint: {remedy(str(error))}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("make image: stopped; nothing half-made is left, the next run resumes", file=sys.stderr)
        return 130
    print(f"  image: {folder}/disk.img", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
